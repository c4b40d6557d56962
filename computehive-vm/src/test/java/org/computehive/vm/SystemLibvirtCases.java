package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.computehive.market.MachineShape;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.HypervisorContract;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The contract and more over {@code qemu:///system}; {@link SystemLibvirtIT} runs it where that is a throw-away one. */
class SystemLibvirtCases extends HypervisorContract {
    private static final URI SYSTEM = URI.create("qemu:///system");
    private static final Path LOGS = Path.of("/var/log/libvirt/qemu");
    private static final Path LIBRARY = Path.of("/var/lib/libvirt/qemu");

    private static Path work;
    private static Path demoImages;
    private static Path state;
    private static boolean keysInMemory;
    private static ImageCatalogue images;

    /** Runs all cases or one; arguments: a folder, where keys lie, the images, the case's name or nothing. */
    public static void main(String[] arguments) {
        work = Path.of(arguments[0]);
        demoImages = Path.of(arguments[2]);
        keysInMemory = arguments[1].equals("memory");
        var selector = arguments.length < 4 || arguments[3].isEmpty()
                ? selectClass(SystemLibvirtCases.class)
                : selectMethod(SystemLibvirtCases.class, arguments[3]);
        var listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selector)
                                .build(),
                        listener);
        var summary = listener.getSummary();
        summary.printFailuresTo(new PrintWriter(System.out, true), 60);
        System.out.printf(
                "system libvirt: keys=%s tests=%d failed=%d skipped=%d ms=%d%n",
                arguments[1],
                summary.getTestsStartedCount(),
                summary.getTotalFailureCount(),
                summary.getTestsSkippedCount(),
                summary.getTimeFinished() - summary.getTimeStarted());
        System.out.flush();
        Runtime.getRuntime().halt(summary.getTotalFailureCount() == 0 ? 0 : 1);
    }

    @BeforeAll
    static void makeCatalogue() throws IOException {
        state = work.resolve("state");
        Path demo = demoImages.resolve(DemoImage.NAME);
        images = ImageCatalogue.in(Files.createDirectory(work.resolve("images")));
        for (String copy : List.of(DemoImage.NAME, "spoiled")) {
            Path to = Files.createDirectory(images.folder().resolve(copy));
            for (String name : List.of("kernel", "initrd", "image.properties")) {
                Files.copy(demo.resolve(name), to.resolve(name));
            }
        }
        Files.writeString(images.folder().resolve("spoiled/initrd"), "not what the manifest says");
    }

    private static LibvirtHypervisor connect(Path folder) {
        return LibvirtHypervisor.connect(
                SYSTEM,
                folder,
                images,
                new LibvirtHypervisor.Options(
                        LibvirtHypervisor.Acceleration.TCG, Duration.ofMinutes(3), InstantSource.system()));
    }

    @Override
    protected Hypervisor open() {
        return connect(state);
    }

    @Override
    protected void abandon(Hypervisor hypervisor) {
        // Its connection stays open and unused; the kernel takes the lock of a process that is killed.
        ((LibvirtHypervisor) hypervisor).letGo();
    }

    @Override
    protected MachineShape shape() {
        return TestHost.SHAPE;
    }

    @Override
    protected String spoiledImage() {
        return "spoiled";
    }

    @Override
    protected VmSpec.GuestAccess access(RentalId id) {
        try {
            return new TestHost.Keys(work.resolve("keys").resolve(id.value()), id).access();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void session_isTheGuestsUsers_andItsFactsSayWhereTheKeyLay() throws Exception {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shape());
            RunningVm vm = hypervisor.start(spec);
            var client = TestHost.Keys.existing(
                    work.resolve("keys").resolve(spec.id().value()), spec.id());
            Tool.Outcome said = client.ssh("user", "renter", vm.ssh().getPort(), "hostname");
            assertEquals(spec.id().vmName(), said.lastLines());

            Path pidFile = Path.of("/run/libvirt/qemu").resolve(spec.id().vmName() + ".pid");
            Path process = Path.of("/proc", Files.readString(pidFile).strip());
            assertEquals("libvirt-qemu", Files.getOwner(process).getName(), "QEMU has no rights");
            for (String file : List.of("kernel", "initrd")) {
                Path image = images.folder().resolve(DemoImage.NAME).resolve(file);
                assertEquals("root", Files.getOwner(image).getName(), "QEMU can't change what others boot");
            }
            Path disk = state.resolve("disks").resolve(spec.id().value());
            assertEquals("rwx------", permissions(disk));
            assertEquals("libvirt-qemu", Files.getOwner(disk).getName());

            // Someone with the daemon's files can rebuild the key while the VM runs: that is what the facts admit.
            Path log = LOGS.resolve(spec.id().vmName() + ".log");
            byte[] key = LeakedKey.rebuild(LIBRARY, log);
            Path rotated = Files.copy(log, LOGS.resolve(spec.id().vmName() + ".log.0"));
            assertEquals(keysInMemory, RuntimeFolder.tmpfs(LOGS));

            hypervisor.destroy(spec.id());
            Hypervisor.Teardown erased = hypervisor.erase(spec.id());
            boolean honest = keysInMemory
                    ? String.valueOf(erased.facts().get("key store")).startsWith("was in memory")
                    : "may have been on the host's disk".equals(erased.facts().get("key store"));
            assertTrue(honest, erased.toString());
            assertEquals("undefined in libvirt", erased.facts().get("key"));
            assertEquals("deleted", erased.facts().get("domain log"));
            assertFalse(Files.exists(log));
            assertFalse(Files.exists(rotated), "nor what the log daemon rotated away");
            assertFalse(Files.exists(disk));
            assertEquals(List.of(), LeakedKey.filesWith(key, LOGS, LIBRARY, state));
            assertEquals(List.of(), secrets());
        }
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static List<String> secrets() {
        try (Libvirt libvirt = Libvirt.open(SYSTEM)) {
            return libvirt.call("listing the keys", connect -> List.of(connect.listSecrets()));
        }
    }

    @Test
    void prepare_onADiskThatIsTooSmallOrFull_isLackingAndLeavesNothing() throws IOException {
        Path tiny = Files.createDirectory(work.resolve("tiny"));
        mount("mount", "-t", "tmpfs", "-o", "size=3m,mode=755", "tmpfs", tiny.toString());
        try (Hypervisor hypervisor = connect(tiny)) {
            VmSpec spec = spec(hypervisor, shape());
            for (int turn = 0; turn < 2; turn++) {
                var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.start(spec));
                String message = String.valueOf(lacking.getMessage());
                for (String part : List.of("64 MiB", "68 MiB", tiny.toString(), "has 2 MiB free")) {
                    assertTrue(message.contains(part), message);
                }
            }
            assertNothingIn(tiny);

            Path ballast = tiny.resolve("ballast");
            assertThrows(IOException.class, () -> fill(ballast));
            var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.prepare(spec));
            assertTrue(String.valueOf(lacking.getMessage()).contains("0 MiB of " + tiny), lacking::getMessage);
            Files.delete(ballast);
            assertNothingIn(tiny);
            assertEquals(List.of(), hypervisor.list());
        } finally {
            mount("umount", tiny.toString());
        }
    }

    private static void fill(Path file) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            byte[] block = "no room ".repeat(512).getBytes(StandardCharsets.US_ASCII);
            for (int written = 0; written < 8 << 20; written += block.length) {
                out.write(block);
            }
        }
    }

    private static void mount(String... argv) {
        Tool.Outcome outcome = Tool.run(List.of(argv), Duration.ofSeconds(10), "mount");
        assertTrue(outcome.succeeded(), outcome::toString);
    }

    private static void assertNothingIn(Path folder) throws IOException {
        for (String name : List.of("journals", "disks")) {
            try (Stream<Path> left = Files.list(folder.resolve(name))) {
                assertEquals(List.of(), left.toList());
            }
        }
        assertEquals(List.of(), secrets());
    }

    @Test
    void stateFolder_isOneEnginesAtATime() {
        try (Hypervisor first = open()) {
            var lacking = assertThrows(HypervisorException.Lacking.class, () -> connect(state));
            String message = String.valueOf(lacking.getMessage());
            assertTrue(message.contains(state + ", this very process"), message);
            assertEquals(List.of(), first.list(), "the first one goes on");
        }
        open().close();
    }

    @Test
    void connect_toASessionDaemon_isRefused() {
        var refused = assertThrows(
                HypervisorException.class,
                () -> LibvirtHypervisor.connect(
                                URI.create("qemu:///session"), state, images, LibvirtHypervisor.Options.defaults())
                        .close());
        assertTrue(String.valueOf(refused.getMessage()).contains("qemu:///s"), refused::getMessage);
    }
}
