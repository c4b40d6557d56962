package org.computehive.vm;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.computehive.market.PciAddress;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.libvirt.Domain;

/**
 * Runs VMs over libvirt: transient, hardened domains with an encrypted disk, found again by their metadata.
 *
 * <p>{@link #privateSession} is the embedded default. Thread-safe: calls for one rental wait for each other, calls for
 * different rentals run side by side.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>A guest reaches what its network policy says and no more, never the host or another guest: under policy {@code NONE}
 * one loopback port leads to its SSH server and nothing leads out; under the others it has a network namespace of its own
 * and firewall rules that are in force before its first packet. The disk's key is made here, is never an argument or in a file on disk, and over a private
 * libvirt lies in memory only. The bytes of the image are compared with their digests before every start. The lender's
 * root can still read the guest's memory: that is what assurance {@code ISOLATED} means.
 */
public final class LibvirtHypervisor implements Hypervisor {
    private final Libvirt libvirt;
    private final Passthrough passthrough;
    private final Capacity capacity;
    private final SessionStore sessions;
    private final Domains domains;
    private final Ending ending;
    private final Boot boot;
    private final GuestNetworks networks;
    private final ImageCatalogue images;
    /** Who this is for a catalogue that several hypervisors use. */
    private final String holder;

    /** Ours to let go of, where we took it; a private libvirt has its own. */
    private Optional<StateLock> stateLock = Optional.empty();

    private final GpuTurnover turnover;
    private final Consoles consoles = new Consoles();
    private final Map<RentalId, StartTimes> startTimes = new ConcurrentHashMap<>();
    private final Map<RentalId, ReentrantLock> locks = new ConcurrentHashMap<>();

    private LibvirtHypervisor(
            Libvirt libvirt,
            Places places,
            ImageCatalogue images,
            Options options,
            boolean privileged,
            Progress progress) {
        this.libvirt = libvirt;
        this.images = images;
        this.holder = RuntimeFolder.mark(places.journals());
        HostFiles files = libvirt.local() ? HostFiles.local() : HostFiles.none();
        Optional<Nvml> nvml = libvirt.local() ? Nvml.installed() : Optional.empty();
        var checks = new ArrayList<HealthCheck>(List.of(new HealthCheck.Link(new Sysfs(files))));
        nvml.ifPresent(library -> checks.addAll(List.of(library, XidLog.ofKernel())));
        this.passthrough = new Passthrough(
                libvirt,
                new Passthrough.Means(
                        files,
                        privileged,
                        Passthrough.Means.DISPLAYS,
                        new Fingerprints(places.fingerprints()),
                        nvml,
                        checks));
        this.capacity = new Capacity(libvirt, places, images, options, privileged, passthrough);
        this.sessions = new SessionStore(libvirt, places, progress);
        this.domains = new Domains(libvirt);
        this.networks = new GuestNetworks(options.network(), places.account());
        this.ending = new Ending(libvirt, places, domains, sessions, consoles, progress);
        this.boot = new Boot(
                libvirt,
                places,
                options,
                domains,
                sessions,
                ending,
                networks,
                consoles,
                progress,
                capacity,
                passthrough);
        var scrubs = new ArrayList<>(options.scrubs());
        scrubs.add(new ImageScrub(libvirt, places, images, capacity));
        if (libvirt.local()) {
            CudaScrub.installed().ifPresent(scrubs::add);
        }
        this.turnover = new GpuTurnover(libvirt, passthrough, new Sysfs(files), scrubs, checks);
        libvirt.onTurnedOff(name -> sessions.noteTurnedOff(name, options.clock().instant()));
    }

