package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The private libvirt where things are missing, and after {@code kill -9} of the process that opened it. */
class PrivateLibvirtIT {
    private static final String STARTED = "STARTED ";

    @TempDir
    private Path scratch;

    private Path state;

    @BeforeEach
    void makeState() throws IOException {
        state = TestHost.state();
    }

    @AfterEach
    void deleteState() throws IOException {
        RuntimeFolder.delete(state);
    }

    @Test
    void open_withoutLibvirt_isUnreachableAndNamesThePackages() {
        Account account = Account.unprivileged();
        var unreachable = assertThrows(
                HypervisorException.Unreachable.class,
                () -> PrivateLibvirt.open(
                        state,
                        account,
                        RuntimeFolder.candidates(account),
                        "libvirtd-not-there",
                        InstantSource.system()));
        for (String name : List.of("libvirtd-not-there", "libvirt-daemon", "qemu-system-x86", "qemu-utils")) {
            assertTrue(unreachable.getMessage().contains(name), unreachable::getMessage);
        }
    }

    @Test
    void open_withoutMemoryFolder_isLackingAndSaysWhatToMount() {
        var lacking = assertThrows(
                HypervisorException.Lacking.class,
                () -> PrivateLibvirt.open(
                        state, Account.unprivileged(), List.of(state), "libvirtd", InstantSource.system()));
        assertTrue(lacking.getMessage().contains("mount -t tmpfs"), lacking::getMessage);
    }

    @Test
    void open_inAFolderThatIsAFile_isLacking() throws IOException {
        Path file = Files.writeString(state.resolve("file"), "in the way");
        assertThrows(HypervisorException.Lacking.class, () -> PrivateLibvirt.open(file.resolve("state")));
    }

