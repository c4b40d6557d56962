package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.computehive.vm.Progress.Step;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code kill -9} of the process that makes or ends a session, right after each step that it takes. */
class CutOffIT {
    private static final String REACHED = "REACHED";

    private static Path state;
    private static ImageCatalogue images;

    @BeforeAll
    static void makeImages() throws IOException {
        state = TestHost.state();
        images = TinyGuest.images(state.resolve("images"));
    }

    @AfterAll
    static void leaveNothing() throws IOException {
        Path runtime;
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state)) {
            runtime = libvirt.places().runtime();
        }
        assertEquals(List.of(), Processes.mentioning("", runtime.toString()));
        RuntimeFolder.delete(state);
    }

    /** What is left of a session when the next process has opened the same state folder. */
    enum Left {
        /** Nothing. */
        NOTHING,
        /** A disk that the next start takes. */
        DISK,
        /** A VM that the next start ends, since nobody knows how far its guest came. */
        VM,
        /** A VM that the next start takes over. */
        READY_VM
    }

    @ParameterizedTest
    @CsvSource({
        "JOURNAL_OPENED, NOTHING",
        "FOLDER_MADE, NOTHING",
        "KEY_WRITTEN, NOTHING",
        "DISK_MADE, NOTHING",
        "KEY_DELETED, NOTHING",
        "SECRET_DEFINED, NOTHING",
        "SECRET_SET, NOTHING",
        "DISK_JOURNALED, DISK",
        "SEED_WRITTEN, DISK",
        "VM_MADE, VM",
        "VM_JOURNALED, VM",
        "VM_RESUMED, VM",
        "GUEST_READY, VM",
        "SEED_DELETED, VM",
        "READY_JOURNALED, READY_VM",
        "VM_DESTROYED, DISK",
        "PROCESS_GONE, DISK",
        "SECRET_FORGOTTEN, NOTHING",
        "LOGS_DELETED, NOTHING",
        "HEADER_OVERWRITTEN, NOTHING",
        "DISK_DELETED, NOTHING",
        "JOURNAL_DELETED, NOTHING"
    })
    void killedAfter(Step step, Left expected) throws Exception {
        RentalId id = RentalId.random();
        killAChildAfter(step, id);
        VmSpec spec = TinyGuest.spec(id, TinyGuest.SHAPE);
        PrivateLibvirt libvirt = PrivateLibvirt.open(state);
        try (var next = LibvirtHypervisor.privateSession(libvirt, images, TinyGuest.OPTIONS)) {
            Places places = libvirt.places();
            boolean listed = next.list().stream().anyMatch(vm -> vm.id().equals(id));
            assertEquals(expected == Left.VM || expected == Left.READY_VM, listed);
            if (expected == Left.NOTHING) {
                assertEquals(List.of(), leftovers(libvirt));
            }
            assertEquals(List.of(), files(places.seeds(), ".key"), "no key in a file, whatever came of its disk");
            long before = process(places, id);
            Object disk = expected == Left.DISK ? inode(places, id) : "";

            // Some go on, the others give up; which, does not matter to what is left in the end.
            boolean goesOn = expected != Left.NOTHING && step.ordinal() % 2 == 0;
            if (goesOn) {
                next.start(spec);
                assertEquals(1, next.list().size());
                assertEquals(expected == Left.READY_VM, process(places, id) == before, "taken over, or begun anew");
                if (expected == Left.DISK) {
                    assertEquals(disk, inode(places, id), "the same disk");
                }
            }
            next.destroy(id);
            next.erase(id);
            assertEquals(List.of(), next.list());
            assertEquals(List.of(), leftovers(libvirt));
        } finally {
            libvirt.detach();
        }
    }

    private static long process(Places places, RentalId id) {
        return Processes.read(places.domainRun().resolve(id.vmName() + ".pid")).orElse(-1L);
    }

    private static Object inode(Places places, RentalId id) throws IOException {
        return Files.getAttribute(places.disks().resolve(id.value()).resolve("overlay.qcow2"), "unix:ino");
    }

    /** Returns everything of any session: files, keys, processes. */
    static List<String> leftovers(PrivateLibvirt libvirt) throws IOException {
        Places places = libvirt.places();
        var left = new ArrayList<String>();
        for (Path folder : List.of(places.journals(), places.disks(), places.seeds(), places.consoles())) {
            left.addAll(files(folder, ""));
        }
        left.addAll(files(places.domainLogs(), ""));
        left.addAll(files(places.domainRun(), ".xml"));
        try (Libvirt other = Libvirt.open(libvirt.uri())) {
            left.addAll(other.call("listing the keys", connect -> List.of(connect.listSecrets())));
        }
        Processes.mentioning("qemu-", places.runtime().toString()).forEach(process -> left.add("process " + process));
        return left;
    }

    private static List<String> files(Path folder, String suffix) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(Path::toString)
                    .filter(name -> name.endsWith(suffix))
                    .toList();
        }
    }

    private static void killAChildAfter(Step step, RentalId id) throws Exception {
        Process child = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        state.toString(),
                        id.value(),
                        step.name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        boolean reached;
        try (BufferedReader lines = child.inputReader()) {
            reached = REACHED.equals(lines.readLine());
        } finally {
            child.destroyForcibly(); // SIGKILL
        }
        assertTrue(child.waitFor(20, TimeUnit.SECONDS));
        assertTrue(reached, "the child came as far as " + step);
    }

    /** The process that is killed. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            Path state = Path.of(arguments[0]);
            var id = new RentalId(arguments[1]);
            Step last = Step.valueOf(arguments[2]);
            // A start begins with an erasure of nothing, which is not the one that is meant.
            boolean[] ending = {false};
            Progress progress = step -> {
                boolean meant = ending[0] || step.compareTo(Step.VM_DESTROYED) < 0;
                if (step == last && meant) {
                    System.out.println(REACHED);
                    System.out.flush();
                    while (true) {
                        LockSupport.park();
                    }
                }
            };
            PrivateLibvirt libvirt = PrivateLibvirt.open(state);
            var hypervisor = LibvirtHypervisor.watched(
                    libvirt, ImageCatalogue.in(state.resolve("images")), TinyGuest.OPTIONS, progress);
            hypervisor.start(TinyGuest.spec(id, TinyGuest.SHAPE));
            ending[0] = true;
            hypervisor.destroy(id);
            hypervisor.erase(id);
            System.out.println("ended without " + last);
        }
    }
}