    /**
     * How VMs are run.
     *
     * @param acceleration whether KVM is used
     * @param readyLimit how long a guest may take until it says that it is ready
     * @param clock the time for metadata
     * @param network what guests may have of the host's network
     * @param tuning how VMs use the host's processors, memory and disks
     * @param scrubs what overwrites gpus' memory between sessions, asked in this order; after them a guest image named
     *     {@code scrub-VENDOR}, and CUDA where the host's NVIDIA driver has the gpu
     */
    public record Options(
            Acceleration acceleration,
            Duration readyLimit,
            InstantSource clock,
            HostNetwork network,
            Tuning tuning,
            List<GpuScrub> scrubs) {
        /** Copies the list. */
        public Options {
            scrubs = List.copyOf(scrubs);
        }

        /** Returns options without scrubs of one's own. */
        public Options(
                Acceleration acceleration,
                Duration readyLimit,
                InstantSource clock,
                HostNetwork network,
                Tuning tuning) {
            this(acceleration, readyLimit, clock, network, tuning, List.of());
        }

        /** Returns options that let guests have every network policy, with {@link Tuning#defaults}. */
        public Options(Acceleration acceleration, Duration readyLimit, InstantSource clock) {
            this(acceleration, readyLimit, clock, HostNetwork.defaults(), Tuning.defaults());
        }

        /** Returns options with {@link Tuning#defaults}. */
        public Options(Acceleration acceleration, Duration readyLimit, InstantSource clock, HostNetwork network) {
            this(acceleration, readyLimit, clock, network, Tuning.defaults());
        }

        /** Returns the same with another tuning. */
        public Options tuned(Tuning other) {
            return new Options(acceleration, readyLimit, clock, network, other, scrubs);
        }

        /** Returns: KVM where it boots a kernel, two minutes for a guest, the system's clock. */
        public static Options defaults() {
            return new Options(Acceleration.PROBE, Duration.ofMinutes(2), InstantSource.system());
        }
    }

    /** Whether the processor's own virtualisation is used. */
    public enum Acceleration {
        /** KVM if it boots a kernel here, else software emulation. */
        PROBE,
        /** KVM; starts fail where it doesn't work. */
        KVM,
        /** Software emulation. */
        TCG
    }

    /**
     * Connects to a private libvirt, the embedded default.
     *
     * @param libvirt stays the caller's to close, after this
     * @throws HypervisorException.Unreachable if it doesn't answer
     */
    public static LibvirtHypervisor privateSession(PrivateLibvirt libvirt, ImageCatalogue images, Options options) {
        return watched(libvirt, images, options, Progress.UNWATCHED);
    }

    /** The same, told of each step. */
    static LibvirtHypervisor watched(
            PrivateLibvirt libvirt, ImageCatalogue images, Options options, Progress progress) {
        Libvirt connection = Libvirt.open(libvirt.uri(), libvirt::revive);
        return connected(connection, libvirt.places(), images, options, false, progress);
    }

    /**
     * Connects to a libvirt of the host's, such as {@code qemu:///system}, or of a remote host.
     *
     * <p>Over a remote address VMs can be listed and destroyed and the inventory read; to start them, run this on the
     * host itself. A system daemon keeps key material under {@code /var/lib/libvirt} and {@code /var/log/libvirt} while
     * a VM runs: put both on tmpfs, or the erased facts say that the key may have been on the disk.
     *
     * <p>Guests run as the user that the daemon gives them ({@code user} in its {@code qemu.conf}); where that is another
     * than this process's, this process must be root, to give that user its files.
     *
     * @param state a folder on disk for overlays and journals; the guests' user must be able to pass through every
     *     folder above it
     * @throws HypervisorException.Unreachable if it doesn't answer
     * @throws HypervisorException.Refused if it is a session daemon
     * @throws HypervisorException.Lacking if the folders can't be made or given to the guests' user, or another process has
     *     the state folder; one at a time uses it, until {@link #close}
     */
    public static LibvirtHypervisor connect(URI uri, Path state, ImageCatalogue images, Options options) {
        Libvirt libvirt = Libvirt.open(uri);
        StateLock lock = null;
        try {
            lock = StateLock.take(state.toAbsolutePath().normalize());
            LibvirtHypervisor hypervisor = connected(
                    libvirt,
                    SystemPlaces.open(libvirt, state),
                    images,
                    options,
                    uri.getPath().endsWith("/system"),
                    Progress.UNWATCHED);
            hypervisor.stateLock = Optional.of(lock);
            return hypervisor;
        } catch (HypervisorException e) {
            if (lock != null) {
                lock.close();
            }
            libvirt.close();
            throw e;
        }
    }

