package org.computehive.vm;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files and the key of each session: made, found again and erased. Calls for one rental must not overlap. */
final class SessionStore {
    private static final Logger LOG = LoggerFactory.getLogger(SessionStore.class);
    private static final int KEY_BYTES = 32;
    private static final String KEY_SUFFIX = ".key";
    private static final SecureRandom RANDOM = new SecureRandom();

    private final DiskKeys keys;
    private final Places places;
    private final Seeds seeds;
    private final Progress progress;
    private final EndedVms ended;
    private final EndedVms turnedOff;

    SessionStore(Libvirt libvirt, Places places, Progress progress) {
        this.keys = new DiskKeys(libvirt, progress);
        this.places = places;
        this.seeds = new Seeds(places);
        this.progress = progress;
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
        Seeds.check(spec);
        Optional<Journal> found = journal(id).filter(this::isUsable);
        if (found.isPresent()) {
            return found.get();
        }
        erase(id);
        forgetEnd(id);
        var journal = new Journal(id, Journal.Step.PREPARING, UUID.randomUUID(), OptionalLong.empty());
        try {
            journal.write(places.journals());
            progress.took(Progress.Step.JOURNAL_OPENED);
            make(spec, image, journal.secret());
            Journal prepared = journal.at(Journal.Step.PREPARED);
            prepared.write(places.journals());
            progress.took(Progress.Step.DISK_JOURNALED);
            return prepared;
        } catch (IOException e) {
            erase(id);
            throw lacking("disk of " + id, e);
        } catch (HypervisorException e) {
            erase(id);
            throw e;
        }
    }

    /** Returns whether a session's disk was made to its end and can be read. */
    private boolean isUsable(Journal journal) {
        return journal.step() != Journal.Step.PREPARING
                && Files.exists(overlay(journal.id()))
                && keys.has(journal.secret());
    }

    /** Returns where a key lies in memory until its disk is made. */
    private Path keyFile(UUID secret) {
        return places.seeds().resolve(secret + KEY_SUFFIX);
    }

    private void make(VmSpec spec, GuestImage image, UUID secret) throws IOException {
        byte[] random = new byte[KEY_BYTES];
        RANDOM.nextBytes(random);
        byte[] key = Base64.getEncoder().encode(random);
        Arrays.fill(random, (byte) 0);
        places.account().folder(folder(places, spec.id()));
        progress.took(Progress.Step.FOLDER_MADE);
        Path keyFile = keyFile(secret);
        try {
            places.account().file(keyFile, key);
            progress.took(Progress.Step.KEY_WRITTEN);
            Overlay.create(
                    overlay(spec.id()),
                    spec.shape().diskMiB(),
                    image.base().map(GuestImage.Part::file),
                    keyFile,
                    places.account());
            progress.took(Progress.Step.DISK_MADE);
            Files.deleteIfExists(keyFile);
            progress.took(Progress.Step.KEY_DELETED);
            keys.keep(spec.id(), secret, overlay(spec.id()), key);
        } finally {
            Arrays.fill(key, (byte) 0);
            Files.deleteIfExists(keyFile);
        }
    }

    /** Writes what the guest's SSH server needs where QEMU reads it. */
    Map<String, Path> seed(VmSpec spec) {
        try {
            Map<String, Path> files = seeds.write(spec);
            progress.took(Progress.Step.SEED_WRITTEN);
            return files;
        } catch (IOException e) {
            throw lacking("seed of " + spec.id(), e);
        }
    }

    /** Deletes the seed; returns whether there was one. */
    boolean unseed(RentalId id) {
        try {
            boolean there = seeds.delete(id);
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
            if (journal.isPresent()) {
                UUID secret = journal.get().secret();
                facts.put("key", keys.forget(secret) ? "undefined in libvirt" : "libvirt no longer had it");
                if (keys.has(secret)) {
                    throw new HypervisorException.NotGone(
                            "key of %s is still in libvirt: call again".formatted(id), null);
                }
                Files.deleteIfExists(keyFile(secret)); // left by a process that was cut off while it made the disk
            }
            progress.took(Progress.Step.SECRET_FORGOTTEN);
            facts.put("key store", keyStore());
            facts.put("domain log", eraseLogs(id) ? "deleted" : "none found");
            progress.took(Progress.Step.LOGS_DELETED);
            facts.put("seed", unseed(id) ? "deleted from memory" : "none found");
            facts.putAll(eraseDisk(places, id, progress));
            facts.put("journal", Journal.delete(places.journals(), id) ? "deleted" : "none found");
            progress.took(Progress.Step.JOURNAL_DELETED);
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

    private static Map<String, String> eraseDisk(Places places, RentalId id, Progress progress) throws IOException {
        Path folder = folder(places, id);
        Path overlay = folder.resolve("overlay.qcow2");
        var facts = new LinkedHashMap<String, String>();
        if (Files.isRegularFile(overlay, LinkOption.NOFOLLOW_LINKS)) {
            facts.put("disk header", "%d bytes overwritten".formatted(Overlay.shred(overlay)));
        }
        progress.took(Progress.Step.HEADER_OVERWRITTEN);
        facts.put("disk", Files.exists(folder) ? "deleted" : "none found");
        RuntimeFolder.delete(folder);
        progress.took(Progress.Step.DISK_DELETED);
        return facts;
    }

    /**
     * Erases what an earlier process left and nobody can use any more: sessions without a VM whose disk was not made to its
     * end or whose key is gone, and disks, seeds and keys that no journal names.
     */
    void sweep(Collection<RentalId> running) {
        running.forEach(this::forgetEnd); // noted, but the platform was killed before it ended them
        try {
            var wanted = new ArrayList<UUID>();
            var known = new ArrayList<>(running);
            for (RentalId id : Journal.all(places.journals())) {
                Optional<Journal> journal = journal(id);
                if (running.contains(id) || journal.filter(this::isUsable).isPresent()) {
                    journal.ifPresent(found -> wanted.add(found.secret()));
                    known.add(id);
                } else {
                    LOG.info("erasing what an earlier process left: rental={}", id);
                    erase(id);
                }
            }
            for (Path folder : List.of(places.disks(), places.seeds())) {
                for (RentalId id : named(folder)) {
                    if (!known.contains(id)) {
                        LOG.info("erasing what no journal names: rental={}", id);
                        erase(id);
                    }
                }
            }
            keys.forgetAllBut(wanted, places.disks());
            sweepFiles(places.journals(), ".new");
            sweepFiles(places.seeds(), KEY_SUFFIX);
        } catch (IOException e) {
            throw lacking("journals", e);
        }
    }

    /** Returns the rentals that files or folders of a folder are named after. */
    private static List<RentalId> named(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.matches("[0-9a-hjkmnp-tv-z]{26}"))
                    .map(RentalId::new)
                    .toList();
        }
    }

    private static void sweepFiles(Path folder, String suffix) throws IOException {
        List<Path> cutOff;
        try (Stream<Path> entries = Files.list(folder)) {
            cutOff = entries.filter(entry -> entry.toString().endsWith(suffix)).toList();
        }
        for (Path file : cutOff) {
            Files.deleteIfExists(file);
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
                eraseDisk(places, new RentalId(folder.getFileName().toString()), Progress.UNWATCHED);
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
