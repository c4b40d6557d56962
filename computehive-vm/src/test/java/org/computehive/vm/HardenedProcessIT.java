package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.computehive.market.MachineShape;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.Hypervisor.Teardown;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What QEMU's process may do and has, as the kernel says; what a tuning gives it; and what odd input leaves behind. */
class HardenedProcessIT {
    private Path state;

    @BeforeEach
    void makeState() throws IOException {
        state = TestHost.state();
    }

    @AfterEach
    void deleteState() throws IOException {
        RuntimeFolder.delete(state);
    }

    private interface Use {
        void of(PrivateLibvirt libvirt, LibvirtHypervisor hypervisor) throws IOException;
    }

    private void with(Path folder, LibvirtHypervisor.Options options, Use use) throws IOException {
        ImageCatalogue images = TinyGuest.images(state.resolve("images"));
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(folder);
                var hypervisor = LibvirtHypervisor.privateSession(libvirt, images, options)) {
            use.of(libvirt, hypervisor);
            assertEquals(List.of(), hypervisor.list());
            assertEquals(List.of(), CutOffIT.leftovers(libvirt));
        }
    }

    private static long process(PrivateLibvirt libvirt, RentalId id) {
        return Processes.read(libvirt.places().domainRun().resolve(id.vmName() + ".pid"))
                .orElseThrow();
    }

    private static String proc(long process, String file) throws IOException {
        return Files.readString(Path.of("/proc", Long.toString(process), file), StandardCharsets.ISO_8859_1);
    }

    private static String field(String text, String name) {
        return text.lines()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip())
                .findFirst()
                .orElse("none");
    }

    @Test
    void process_isSandboxedWithoutRightsOrDumps_andItsEndIsProvedByFacts() throws IOException {
        with(state, TinyGuest.OPTIONS, (libvirt, hypervisor) -> {
            RentalId id = RentalId.random();
            RunningVm vm = hypervisor.start(TinyGuest.spec(id, TinyGuest.SHAPE));
            long process = process(libvirt, id);
            String arguments = proc(process, "cmdline").replace('\0', ' ');
            for (String part : List.of(
                    "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                    "-machine pc-q35-",
                    "usb=off",
                    "dump-guest-core=off",
                    "mem-merge=off",
                    "-nodefaults",
                    "-display none",
                    "-no-user-config",
                    "restrict=on",
                    "\"max-bytes\":16384,\"period\":1000")) {
                assertTrue(arguments.contains(part), () -> part + " in " + arguments);
            }
            // Whole words of QEMU's: two letters may stand in a rental's id.
            for (String part : List.of(
                    "balloon", "usb-", "-spice", "-vnc", "intel-hda", "-virtfs", "-fsdev", "virtio-9p", "vhost-user")) {
                assertFalse(arguments.contains(part), () -> part + " in " + arguments);
            }
            String status = proc(process, "status");
            assertEquals("2", field(status, "Seccomp:"), "a filter of system calls");
            assertEquals("0000000000000000", field(status, "CapEff:"));
            assertEquals("1", field(status, "NoNewPrivs:"));
            assertFalse(field(status, "Uid:").startsWith("0"), status);
            assertTrue(field(proc(process, "limits"), "Max core file size").matches("0 +0 +bytes"));

            assertEquals(
                    List.of(Console.READY + " at once"),
                    hypervisor.consoleLines(id).orElseThrow());
            StartTimes times = hypervisor.startTimes(id).orElseThrow();
            assertTrue(times.guestBoot().compareTo(Duration.ZERO) > 0, times::toString);

            Teardown destroyed = hypervisor.destroy(id);
            assertEquals(process + " gone", destroyed.facts().get("process"));
            assertTrue(destroyed.facts().getOrDefault("memory", "").matches("[1-9][0-9]* MiB returned"));
            assertEquals("free", destroyed.facts().get("port " + vm.ssh().getPort()));
            assertEquals("seen", destroyed.facts().get("stopped event"));
            assertEquals(Optional.empty(), hypervisor.consoleLines(id));
            hypervisor.erase(id);
            assertEquals(Optional.empty(), hypervisor.startTimes(id));
        });
    }

    @Test
    void memoryThatMustBeLocked_isWhereTheKernelAllowsIt_andOtherwiseLacking() throws IOException {
        Tuning tuning = Tuning.defaults().locking(Tuning.MemoryLock.ALWAYS);
        with(state, TinyGuest.OPTIONS.tuned(tuning), (libvirt, hypervisor) -> {
            VmSpec spec = TinyGuest.spec(RentalId.random(), TinyGuest.SHAPE);
            if (MemoryLocking.allowed(false, spec.shape().memoryMiB())) {
                assertEquals(
                        "one node, not shared, locked",
                        hypervisor.start(spec).facts().get("memory"));
                String status = proc(process(libvirt, spec.id()), "status");
                long locked = Long.parseLong(field(status, "VmLck:").replaceAll("\\D", ""));
                assertTrue(locked >= 128 * 1_024, () -> locked + " KiB are locked");
                hypervisor.destroy(spec.id());
                hypervisor.erase(spec.id());
            } else {
                var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.start(spec));
                assertTrue(String.valueOf(lacking.getMessage()).contains("128 MiB may not be locked"));
            }
        });
    }

    @Test
    void tunedVms_haveProcessorsOfTheirOwnAndDiskLimits() throws IOException {
        Tuning tuning = Tuning.defaults().pinnedTo(List.of(0, 1)).limiting(Tuning.DiskLimits.of(10_000_000, 500));
        with(state, TinyGuest.OPTIONS.tuned(tuning), (libvirt, hypervisor) -> {
            VmSpec first = TinyGuest.spec(RentalId.random(), TinyGuest.SHAPE);
            VmSpec second = TinyGuest.spec(RentalId.random(), TinyGuest.SHAPE);
            VmSpec third = TinyGuest.spec(RentalId.random(), TinyGuest.SHAPE);
            RunningVm vm = hypervisor.start(first);
            hypervisor.start(second);
            assertEquals("one node, not shared", vm.facts().get("memory"));
            assertEquals(
                    vm.facts().get("memory"),
                    hypervisor.inventory().platform().layout().get("memory"));
            assertEquals(List.of("0"), processors(process(libvirt, first.id())));
            assertEquals(List.of("1"), processors(process(libvirt, second.id())));
            String live = xml(libvirt, first.id());
            assertTrue(live.contains("<total_bytes_sec>10000000</total_bytes_sec>"), live);
            assertTrue(live.contains("<total_iops_sec>500</total_iops_sec>"), live);

            var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.start(third));
            assertTrue(String.valueOf(lacking.getMessage()).contains("0 of [0, 1] are free"), lacking::getMessage);
            hypervisor.destroy(first.id());
            hypervisor.start(third);
            assertEquals(List.of("0"), processors(process(libvirt, third.id())), "what another left");
            for (VmSpec spec : List.of(first, second, third)) {
                hypervisor.destroy(spec.id());
                hypervisor.erase(spec.id());
            }
        });
    }

    /** Returns where the virtual processors may run. */
    private static List<String> processors(long process) throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(process), "task"))) {
            return threads.filter(thread -> read(thread.resolve("comm")).startsWith("CPU "))
                    .map(thread -> field(read(thread.resolve("status")), "Cpus_allowed_list:"))
                    .toList();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    private static String xml(PrivateLibvirt libvirt, RentalId id) {
        try (Libvirt other = Libvirt.open(libvirt.uri())) {
            return other.call("reading a domain", connect -> {
                var domain = connect.domainLookupByName(id.vmName());
                try {
                    return domain.getXMLDesc(0);
                } finally {
                    domain.free();
                }
            });
        }
    }

    @Test
    void foldersWithMetacharacters_holdASessionLikeAnyOther() throws IOException {
        Path odd = Files.createDirectory(state.resolve("<a> & 'b', \"c\"; $(d) %s"));
        with(odd, TinyGuest.OPTIONS, (libvirt, hypervisor) -> {
            RentalId id = RentalId.random();
            hypervisor.start(TinyGuest.spec(id, TinyGuest.SHAPE));
            hypervisor.destroy(id);
            hypervisor.erase(id);
        });
    }

    @Test
    void guestThatNeverAnswers_isAGuestThatFailed() throws IOException {
        var options = new LibvirtHypervisor.Options(
                TinyGuest.OPTIONS.acceleration(), Duration.ofMillis(500), TinyGuest.OPTIONS.clock());
        with(state, options, (libvirt, hypervisor) -> {
            VmSpec spec = TinyGuest.spec(RentalId.random(), shape(TinyGuest.MUTE));
            var failed = assertThrows(HypervisorException.GuestFailed.class, () -> hypervisor.start(spec));
            assertTrue(String.valueOf(failed.getMessage()).contains("not ready within"), failed::getMessage);
        });
    }

    private static MachineShape shape(String image) {
        return new MachineShape(1, 128, 16, image);
    }

    @Test
    void oddRequests_areRefusedByTypeAndLeaveNothing() throws IOException {
        with(state, TinyGuest.OPTIONS, (libvirt, hypervisor) -> {
            for (String image : List.of("../state", "/etc", "..", "tiny/../tiny", "<tiny>", "tiny\n")) {
                assertThrows(
                        RuntimeException.class,
                        () -> hypervisor.start(TinyGuest.spec(RentalId.random(), shape(image))),
                        image);
                assertEquals(List.of(), CutOffIT.leftovers(libvirt), image);
            }
            VmSpec good = TinyGuest.spec(RentalId.random(), TinyGuest.SHAPE);
            for (String seed : List.of("", " ", "x".repeat(16_384))) {
                var access = new VmSpec.GuestAccess(seed, "certificate", "authority", "renter");
                var spec = new VmSpec(good.id(), good.expires(), good.shape(), good.gpus(), access);
                for (boolean start : new boolean[] {false, true}) {
                    var refused = assertThrows(HypervisorException.Refused.class, () -> {
                        if (start) {
                            hypervisor.start(spec);
                        } else {
                            hypervisor.prepare(spec);
                        }
                    });
                    assertTrue(String.valueOf(refused.getMessage()).contains("seed host"), refused::getMessage);
                }
                assertEquals(List.of(), CutOffIT.leftovers(libvirt));
            }
            var refused =
                    assertThrows(HypervisorException.Refused.class, () -> hypervisor.expire(good.id(), good.expires()));
            assertTrue(String.valueOf(refused.getMessage()).contains(good.id().vmName()));
        });
    }

    @Test
    void memoryFolderThatIsFull_isLackingAndLeavesNothing() throws IOException {
        assertTrue(Account.root(), "a file system of its own needs root: run this test as root");
        // Short: libvirt makes sockets below it, whose paths have at most 107 characters.
        Path memory = Files.createDirectory(
                Path.of("/run", "ch" + Long.toString(ProcessHandle.current().pid(), 36)));
        Tool.Outcome mounted = Tool.run(
                List.of("mount", "-t", "tmpfs", "-o", "size=4m,mode=711", "tmpfs", memory.toString()),
                Duration.ofSeconds(10),
                "mount");
        assertTrue(mounted.succeeded(), mounted::toString);
        try {
            ImageCatalogue images = TinyGuest.images(state.resolve("images"));
            try (PrivateLibvirt libvirt = PrivateLibvirt.open(
                            state, Account.unprivileged(), List.of(memory), "libvirtd", TinyGuest.OPTIONS.clock());
                    var hypervisor = LibvirtHypervisor.privateSession(libvirt, images, TinyGuest.OPTIONS)) {
                VmSpec spec = TinyGuest.spec(RentalId.random(), TinyGuest.SHAPE);
                hypervisor.start(spec); // it has been asked what it can do, and keeps that
                hypervisor.destroy(spec.id());
                hypervisor.erase(spec.id());
                Path ballast = memory.resolve("ballast");
                assertThrows(IOException.class, () -> Files.write(ballast, new byte[8 << 20]));
                var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.start(spec));
                assertTrue(String.valueOf(lacking.getMessage()).contains("free"), lacking::getMessage);
                Files.delete(ballast);
                assertEquals(List.of(), CutOffIT.leftovers(libvirt));
                hypervisor.start(spec);
                hypervisor.destroy(spec.id());
                hypervisor.erase(spec.id());
            }
        } finally {
            Tool.Outcome unmounted =
                    Tool.run(List.of("umount", "-l", memory.toString()), Duration.ofSeconds(10), "mount");
            assertTrue(unmounted.succeeded(), unmounted::toString);
            Files.delete(memory);
        }
    }
}