    /** Lets go of the state folder, as the kernel does for a process that ends. */
    void letGo() {
        stateLock.ifPresent(StateLock::close);
    }

    private static LibvirtHypervisor connected(
            Libvirt libvirt,
            Places places,
            ImageCatalogue images,
            Options options,
            boolean privileged,
            Progress progress) {
        var hypervisor = new LibvirtHypervisor(libvirt, places, images, options, privileged, progress);
        try {
            List<RentalId> running =
                    hypervisor.list().stream().map(RunningVm::id).toList();
            GuestNetworks.sweep(places.journals(), running);
            hypervisor.sessions.sweep(running);
            images.releaseAllBut(hypervisor.holder, Journal.all(places.journals()));
            return hypervisor;
        } catch (HypervisorException e) {
            libvirt.close();
            throw e;
        } catch (IOException e) {
            libvirt.close();
            throw new HypervisorException.Lacking(
                    "journals in %s can't be read: %s".formatted(places.journals(), e), e);
        }
    }

    @Override
    public Inventory inventory() {
        return capacity.inventory();
    }

    /**
     * Returns the host's own gpus with what the market need not know of them, and why one can't be passed through.
     *
     * @throws HypervisorException if the host can't be read
     */
    public List<HostGpu> gpus() {
        return passthrough.survey();
    }

    /**
     * Returns what this host lacks for guests whose memory is encrypted (SEV-SNP, TDX), as its libvirt says; empty if it lacks
     * nothing. Even then it promises no more than {@code ISOLATED} yet: see {@link #attest}.
     *
     * @throws HypervisorException.Unreachable if libvirt doesn't answer
     */
    public Optional<ConfidentialGap> confidentialGap() {
        return DomainCapabilities.gap(DomainCapabilities.read(libvirt.uri()));
    }

    /**
     * Refuses: by what the host lacks, or, where it lacks nothing, because no image brings the program that asks a guest's
     * hardware for a report. Without a verified report nothing here is called confidential.
     */
    @Override
    public Evidence attest(VmSpec spec, Challenge challenge) {
        String why = confidentialGap()
                .map(ConfidentialGap::message)
                .orElseGet(() ->
                        "image %s brings no program that asks its hardware for a report, so nothing could be verified"
                                .formatted(spec.shape().image()));
        throw new HypervisorException.Refused(
                "no confidential guest can be started here: %s; or list its gpus as ISOLATED".formatted(why), null);
    }

    @Override
    public Optional<Instant> endedByPlatform(RentalId id) {
        return sessions.endedByPlatform(id);
    }

    @Override
    public Optional<Instant> guestTurnedOff(RentalId id) {
        return sessions.turnedOff(id);
    }

    @Override
    public void prepare(VmSpec spec) {
        locked(spec.id(), () -> {
            if (domains.find(spec.id()).isEmpty()) {
                capacity.check(spec);
                networks.check(spec.shape().network());
                GuestImage image = image(spec);
                try {
                    sessions.prepare(spec, image);
                } catch (HypervisorException e) {
                    images.release(holder, spec.id());
                    throw e;
                }
            }
            return true;
        });
    }

