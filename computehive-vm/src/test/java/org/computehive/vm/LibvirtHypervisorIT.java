package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.market.Assurance;
import org.computehive.market.GuestPlatform;
import org.computehive.market.MachineShape;
import org.computehive.rental.Challenge;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.HypervisorContract;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract and more over a private libvirt, with real guests. */
class LibvirtHypervisorIT extends HypervisorContract {
    /** What the guest writes to its disk. */
    private static final String MARKER = "a-word-of-the-renters-4f1c9b77";

    @TempDir
    private static Path keys;

    private static Path state;
    private static ImageCatalogue images;
    private static PrivateLibvirt libvirt;

    @BeforeAll
    static void openLibvirt() throws IOException {
        ImageCatalogue demo = TestHost.images();
        state = TestHost.state();
        // A catalogue with the demo image and two that must not come up.
        Path folder = Files.createDirectory(state.resolve("images"));
        images = ImageCatalogue.in(folder);
        copy(demo.folder().resolve(DemoImage.NAME), folder.resolve(DemoImage.NAME));
        copy(demo.folder().resolve(DemoImage.NAME), folder.resolve("spoiled"));
        Files.writeString(folder.resolve("spoiled/initrd"), "not what the manifest says");
        Files.createDirectory(folder.resolve("rootless"));
        Files.copy(folder.resolve("demo/kernel"), folder.resolve("rootless/kernel"));
        Files.writeString(folder.resolve("rootless/initrd"), "no initial RAM disk");
        Files.writeString(
                folder.resolve("rootless/image.properties"),
                "kernel=kernel\nkernel.sha256=%s\ninitrd=initrd\ninitrd.sha256=%s\n"
                        .formatted(
                                ImageCatalogue.sha256(folder.resolve("rootless/kernel")),
                                ImageCatalogue.sha256(folder.resolve("rootless/initrd"))));
        libvirt = PrivateLibvirt.open(state);
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        for (String name : List.of("kernel", "initrd", "image.properties")) {
            Files.copy(from.resolve(name), to.resolve(name));
        }
    }

    @AfterAll
    static void closeLibvirt() throws IOException {
        Path runtime = libvirt.places().runtime();
        libvirt.close();
        assertFalse(Files.exists(runtime), "the folder in memory is gone");
        assertEquals(List.of(), Processes.mentioning("", runtime.toString()), "no process is left");
        try (Stream<Path> left = Files.list(state)) {
            assertEquals(
                    List.of("images", "lock"),
                    left.map(path -> path.getFileName().toString()).sorted().toList());
        }
        RuntimeFolder.delete(state);
    }

    private static LibvirtHypervisor hypervisor(Duration readyLimit) {
        return LibvirtHypervisor.privateSession(
                libvirt,
                images,
                new LibvirtHypervisor.Options(
                        LibvirtHypervisor.Acceleration.PROBE, readyLimit, InstantSource.system()));
    }

    @Override
    protected Hypervisor open() {
        return hypervisor(Duration.ofMinutes(3));
    }

