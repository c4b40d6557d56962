package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.libvirt.Secret;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files and the key of each session: made, found again and erased. Calls for one rental must not overlap. */
final class SessionStore {
    private static final Logger LOG = LoggerFactory.getLogger(SessionStore.class);
    private static final int KEY_BYTES = 32;
    private static final int SEED_LIMIT = 16_384;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Libvirt libvirt;
    private final Places places;
    private final EndedVms ended;
    private final EndedVms turnedOff;

    SessionStore(Libvirt libvirt, Places places) {
        this.libvirt = libvirt;
        this.places = places;
        this.ended = new EndedVms(places.ended());
        this.turnedOff = new EndedVms(places.turnedOff());
    }

    /** Returns when the platform itself ended a rental's VM, if it did and was not told to forget it. */
    Optional<Instant> endedByPlatform(RentalId id) {
        try {
            return ended.of(id);
        } catch (IOException e) {
            throw lacking("note of the end of " + id, e);
        }
    }

    /** Returns when a rental's guest was turned off from inside, if that was seen. */
    Optional<Instant> turnedOff(RentalId id) {
        try {
            return turnedOff.of(id);
        } catch (IOException e) {
            throw lacking("note of the end of " + id, e);
        }
    }

    /** Notes that a guest was turned off from inside, if it is one of ours that had become ready. */
    void noteTurnedOff(String vmName, Instant at) {
        try {
            for (RentalId id : Journal.all(places.journals())) {
                boolean ready = journal(id)
                        .filter(journal -> journal.step() == Journal.Step.READY)
                        .isPresent();
                if (id.vmName().equals(vmName) && ready) {
                    turnedOff.note(id, at);
                    LOG.info("a guest was turned off from inside: rental={}", id);
                }
            }
        } catch (IOException | HypervisorException e) {
            LOG.error("that a guest was turned off from inside could not be noted: vm={}", Printable.line(vmName), e);
        }
    }

    /** Forgets how a rental's VM ended: it was erased, or has another. */
    void forgetEnd(RentalId id) {
        try {
            ended.forget(id);
            turnedOff.forget(id);
        } catch (IOException e) {
            throw notGone("note of the end", id, e);
        }
    }

    Path overlay(RentalId id) {
        return folder(places, id).resolve("overlay.qcow2");
    }

    private static Path folder(Places places, RentalId id) {
        return places.disks().resolve(id.value());
    }

    Optional<Journal> journal(RentalId id) {
        try {
            return Journal.read(places.journals(), id);
        } catch (IOException e) {
            throw lacking("journal of " + id, e);
        }
    }

    void write(Journal journal) {
        try {
            journal.write(places.journals());
        } catch (IOException e) {
            throw lacking("journal of " + journal.id(), e);
        }
    }

    /** Returns the session's disk and key, made now unless they are there. Nothing is left if that fails. */
    Journal prepare(VmSpec spec, GuestImage image) {
        RentalId id = spec.id();
        Optional<Journal> found = journal(id);
        if (found.isPresent()
                && Files.exists(overlay(id))
                && secretExists(found.get().secret())) {
            return found.get();
        }
        erase(id);
        forgetEnd(id);
        var journal = new Journal(id, Journal.Step.PREPARED, UUID.randomUUID(), OptionalLong.empty());
        try {
            journal.write(places.journals());
            make(spec, image, journal.secret());
            return journal;
        } catch (IOException e) {
            erase(id);
            throw lacking("disk of " + id, e);
        } catch (HypervisorException e) {
            erase(id);
            throw e;
        }
    }