    @Override
    public RunningVm start(VmSpec spec) {
        long begun = System.nanoTime();
        return locked(spec.id(), () -> {
            Optional<SessionMark> running = domains.find(spec.id());
            if (running.isPresent()) {
                boolean ready = sessions.journal(spec.id())
                        .map(journal -> journal.step() == Journal.Step.READY)
                        .orElse(false);
                if (ready) {
                    return running.get().running();
                }
                // A start that was cut off: its guest's state is unknown and its seed may be gone.
                ending.end(spec.id());
                sessions.erase(spec.id());
            }
            capacity.check(spec);
            networks.check(spec.shape().network());
            GuestImage image = image(spec);
            try {
                Journal journal = sessions.prepare(spec, image);
                Boot.Booted booted = boot.boot(spec, image, capacity.accelerated(), journal);
                startTimes.put(
                        spec.id(),
                        new StartTimes(
                                Duration.ofNanos(booted.resumed() - begun),
                                Duration.ofNanos(booted.ready() - booted.resumed()),
                                Duration.ofNanos(System.nanoTime() - booted.ready())));
                return booted.mark().running();
            } catch (HypervisorException e) {
                clearUp(spec.id(), e);
                throw e;
            }
        });
    }

    /** Returns the image, verified now, and notes that this session has it. */
    private GuestImage image(VmSpec spec) {
        String name = spec.shape().image();
        images.hold(name, holder, spec.id());
        try {
            GuestImage image = capacity.image(name);
            image.check(spec.shape().diskMiB());
            return image;
        } catch (HypervisorException e) {
            images.release(holder, spec.id());
            throw e;
        }
    }

    /** Returns where the time went when this object started a rental's VM; forgotten by {@link #erase}. */
    public Optional<StartTimes> startTimes(RentalId id) {
        return Optional.ofNullable(startTimes.get(id));
    }

    /**
     * Returns the last lines that a VM wrote to its serial console since this object started it, at most 64 KiB, until it is
     * destroyed; empty for one that another process started. They are kept in memory only. The guest writes what it likes:
     * each line is printable ASCII, and lines with its private host key are left out.
     */
    public Optional<List<String>> consoleLines(RentalId id) {
        return consoles.lines(id);
    }

    private void clearUp(RentalId id, HypervisorException why) {
        try {
            ending.end(id);
            sessions.erase(id);
            images.release(holder, id);
        } catch (HypervisorException e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public RunningVm expire(RentalId id, Instant expires) {
        return locked(id, () -> {
            SessionMark mark = domains.find(id)
                    .orElseThrow(() -> new HypervisorException.Refused(
                            "no VM %s runs here: it can't be given another end".formatted(id.vmName()), null))
                    .expiring(expires);
            domains.act(
                    id,
                    "moving the end of " + id.vmName(),
                    domain -> domain.setMetadata(
                            Domain.MetadataType.ELEMENT,
                            mark.xml(),
                            SessionMark.PREFIX,
                            SessionMark.NAMESPACE,
                            Domain.ModificationImpact.LIVE));
            return mark.running();
        });
    }

    @Override
    public Teardown destroy(RentalId id) {
        return locked(id, () -> new Teardown(ending.end(id)));
    }

    @Override
    public Teardown erase(RentalId id) {
        return locked(id, () -> {
            if (domains.find(id).isPresent()) {
                throw new HypervisorException.NotGone(
                        "VM %s still runs: destroy it before its disk is erased".formatted(id.vmName()), null);
            }
            GuestNetworks.close(id); // of a VM that ended by itself
            Teardown erased = new Teardown(sessions.erase(id));
            sessions.forgetEnd(id);
            images.release(holder, id);
            startTimes.remove(id);
            return erased;
        });
    }

    @Override
    public List<Turnover> turnOver(RentalId id, List<PciAddress> gpus) {
        return turnover.of(gpus);
    }

    @Override
    public List<RunningVm> list() {
        return domains.list();
    }

    private interface Work<T> {
        T run();
    }

    private <T> T locked(RentalId id, Work<T> work) {
        ReentrantLock lock = locks.computeIfAbsent(id, key -> new ReentrantLock());
        lock.lock();
        try {
            return work.run();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        consoles.closeAll();
        libvirt.close();
        letGo();
    }
}
