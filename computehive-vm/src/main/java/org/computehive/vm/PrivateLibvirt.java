package org.computehive.vm;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.libvirt.Domain;
import org.libvirt.LibvirtException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A libvirt of our own: the unprivileged session daemon, with everything it keeps in one private folder in memory.
 *
 * <p>Nobody else's libvirt is touched, no system service is needed, and QEMU runs without rights. Where this process is
 * root the daemon and QEMU run as the system user {@code computehive}. One process at a time uses a state folder; after
 * {@code kill -9} of that process its VMs run on until the next {@link #open} of the same folder finds them. The daemon
 * leaves by itself two minutes after its last connection and VM are gone. One that is lost while this is open is started
 * again; its VMs run on meanwhile. Thread-safe.
 */
public final class PrivateLibvirt implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PrivateLibvirt.class);
    private static final Duration END_LIMIT = Duration.ofSeconds(15);
    private static final List<String> PROGRAM_FOLDERS =
            List.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin");
    /** Keeps libvirt from starting a log daemon that would outlive us, and QEMU from leaving dumps. */
    /**
     * The filter (a capability's name in libvirt's qemu_capabilities.c) makes libvirt read a guest's processor from QEMU in
     * a few questions, not in one for each of some 400 properties. The guest is the same, and made 0.2 s sooner.
     */
    private static final String QEMU_CONF = """
            stdio_handler = "file"
            max_core = 0
            dump_guest_core = 0
            capability_filters = [ "cpu-unavailable-features" ]
            """;

    private final StateLock lock;
    private final Places places;
    private final InstantSource clock;
    private final PrivateDaemon daemon;
    private boolean closed;

    private PrivateLibvirt(StateLock lock, Places places, InstantSource clock, Path program) {
        this.lock = lock;
        this.places = places;
        this.clock = clock;
        this.daemon = new PrivateDaemon(program, places.runtime(), places.account());
    }

    /**
     * Returns the state folder that is used unless the caller says otherwise: {@code /var/lib/computehive} for root,
     * {@code ~/.local/state/computehive} for others.
     */
    public static Path defaultState() {
        if (Account.root()) {
            return Path.of("/var/lib/computehive");
        }
        String state = System.getenv("XDG_STATE_HOME");
        Path root = state != null && state.startsWith("/")
                ? Path.of(state)
                : Path.of(System.getProperty("user.home"), ".local", "state");
        return root.resolve("computehive");
    }

    /**
     * Starts the daemon, or finds the one that an earlier process left with its VMs.
     *
     * @param state a folder on disk for overlays and journals; made if it is missing. Where this process is root, the
     *     user {@code computehive} must be able to pass through every folder above it
     * @throws HypervisorException.Unreachable if libvirt is not installed or its daemon doesn't start
     * @throws HypervisorException.Lacking if there is no tmpfs, no right to a folder, or another process uses it
     */
    public static PrivateLibvirt open(Path state) {
        Account account = Account.unprivileged();
        return open(state, account, RuntimeFolder.candidates(account), "libvirtd", InstantSource.system());
    }

    static PrivateLibvirt open(Path state, Account account, List<Path> memory, String daemon, InstantSource clock) {
        Path program = program(daemon);
        Path home = state.toAbsolutePath().normalize();
        StateLock lock = StateLock.take(home);
        try {
            Path runtime = RuntimeFolder.open(home, account, memory);
            var places = new Places(
                    home.resolve("journals"),
                    home.resolve("disks"),
                    runtime,
                    runtime.resolve("cache/libvirt/qemu/log"),
                    runtime.resolve("run/libvirt/qemu/run"),
                    account,
                    Optional.empty(),
                    true);
            var libvirt = new PrivateLibvirt(lock, places, clock, program);
            try {
                libvirt.makeFolders();
                libvirt.daemon.ensureRunning();
                libvirt.endOrphans();
                return libvirt;
            } catch (IOException | RuntimeException e) {
                libvirt.undo();
                throw e;
            }
        } catch (IOException e) {
            lock.close();
            throw new HypervisorException.Lacking(
                    "the folders of a private libvirt can't be made in %s: %s".formatted(home, e), e);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static Path program(String name) {
        return PROGRAM_FOLDERS.stream()
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new HypervisorException.Unreachable(
                        "%s is not installed: install the Debian packages %s".formatted(name, Libvirt.PACKAGES), null));
    }

    /** Ends the daemon and deletes the folder of an opening that failed, unless VMs of an earlier process live there. */
    private void undo() throws IOException {
        String runtime = places.runtime().toString();
        if (!Processes.mentioning("qemu-system", runtime).isEmpty()) {
            return;
        }
        daemon.kill();
        RuntimeFolder.delete(places.runtime());
    }

    private void makeFolders() throws IOException {
        Account account = places.account();
        Path home = places.disks().getParent();
        if (home != null && !account.reaches(home)) {
            throw new HypervisorException.Lacking(
                    "user %s can't pass through every folder down to %s: use %s, or give others the right to pass (chmod o+x)"
                            .formatted(account.name(), home, defaultState()),
                    null);
        }
        account.passage(places.journals());
        account.passage(places.disks());
        for (String name : List.of("run", "config", "cache", "data", "consoles")) {
            account.folder(places.runtime().resolve(name));
        }
        // The guests' user reads these and could otherwise put a link in the way of what is written here as root.
        account.passage(places.seeds());
        account.passage(places.images());
        account.folder(places.runtime().resolve("config/libvirt"));
        Path conf = places.runtime().resolve("config/libvirt/qemu.conf");
        account.file(conf, QEMU_CONF.getBytes(StandardCharsets.US_ASCII));
    }

    /** Starts the daemon again where it was lost, for those who connect to it; its VMs have run on meanwhile. */
    synchronized void revive() {
        if (!closed) {
            daemon.ensureRunning();
        }
    }

    /** Ends QEMUs of ours that the daemon no longer knows, such as those whose daemon was killed while it made them. */
    private void endOrphans() throws IOException {
        var known = new ArrayList<Long>();
        if (Files.isDirectory(places.domainRun())) {
            try (Stream<Path> files = Files.list(places.domainRun())) {
                files.filter(file -> file.toString().endsWith(".pid"))
                        .forEach(file -> Processes.read(file).ifPresent(known::add));
            }
        }
        for (ProcessHandle process :
                Processes.mentioning("qemu-system", places.runtime().toString())) {
            if (!known.contains(process.pid())) {
                LOG.warn("ending an orphan QEMU: pid={}", process.pid());
                process.destroyForcibly();
            }
        }
    }

    /** Ends every QEMU of ours: a daemon that was lost has ended none. */
    private void endAll() {
        for (ProcessHandle process :
                Processes.mentioning("qemu-system", places.runtime().toString())) {
            LOG.warn("ending a QEMU that libvirt left: pid={}", process.pid());
            process.destroyForcibly();
            if (!Processes.awaitEnd(process, END_LIMIT)) {
                throw new HypervisorException.NotGone(
                        "QEMU (process %d) of the private libvirt still runs: end it, then delete %s"
                                .formatted(process.pid(), places.runtime()),
                        null);
            }
        }
    }

    /** Returns the address for libvirt's own tools, such as {@code virsh -c}. */
    public URI uri() {
        return URI.create("qemu+unix:///session?socket=" + places.runtime().resolve("run/libvirt/libvirt-sock"));
    }

    Places places() {
        return places;
    }

    /** Lets go of the state folder; the daemon and its VMs run on for the next {@link #open}. */
    public synchronized void detach() {
        if (!closed) {
            closed = true;
            lock.close();
        }
    }

    /**
     * Ends every VM of this libvirt, makes their disks unreadable and deletes them, ends the daemon and deletes its
     * folder in memory. Close the hypervisors on it first.
     *
     * <p>Which VMs ran is noted in the state folder before they end: {@link LibvirtHypervisor#endedByPlatform} tells it
     * after the next {@link #open} of that folder, and no lender is blamed.
     *
     * @throws HypervisorException.NotGone if something is left
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            noteGuests();
            endGuests();
            daemon.end();
            endAll();
            GuestNetworks.sweep(places.journals(), List.of());
            SessionStore.shredAll(places);
            RuntimeFolder.delete(places.runtime());
            Files.deleteIfExists(places.journals());
            Files.deleteIfExists(places.disks());
        } catch (IOException e) {
            throw new HypervisorException.NotGone(
                    "private libvirt left something behind: %s; delete %s".formatted(e, places.runtime()), e);
        } finally {
            lock.close();
        }
    }

    /** Notes the VMs that run now, as their processes show: libvirt may be gone already. */
    private void noteGuests() {
        List<ProcessHandle> processes =
                Processes.mentioning("qemu-system", places.runtime().toString());
        var ended = new EndedVms(places.ended());
        try {
            for (RentalId id : Journal.all(places.journals())) {
                if (processes.stream().anyMatch(process -> Processes.mentions(process, "guest=" + id.vmName()))) {
                    ended.note(id, clock.instant());
                }
            }
        } catch (IOException e) {
            // They end all the same: a VM that nobody watches is worse than a lender who has to ask why.
            LOG.error("not all VMs that end now could be noted in {}: {}", places.ended(), e.toString());
        }
    }

    private void endGuests() {
        if (!daemon.runs()) {
            return;
        }
        try (Libvirt libvirt = Libvirt.open(uri())) {
            libvirt.call("ending the VMs", connect -> {
                for (Domain domain : connect.listAllDomains(0)) {
                    end(domain);
                }
                return true;
            });
        } catch (HypervisorException e) {
            LOG.warn("the VMs could not be ended through libvirt: {}", e.getMessage());
        }
    }

    private static void end(Domain domain) throws LibvirtException {
        try {
            domain.destroy();
        } catch (LibvirtException e) {
            LOG.debug("a domain was gone already: {}", e.getMessage());
        } finally {
            domain.free();
        }
    }
}