    @Override
    protected void abandon(Hypervisor hypervisor) {
        // Its connection stays open and unused, as that of a process that hangs; nothing here holds on to it, and yet
        // the events of the VMs to come must not find it collected.
        System.gc();
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
            return new TestHost.Keys(keys.resolve(id.value()), id).access();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void session_withRealSshClient_seesItsDeviceAndNothingOfTheHost_andLeavesNoByteOfItsKey() throws Exception {
        try (Hypervisor hypervisor = open()) {
            long begin = System.nanoTime();
            VmSpec spec = spec(hypervisor, shape());
            var client = keysOf(spec);
            long asked = System.nanoTime();
            hypervisor.prepare(spec);
            long prepared = System.nanoTime();
            RunningVm vm = hypervisor.start(spec);
            long ready = System.nanoTime();
            int port = vm.ssh().getPort();

            Instant loggingIn = Instant.now();
            Tool.Outcome session = client.ssh(
                    "user",
                    "renter",
                    port,
                    "id -un; hostname; ls /etc/motd; lspci; mount | grep /home/renter; echo " + MARKER
                            + " > ~/note; cat ~/note; sync; echo clock:$(date +%s); "
                            + "nc -w 3 10.0.2.2 " + port + " < /dev/null; echo host:$?; "
                            + "nc -w 3 10.0.2.3 53 < /dev/null; echo dns:$?; "
                            + "cat /sys/firmware/qemu_fw_cfg/by_name/opt/computehive/host/raw; echo seed:$?");
            long answered = System.nanoTime();
            assertTrue(session.succeeded(), session::toString);
            String said = session.lastLines();
            long clock = Long.parseLong(said.replaceAll("(?s).*clock:(\\d+).*", "$1"));
            assertTrue(clock >= loggingIn.getEpochSecond() - 2, () -> "not far behind: " + clock);
            assertTrue(clock <= Instant.now().getEpochSecond() + 2, () -> "not far ahead: " + clock);
            assertTrue(said.startsWith("renter\n" + spec.id().vmName() + "\n"), said);
            assertTrue(said.contains("/etc/motd: No such file"), said);
            assertTrue(said.contains("Display controller"), said);
            assertTrue(said.contains("/dev/vda on /home/renter type ext4 (rw,nosuid,nodev"), said);
            assertTrue(said.contains(MARKER), said);
            assertFalse(said.contains("host:0"), said);
            assertFalse(said.contains("dns:0"), said);
            assertFalse(said.contains("seed:0"), said);

            assertFalse(client.ssh("stranger", "renter", port, "id").succeeded(), "another rental's principal");
            assertFalse(client.ssh("user", "root", port, "id").succeeded(), "root");
            assertTrue(vm.facts().getOrDefault("gpus", "").endsWith("(emulated)"), vm::toString);

            Places places = libvirt.places();
            Path log = places.domainLogs().resolve(spec.id().vmName() + ".log");
            byte[] key = LeakedKey.rebuild(places.runtime(), log);
            Path overlay = places.disks().resolve(spec.id().value()).resolve("overlay.qcow2");
            Path copy = Files.copy(overlay, keys.resolve("copy-" + spec.id() + ".qcow2"));
            assertTrue(LeakedKey.opens(copy, key, keys), "the rebuilt key is the right one");
            byte[] written = MARKER.getBytes(StandardCharsets.US_ASCII);
            assertEquals(List.of(), LeakedKey.filesWith(written, places.disks(), places.runtime()), "not in the clear");
            byte[] raw = Base64.getDecoder().decode(key);

            long ending = System.nanoTime();
            Hypervisor.Teardown destroyed = hypervisor.destroy(spec.id());
            long gone = System.nanoTime();
            Hypervisor.Teardown erased = hypervisor.erase(spec.id());
            long clean = System.nanoTime();
            assertEquals("seen", destroyed.facts().get("stopped event"));
            assertTrue(destroyed.facts().get("process").endsWith(" gone"), destroyed::toString);
            assertEquals("free", destroyed.facts().get("port " + port));
            assertEquals("undefined in libvirt", erased.facts().get("key"));
            assertNotEquals("0 bytes overwritten", erased.facts().get("disk header"));
            assertEquals("deleted", erased.facts().get("disk"));
            assertEquals("deleted", erased.facts().get("domain log"));
            assertTrue(hypervisor.turnOver(spec.id(), spec.gpus()).getFirst().available());
            assertTrue(Overlay.shred(copy) > 0);
            assertFalse(LeakedKey.opens(copy, key, keys), "without its header even the right key opens nothing");
            Files.delete(copy);
            assertFalse(Files.exists(overlay));
            assertEquals(List.of(), LeakedKey.filesWith(key, places.runtime(), state));
            assertEquals(List.of(), LeakedKey.filesWith(raw, places.runtime(), state));
            assertEquals(List.of(), LeakedKey.filesWith(written, places.runtime(), state));
            assertThrows(IOException.class, () -> LeakedKey.rebuild(places.runtime(), log), "it can't be rebuilt");
            System.out.printf(
                    "figures: inventory+keys %d ms, prepare %d ms, start to ready %d ms, ssh command %d ms, destroy %d ms, erase %d ms%n",
                    ms(begin, asked),
                    ms(asked, prepared),
                    ms(prepared, ready),
                    ms(ready, answered),
                    ms(ending, gone),
                    ms(gone, clean));
        }
    }

    private static long ms(long from, long to) {
        return (to - from) / 1_000_000;
    }

    private static TestHost.Keys keysOf(VmSpec spec) {
        return TestHost.Keys.existing(keys.resolve(spec.id().value()), spec.id());
    }

    @Test
    void platformOfTheHost_namesTheBytesAndTheKernelOfItsImage() throws Exception {
        try (Hypervisor hypervisor = open()) {
            GuestPlatform platform = hypervisor.inventory().platform();
            GuestPlatform.Image image = platform.image(DemoImage.NAME).orElseThrow();
            Path folder = images.folder().resolve(DemoImage.NAME);
            assertEquals(
                    Map.of(
                            "kernel", ImageCatalogue.sha256(folder.resolve("kernel")),
                            "initrd", ImageCatalogue.sha256(folder.resolve("initrd"))),
                    image.sha256());
            String version = image.software().getOrDefault("kernel", "");
            assertEquals(Set.of("qemu", "libvirt"), platform.software().keySet());

            VmSpec spec = spec(hypervisor, shape());
            RunningVm vm = hypervisor.start(spec);
            assertEquals(version, vm.facts().get("kernel version"));
            Tool.Outcome said = keysOf(spec).ssh("user", "renter", vm.ssh().getPort(), "uname -r");
            assertEquals(version, said.lastLines().strip(), "what the running kernel says of itself");
        }
    }

    @Test
    void start_ofAGuestThatCannotBoot_failsWithItsConsoleAndLeavesNothing() throws IOException {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, new MachineShape(1, 256, 16, "rootless"));
            var failed = assertThrows(HypervisorException.GuestFailed.class, () -> hypervisor.start(spec));
            assertTrue(failed.getMessage().contains("panic"), failed::getMessage);
            assertNothingLeft(hypervisor);
        }
    }

    @Test
    void start_ofAGuestThatIsTooSlow_failsAtTheLimitAndLeavesNothing() throws IOException {
        try (Hypervisor hypervisor = hypervisor(Duration.ofMillis(300))) {
            VmSpec spec = spec(hypervisor, shape());
            var failed = assertThrows(HypervisorException.GuestFailed.class, () -> hypervisor.start(spec));
            assertTrue(failed.getMessage().contains("not ready within"), failed::getMessage);
            assertNothingLeft(hypervisor);
        }
    }

    @Test
    void prepare_ofADiskThatDoesNotFit_isLackingAndLeavesNothing() throws IOException {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, new MachineShape(1, 256, 67_108_864, DemoImage.NAME));
            var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.prepare(spec));
            assertTrue(lacking.getMessage().contains("67108864 MiB"), lacking::getMessage);
            assertNothingLeft(hypervisor);
        }
    }

    @Test
    void start_withASeedOverItsLimit_isRefusedAndLeavesNothing() throws IOException {
        try (Hypervisor hypervisor = open()) {
            VmSpec good = spec(hypervisor, shape());
            var access = new VmSpec.GuestAccess(
                    good.access().hostKey(), "x".repeat(20_000), good.access().userAuthorities(), "p");
            var spec = new VmSpec(good.id(), Instant.now(), good.shape(), good.gpus(), access);
            var refused = assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(spec));
            assertTrue(refused.getMessage().contains("host-cert"), refused::getMessage);
            assertNothingLeft(hypervisor);
        }
    }

    @Test
    void confidentialGuest_isRefusedWithWhatTheHostLacks() throws IOException {
        try (LibvirtHypervisor hypervisor = hypervisor(Duration.ofMinutes(2))) {
            VmSpec isolated = spec(hypervisor, shape());
            var access = VmSpec.GuestAccess.confidential(isolated.access().userAuthorities(), "renter");
            var spec = new VmSpec(isolated.id(), isolated.expires(), isolated.shape(), isolated.gpus(), access);
            var challenge = new Challenge(spec.id(), "0".repeat(64), "authority", "authority", "renter");
            assertEquals(Assurance.ISOLATED, hypervisor.inventory().assurance());
            var refused = assertThrows(HypervisorException.Refused.class, () -> hypervisor.attest(spec, challenge));
            String missing =
                    hypervisor.confidentialGap().map(ConfidentialGap::message).orElse("no program that asks");
            assertTrue(refused.getMessage().contains(missing), refused::getMessage);
            assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(spec));
            assertNothingLeft(hypervisor);
        }
    }

    private static void assertNothingLeft(Hypervisor hypervisor) throws IOException {
        assertEquals(List.of(), hypervisor.list());
        Places places = libvirt.places();
        for (Path folder : List.of(places.disks(), places.journals(), places.seeds(), places.consoles())) {
            try (Stream<Path> left = Files.list(folder)) {
                assertEquals(List.of(), left.toList());
            }
        }
    }

    @Test
    void open_ofAStateFolderInUse_isLacking() {
        var lacking = assertThrows(HypervisorException.Lacking.class, () -> PrivateLibvirt.open(state));
        assertTrue(lacking.getMessage().contains(state.toString()), lacking::getMessage);
    }
}
