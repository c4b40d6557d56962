package org.computehive.vm;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.market.PciAddress;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

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
    private final Lifecycle lifecycle;

    /** Ours to let go of, where we took it; a private libvirt has its own. */
    private Optional<StateLock> stateLock = Optional.empty();

    private final GpuTurnover turnover;
    private final Consoles consoles = new Consoles();

    private LibvirtHypervisor(
            Libvirt libvirt,
            Places places,
            ImageCatalogue images,
            Options options,
            boolean privileged,
            Progress progress) {
        this.libvirt = libvirt;
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
        var networks = new GuestNetworks(options.network(), places.account());
        var ending = new Ending(libvirt, places, domains, sessions, consoles, progress);
        var boot = new Boot(
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
        var admission = new Admission(capacity, networks, images, RuntimeFolder.mark(places.journals()));
        this.lifecycle = new Lifecycle(admission, domains, sessions, boot, ending);
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
            images.releaseAllBut(RuntimeFolder.mark(places.journals()), Journal.all(places.journals()));
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
        lifecycle.prepare(spec);
    }

    @Override
    public RunningVm start(VmSpec spec) {
        return lifecycle.start(spec);
    }

    /** Returns where the time went when this object started a rental's VM; forgotten by {@link #erase}. */
    public Optional<StartTimes> startTimes(RentalId id) {
        return lifecycle.startTimes(id);
    }

    /**
     * Returns the last lines that a VM wrote to its serial console since this object started it, at most 64 KiB, until it is
     * destroyed; empty for one that another process started. They are kept in memory only. The guest writes what it likes:
     * each line is printable ASCII, and lines with its private host key are left out.
     */
    public Optional<List<String>> consoleLines(RentalId id) {
        return consoles.lines(id);
    }

    @Override
    public RunningVm expire(RentalId id, Instant expires) {
        return lifecycle.expire(id, expires);
    }

    @Override
    public Teardown destroy(RentalId id) {
        return lifecycle.destroy(id);
    }

    @Override
    public Teardown erase(RentalId id) {
        return lifecycle.erase(id);
    }

    @Override
    public List<Turnover> turnOver(RentalId id, List<PciAddress> gpus) {
        return turnover.of(gpus);
    }

    @Override
    public List<RunningVm> list() {
        return domains.list();
    }

    @Override
    public void close() {
        consoles.closeAll();
        libvirt.close();
        letGo();
    }
}