    @Test
    void openAndClose_leaveNothing() throws IOException {
        Path runtime;
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state)) {
            runtime = libvirt.places().runtime();
            assertTrue(RuntimeFolder.tmpfs(runtime), runtime::toString);
        }
        assertFalse(Files.exists(runtime));
        assertEquals(List.of(), Processes.mentioning("", runtime.toString()));
    }

    @Test
    void killedProcess_leavesAVmThatTheNextOneTakesOverAndEnds() throws Exception {
        TestHost.images();
        RentalId id = RentalId.random();
        new TestHost.Keys(scratch.resolve("keys"), id);
        Process child = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        state.toString(),
                        scratch.resolve("keys").toString(),
                        id.value())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        boolean started = false;
        try (BufferedReader lines = child.inputReader()) {
            String line = lines.readLine();
            while (line != null && !line.startsWith(STARTED)) {
                line = lines.readLine();
            }
            started = line != null;
        } finally {
            child.destroyForcibly(); // SIGKILL
        }
        assertTrue(child.waitFor(20, TimeUnit.SECONDS));
        assertTrue(started, "the child started a VM");

        Path runtime;
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state)) {
            runtime = libvirt.places().runtime();
            try (var next = LibvirtHypervisor.privateSession(
                    libvirt, TestHost.images(), LibvirtHypervisor.Options.defaults())) {
                assertEquals(
                        List.of(id), next.list().stream().map(vm -> vm.id()).toList());
                assertTrue(next.destroy(id).facts().get("process").endsWith("gone"));
                assertEquals("undefined in libvirt", next.erase(id).facts().get("key"));
                assertEquals(List.of(), next.list());
            }
        }
        assertFalse(Files.exists(runtime));
        assertEquals(List.of(), Processes.mentioning("", runtime.toString()));
    }

    @Test
    void daemonThatIsKilled_isStartedAgain_andItsVmRunsOnWithItsEvents() throws Exception {
        RentalId id = RentalId.random();
        ImageCatalogue images = TinyGuest.images(state.resolve("images"));
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state);
                var hypervisor = LibvirtHypervisor.privateSession(libvirt, images, TinyGuest.OPTIONS)) {
            Places places = libvirt.places();
            RunningVm vm = hypervisor.start(TinyGuest.spec(id, TinyGuest.SHAPE));
            long process = Processes.read(places.domainRun().resolve(id.vmName() + ".pid"))
                    .orElseThrow();

            killDaemon(places);
            assertEquals(List.of(vm), hypervisor.list(), "found again at once");
            assertTrue(ProcessHandle.of(process).orElseThrow().isAlive());
            assertEquals(vm, hypervisor.start(TinyGuest.spec(id, TinyGuest.SHAPE)), "and not started twice");

            Hypervisor.Teardown destroyed = hypervisor.destroy(id);
            assertEquals(process + " gone", destroyed.facts().get("process"));
            hypervisor.erase(id);
            // libvirt tells of no stop of a domain that it found again; of one that it made since, it does.
            RentalId next = RentalId.random();
            hypervisor.start(TinyGuest.spec(next, TinyGuest.SHAPE));
            assertEquals("seen", hypervisor.destroy(next).facts().get("stopped event"));
            hypervisor.erase(next);
            assertEquals(List.of(), CutOffIT.leftovers(libvirt));

            killDaemon(places);
            awaitDaemon(places); // nobody calls, and yet somebody must hear of what stops
        }
    }

    @Test
    void closeWhereTheDaemonDied_endsItsVmsAllTheSame() throws Exception {
        RentalId id = RentalId.random();
        ImageCatalogue images = TinyGuest.images(state.resolve("images"));
        long process;
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state)) {
            try (var hypervisor = LibvirtHypervisor.privateSession(libvirt, images, TinyGuest.OPTIONS)) {
                hypervisor.start(TinyGuest.spec(id, TinyGuest.SHAPE));
            }
            process = Processes.read(libvirt.places().domainRun().resolve(id.vmName() + ".pid"))
                    .orElseThrow();
            killDaemon(libvirt.places());
        }
        assertTrue(ProcessHandle.of(process)
                .filter(qemu -> Processes.mentions(qemu, id.vmName()))
                .isEmpty());
    }

    private static Path pidFile(Places places) {
        return places.runtime().resolve("run/libvirtd.pid");
    }

    private static void killDaemon(Places places) {
        long daemon = Processes.read(pidFile(places)).orElseThrow();
        ProcessHandle process = ProcessHandle.of(daemon).orElseThrow();
        process.destroyForcibly(); // SIGKILL
        assertTrue(Processes.awaitEnd(process, Duration.ofSeconds(10)));
    }

    private static void awaitDaemon(Places places) {
        Instant limit = Instant.now().plusSeconds(30);
        String name = pidFile(places).toString();
        while (Processes.read(pidFile(places))
                .flatMap(ProcessHandle::of)
                .filter(process -> Processes.mentions(process, name))
                .isEmpty()) {
            assertTrue(Instant.now().isBefore(limit), "the daemon came back by itself");
            LockSupport.parkNanos(10_000_000);
        }
    }

    @Test
    void vmThatEndedWithThePlatform_isToldUntilItIsErasedOrRunsAgain() throws Exception {
        RentalId id = RentalId.random();
        new TestHost.Keys(scratch.resolve("keys"), id);
        Instant begin = Instant.now();
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state);
                LibvirtHypervisor hypervisor = hypervisor(libvirt)) {
            hypervisor.start(spec(hypervisor, scratch.resolve("keys"), id));
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(id));
        }

        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state);
                LibvirtHypervisor hypervisor = hypervisor(libvirt)) {
            assertEquals(List.of(), hypervisor.list());
            Instant ended = hypervisor.endedByPlatform(id).orElseThrow();
            assertFalse(ended.isBefore(begin), ended::toString);
            assertFalse(ended.isAfter(Instant.now()), ended::toString);
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(RentalId.random()));
            // Its destruction is no reason to forget, since the lender is still blamed or not.
            hypervisor.destroy(id);
            assertEquals(Optional.of(ended), hypervisor.endedByPlatform(id));

            // It comes up again on this host, and what happens to that VM is not the platform's doing.
            hypervisor.start(spec(hypervisor, scratch.resolve("keys"), id));
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(id));
        }

        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state);
                LibvirtHypervisor hypervisor = hypervisor(libvirt)) {
            assertTrue(hypervisor.endedByPlatform(id).isPresent());
            hypervisor.erase(id);
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(id));
        }
        try (Stream<Path> left = Files.list(state)) {
            assertEquals(
                    List.of("lock"),
                    left.map(path -> path.getFileName().toString()).toList());
        }
    }

    @Test
    void guestThatIsTurnedOff_isToldUntilItIsErased_andOneThatCrashedIsNot() throws Exception {
        RentalId id = RentalId.random();
        new TestHost.Keys(scratch.resolve("keys"), id);
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state);
                LibvirtHypervisor hypervisor = hypervisor(libvirt)) {
            Instant begin = Instant.now();
            hypervisor.start(spec(hypervisor, scratch.resolve("keys"), id));
            assertEquals(Optional.empty(), hypervisor.guestTurnedOff(id));
            // The button's event reaches the guest, which turns itself off as it would for its renter.
            stopped(libvirt, id, domain -> domain.shutdown());
            Instant off = awaitNote(hypervisor, id);
            assertFalse(off.isBefore(begin), off::toString);
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(id));
            hypervisor.destroy(id);
            assertEquals(Optional.of(off), hypervisor.guestTurnedOff(id));
            hypervisor.erase(id);
            assertEquals(Optional.empty(), hypervisor.guestTurnedOff(id));

            hypervisor.start(spec(hypervisor, scratch.resolve("keys"), id));
            long process = Processes.read(libvirt.places().domainRun().resolve(id.vmName() + ".pid"))
                    .orElseThrow();
            stopped(
                    libvirt,
                    id,
                    domain -> ProcessHandle.of(process).orElseThrow().destroyForcibly());
            hypervisor.destroy(id);
            assertEquals(Optional.empty(), hypervisor.guestTurnedOff(id));
            hypervisor.erase(id);
        }
    }

    /** Does something to a VM and waits for the event that it stopped. */
    private static void stopped(PrivateLibvirt libvirt, RentalId id, Domains.Act act) {
        try (Libvirt other = Libvirt.open(libvirt.uri())) {
            var domains = new Domains(other);
            UUID uuid = domains.identity(id);
            other.stop(uuid);
            domains.act(id, "stopping it", act);
            assertTrue(other.awaitStop(uuid, Duration.ofSeconds(60)), "it stopped");
        }
    }

    /** The hypervisor hears of it on a connection of its own, a moment later. */
    private static Instant awaitNote(LibvirtHypervisor hypervisor, RentalId id) {
        Instant limit = Instant.now().plusSeconds(20);
        Optional<Instant> noted = hypervisor.guestTurnedOff(id);
        while (noted.isEmpty() && Instant.now().isBefore(limit)) {
            LockSupport.parkNanos(10_000_000);
            noted = hypervisor.guestTurnedOff(id);
        }
        return noted.orElseThrow();
    }

    private static LibvirtHypervisor hypervisor(PrivateLibvirt libvirt) {
        return LibvirtHypervisor.privateSession(libvirt, TestHost.images(), LibvirtHypervisor.Options.defaults());
    }

    private static VmSpec spec(LibvirtHypervisor hypervisor, Path keys, RentalId id) {
        List<PciAddress> gpus = List.of(hypervisor.inventory().gpus().getLast().address());
        var access = TestHost.Keys.existing(keys, id).access();
        return new VmSpec(id, Instant.now().plusSeconds(600), TestHost.SHAPE, gpus, access);
    }

    /** The process that is killed. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            var id = new RentalId(arguments[2]);
            LibvirtHypervisor hypervisor = hypervisor(PrivateLibvirt.open(Path.of(arguments[0])));
            VmSpec spec = spec(hypervisor, Path.of(arguments[1]), id);
            System.out.println(STARTED + hypervisor.start(spec).ssh());
            System.out.flush();
            while (true) {
                LockSupport.park();
            }
        }
    }
}