    private void make(VmSpec spec, GuestImage image, UUID secret) throws IOException {
        byte[] random = new byte[KEY_BYTES];
        RANDOM.nextBytes(random);
        byte[] key = Base64.getEncoder().encode(random);
        Arrays.fill(random, (byte) 0);
        places.account().folder(folder(places, spec.id()));
        Path keyFile = places.seeds().resolve(secret + ".key");
        try {
            places.account().file(keyFile, key);
            Overlay.create(
                    overlay(spec.id()),
                    spec.shape().diskMiB(),
                    image.base().map(GuestImage.Part::file),
                    keyFile,
                    places.account());
            Files.deleteIfExists(keyFile);
            define(spec.id(), secret, key);
        } finally {
            Arrays.fill(key, (byte) 0);
            Files.deleteIfExists(keyFile);
        }
    }

    private void define(RentalId id, UUID uuid, byte[] key) {
        String xml = Xml.document("secret", List.of("ephemeral", "yes", "private", "yes"), secret -> {
            secret.text("uuid", uuid.toString());
            secret.text("description", "ComputeHive session " + id);
            secret.element(
                    "usage",
                    List.of("type", "volume"),
                    usage -> usage.text("volume", overlay(id).toString()));
        });
        libvirt.call("keeping the disk's key", connect -> {
            Secret secret = connect.secretDefineXML(xml);
            try {
                return secret.setValue(key);
            } finally {
                secret.free();
            }
        });
    }

    private boolean secretExists(UUID uuid) {
        return libvirt.call("looking for a key", connect -> {
            try {
                connect.secretLookupByUUIDString(uuid.toString()).free();
                return true;
            } catch (LibvirtException e) {
                return absent(e);
            }
        });
    }

    private static boolean absent(LibvirtException e) throws LibvirtException {
        if (Libvirt.code(e) == ErrorNumber.VIR_ERR_NO_SECRET) {
            return false;
        }
        throw e;
    }

    private boolean undefine(UUID uuid) {
        return libvirt.call("forgetting a key", connect -> {
            try {
                Secret secret = connect.secretLookupByUUIDString(uuid.toString());
                try {
                    secret.undefine();
                } finally {
                    secret.free();
                }
                return true;
            } catch (LibvirtException e) {
                return absent(e);
            }
        });
    }

    /** Writes what the guest's SSH server needs where QEMU reads it: in memory, for the time of the boot. */
    Map<String, Path> seed(VmSpec spec) {
        VmSpec.GuestAccess access = spec.access();
        try {
            Path folder =
                    places.account().passage(places.seeds().resolve(spec.id().value()));
            var seed = new LinkedHashMap<String, Path>();
            seed(seed, folder, "name", spec.id().vmName());
            seed(seed, folder, "host", access.hostKey());
            seed(seed, folder, "host-cert", access.hostCertificate());
            seed(seed, folder, "authorities", access.userAuthorities());
            seed(seed, folder, "principal", access.principal());
            return seed;
        } catch (IOException e) {
            throw lacking("seed of " + spec.id(), e);
        }
    }

    private void seed(Map<String, Path> seed, Path folder, String name, String value) throws IOException {
        byte[] bytes = (value.endsWith("\n") ? value : value + "\n").getBytes(StandardCharsets.UTF_8);
        if (value.isBlank() || bytes.length > SEED_LIMIT) {
            throw new HypervisorException.Refused(
                    "seed %s has %d bytes: 1 to %d are allowed".formatted(name, bytes.length, SEED_LIMIT), null);
        }
        seed.put("opt/computehive/" + name, places.account().file(folder.resolve(name), bytes));
    }

    /** Deletes the seed; returns whether there was one. */
    boolean unseed(RentalId id) {
        try {
            Path folder = places.seeds().resolve(id.value());
            boolean there = Files.exists(folder);
            RuntimeFolder.delete(folder);
            Files.deleteIfExists(console(id));
            return there;
        } catch (IOException e) {
            throw notGone("seed", id, e);
        }
    }

    Path console(RentalId id) {
        return places.consoles().resolve(id.value());
    }

    /** Erases all that a session has but the note of who ended it; safe to repeat after a crash at any instant. */
    Map<String, String> erase(RentalId id) {
        var facts = new LinkedHashMap<String, String>();
        Optional<Journal> journal = journal(id);
        try {
            journal.ifPresent(found ->
                    facts.put("key", undefine(found.secret()) ? "undefined in libvirt" : "libvirt no longer had it"));
            if (journal.isPresent() && secretExists(journal.get().secret())) {
                throw new HypervisorException.NotGone("key of %s is still in libvirt: call again".formatted(id), null);
            }
            facts.put("key store", keyStore());
            facts.put("domain log", eraseLogs(id) ? "deleted" : "none found");
            facts.put("seed", unseed(id) ? "deleted from memory" : "none found");
            facts.putAll(eraseDisk(places, id));
            facts.put("journal", Journal.delete(places.journals(), id) ? "deleted" : "none found");
        } catch (IOException e) {
            throw notGone("something", id, e);
        }
        return facts;
    }

    private String keyStore() throws IOException {
        if (!places.keysInMemory()) {
            return "may have been on the host's disk";
        }
        return RuntimeFolder.swaps() ? "was in memory, but this host swaps to a disk" : "was in memory only";
    }

    /** Deletes the domain's logs, which hold the wrapped key, with those that libvirt's log daemon has rotated away. */
    private boolean eraseLogs(RentalId id) throws IOException {
        if (!Files.isDirectory(places.domainLogs())) {
            return false;
        }
        boolean any = false;
        try (DirectoryStream<Path> logs =
                Files.newDirectoryStream(places.domainLogs(), id.vmName() + ".log{,.[0-9]*}")) {
            for (Path log : logs) {
                any |= Files.deleteIfExists(log);
            }
        }
        return any;
    }

    private static Map<String, String> eraseDisk(Places places, RentalId id) throws IOException {
        Path folder = folder(places, id);
        Path overlay = folder.resolve("overlay.qcow2");
        var facts = new LinkedHashMap<String, String>();
        if (Files.isRegularFile(overlay, LinkOption.NOFOLLOW_LINKS)) {
            facts.put("disk header", "%d bytes overwritten".formatted(Overlay.shred(overlay)));
        }
        facts.put("disk", Files.exists(folder) ? "deleted" : "none found");
        RuntimeFolder.delete(folder);
        return facts;
    }

    /** Erases sessions that an earlier process left and nobody can use any more: no VM, and the key is gone. */
    void sweep(Collection<RentalId> running) {
        running.forEach(this::forgetEnd); // noted, but the platform was killed before it ended them
        try {
            for (RentalId id : Journal.all(places.journals())) {
                Optional<Journal> journal = journal(id);
                boolean usable = running.contains(id)
                        || (journal.isPresent() && secretExists(journal.get().secret()));
                if (!usable) {
                    LOG.info("erasing what an earlier process left: rental={}", id);
                    erase(id);
                }
            }
        } catch (IOException e) {
            throw lacking("journals", e);
        }
    }

    /** Makes every disk of a host unreadable and deletes it, without libvirt: for when its daemon is gone. */
    static void shredAll(Places places) throws IOException {
        if (Files.isDirectory(places.disks())) {
            List<Path> folders;
            try (Stream<Path> entries = Files.list(places.disks())) {
                folders = entries.toList();
            }
            for (Path folder : folders) {
                eraseDisk(places, new RentalId(folder.getFileName().toString()));
            }
        }
        for (RentalId id : Journal.all(places.journals())) {
            Journal.delete(places.journals(), id);
        }
    }

    private HypervisorException lacking(String what, IOException e) {
        return new HypervisorException.Lacking(
                "%s can't be kept (%s): check rights and free space, %s of %s and %s of %s are free"
                        .formatted(
                                what,
                                e,
                                RuntimeFolder.free(places.disks()),
                                places.disks(),
                                RuntimeFolder.free(places.runtime()),
                                places.runtime()),
                e);
    }

    private static HypervisorException notGone(String what, RentalId id, IOException e) {
        return new HypervisorException.NotGone("%s of %s is still there (%s): call again".formatted(what, id, e), e);
    }
}
