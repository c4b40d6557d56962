package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.UUID;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.Turnover;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.libvirt.Domain;

/** Passthrough, turnover and their failures on a host with an IOMMU, whose gpus are disks: see {@link GpuHost}. */
class PassthroughIT {
    private static final PciAddress LONE = new PciAddress("0000:01:00.0");
    private static final PciAddress WITH_SOUND = new PciAddress("0000:02:00.0");
    private static final PciAddress SOUND = new PciAddress("0000:02:00.1");
    private static final PciAddress SHARED = new PciAddress("0000:03:00.0");
    private static final PciAddress SHARED_TOO = new PciAddress("0000:03:00.1");
    private static final PciAddress BOOT_DISPLAY = new PciAddress("0000:00:07.0");
    private static final PciAddress HOST_DISK = new PciAddress("0000:00:02.0");
    private static final PciAddress NOTHING = new PciAddress("0000:1f:00.0");
    private static final List<String> CLASSES = List.of("0108", "03");
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private static GpuHost host;
    private static Libvirt libvirt;

    @TempDir
    private Path folder;

    private Passthrough passthrough;
    private Map<PciAddress, Optional<String>> drivers;

    @BeforeAll
    static void boot() throws IOException {
        host = GpuHost.boot();
        libvirt = Libvirt.open(host.uri());
    }

    @AfterAll
    static void shutDown() throws IOException {
        libvirt.close();
        host.close();
    }

    @BeforeEach
    void open() {
        passthrough = passthrough(host.files());
        drivers = drivers();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(Map.of(), passthrough.users());
        assertEquals(drivers, drivers(), "every function is bound to what it was bound to");
    }

    private Passthrough passthrough(HostFiles files) {
        return new Passthrough(
                libvirt,
                new Passthrough.Means(
                        files, true, CLASSES, new Fingerprints(folder), Optional.empty(), List.of(link(files))));
    }

    private static HealthCheck link(HostFiles files) {
        return new HealthCheck.Link(new Sysfs(files));
    }

    private GpuTurnover turnover(String... scrubs) {
        return new GpuTurnover(
                libvirt,
                passthrough,
                new Sysfs(host.files()),
                List.of(scrubs).stream().map(PassthroughIT::scrub).toList(),
                List.of(link(host.files())));
    }

    private static GpuScrub scrub(String kernel) {
        return new ScrubGuest(
                libvirt,
                host.files(),
                new ScrubGuest.Guest("1b36", kernel, Optional.empty(), "", false, 64, "/run", LIMIT));
    }

    private Map<PciAddress, Optional<String>> drivers() {
        var drivers = new TreeMap<PciAddress, Optional<String>>(
                (one, two) -> one.value().compareTo(two.value()));
        passthrough.functions().values().forEach(function -> drivers.put(function.at(), function.driver()));
        return drivers;
    }

    /** A VM that looks into block 8 of each of its disks and then writes its name there. */
    private record Tenant(String name, UUID uuid) {
        String console() {
            return "/run/" + name + ".console";
        }
    }

    private static Tenant start(String name, List<PciAddress> functions) {
        var tenant = new Tenant(name, UUID.randomUUID());
        libvirt.stop(tenant.uuid());
        String xml = Xml.document("domain", List.of("type", "qemu"), domain -> {
            domain.text("name", name).text("uuid", tenant.uuid().toString());
            domain.text("memory", "64", "unit", "MiB").text("vcpu", "1");
            domain.element(
                    "os",
                    List.of(),
                    os -> os.text("type", "hvm", "arch", "x86_64", "machine", "q35")
                            .text("kernel", "/tenant")
                            .text("cmdline", name));
            domain.element("features", List.of(), features -> features.element("acpi"));
            domain.text("on_poweroff", "destroy").text("on_reboot", "destroy").text("on_crash", "destroy");
            domain.element("devices", List.of(), devices -> {
                devices.element("controller", "type", "usb", "model", "none");
                devices.element("memballoon", "model", "none");
                devices.element(
                        "serial",
                        List.of("type", "file"),
                        serial -> serial.element("source", "path", tenant.console()));
                for (PciAddress function : functions) {
                    Passthrough.hostdev(devices, function, OptionalInt.of(1 + functions.indexOf(function)));
                }
            });
        });
        try {
            libvirt.call("making the VM", connect -> {
                connect.domainCreateXML(xml, 0).free();
                return true;
            });
        } catch (HypervisorException e) {
            libvirt.forget(tenant.uuid());
            throw e;
        }
        return tenant;
    }

    /** Runs a tenant to its end and returns what it said. */
    private String tenant(String name, PciAddress... gpus) throws IOException {
        Tenant tenant = start(name, passthrough.claim(List.of(gpus)));
        assertTrue(libvirt.awaitStop(tenant.uuid(), LIMIT), "it powers itself off");
        String said = host.files().text(tenant.console());
        assertTrue(said.endsWith("guest: wrote"), said);
        return said;
    }

    private static Turnover only(List<Turnover> turnovers) {
        assertEquals(1, turnovers.size());
        return turnovers.getFirst();
    }

    private HostGpu gpu(PciAddress at) {
        return passthrough.survey().stream()
                .filter(gpu -> gpu.gpu().address().equals(at))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void survey_saysWhatGoesTogether_andWhatCannotBeHadWhy() {
        HostGpu lone = gpu(LONE);
        assertEquals(Optional.empty(), lone.obstacle());
        assertEquals(List.of(LONE), lone.functions());
        assertEquals(Optional.of("nvme"), lone.driver());
        assertEquals(List.of("flr", "bus"), lone.resetMethods());
        assertTrue(lone.gpu().iommuGroup().isPresent());
        assertFalse(lone.gpu().emulated());

        HostGpu withSound = gpu(WITH_SOUND);
        assertEquals(Optional.empty(), withSound.obstacle());
        assertEquals(List.of(WITH_SOUND, SOUND), withSound.functions());

        var notViable = assertInstanceOf(
                Obstacle.NotViable.class, gpu(SHARED).obstacle().orElseThrow());
        assertTrue(notViable.others().getFirst().startsWith(SHARED_TOO.value()), notViable::message);
        assertEquals(
                Optional.of(new Obstacle.BootDisplay(true)), gpu(BOOT_DISPLAY).obstacle());
        assertEquals(
                Optional.of(new Obstacle.HostUses(List.of("the file system at /"))),
                gpu(HOST_DISK).obstacle());
    }

    @Test
    void survey_overLibvirtAlone_takesTheFirstDisplayForTheHosts() {
        HostGpu display = passthrough(HostFiles.none()).find(BOOT_DISPLAY);
        assertEquals(Optional.of(new Obstacle.BootDisplay(false)), display.obstacle());
    }

    @Test
    void claim_ofWhatCannotBeHad_isRefusedAndLeavesEverythingAsItWas() throws IOException {
        var refusals = Map.of(
                NOTHING, "not on this host",
                SOUND, "no gpu",
                BOOT_DISPLAY, "booted with",
                SHARED, SHARED_TOO.value(),
                HOST_DISK, "file system at /");
        for (Map.Entry<PciAddress, String> refusal : refusals.entrySet()) {
            List<PciAddress> wanted = List.of(LONE, refusal.getKey());
            var refused = assertThrows(HypervisorException.Refused.class, () -> passthrough.claim(wanted));
            String message = String.valueOf(refused.getMessage());
            assertTrue(message.contains(refusal.getKey().value()), message);
            assertTrue(message.contains(refusal.getValue()), message);
        }
        assertEquals(Map.of(), passthrough.users());
        assertEquals(drivers, drivers());
    }

    @Test
    void partOfAGroup_isRefusedByTheHostToo_andGoesBackToItsDriver() {
        assertThrows(HypervisorException.class, () -> start("part", List.of(SHARED)));
    }

    @Test
    void reset_leavesTheLastTenantsBytes_andAScrubDoesNot() throws IOException {
        assertFalse(tenant("first-tenant", LONE).contains("first-tenant"));

        Turnover unclean = only(turnover().of(List.of(LONE)));
        assertFalse(unclean.available());
        assertTrue(unclean.why().contains("there is no scrub"), unclean::why);
        String second = tenant("second-tenant", LONE);
        assertTrue(second.contains("a disk holds: first-tenant"), "it was reset, and no more: " + second);

        // A scrub that was cut off by a crash of ours still has the gpu: it is ended and done again.
        start(ScrubGuest.vmName(LONE), new ArrayList<>(gpu(LONE).functions()));
        Turnover clean = only(turnover("/scrub").of(List.of(LONE)));
        assertTrue(clean.available(), clean::why);
        assertTrue(clean.why().contains("reset (flr)"), clean::why);
        assertTrue(clean.why().contains((1 << 20) + " bytes overwritten"), clean::why);
        String third = tenant("third-tenant", LONE);
        assertTrue(third.contains("a disk holds: \n"), third);
    }

    @Test
    void twoGpus_oneWithASoundFunction_goIntoOneVm_andAreTurnedOver() throws IOException {
        String said = tenant("two", LONE, WITH_SOUND);
        assertTrue(said.contains("disks and sound: 21"), said);
        List<Turnover> turnovers = turnover("/scrub").of(List.of(LONE, WITH_SOUND));
        assertEquals(
                List.of(LONE, WITH_SOUND), turnovers.stream().map(Turnover::gpu).toList());
        assertTrue(turnovers.stream().allMatch(Turnover::available), turnovers::toString);
    }

    @Test
    void gpuOfARunningVm_isNeitherGivenNorTurnedOver_andComesBackWhenItsQemuIsKilled() throws IOException {
        Tenant holder = start("hold", passthrough.claim(List.of(WITH_SOUND)));
        host.await(holder.console(), "guest: wrote");

        var second = assertThrows(HypervisorException.Refused.class, () -> passthrough.claim(List.of(WITH_SOUND)));
        assertTrue(String.valueOf(second.getMessage()).contains("VM hold has it"), second::toString);
        assertThrows(
                HypervisorException.class, () -> start("racer", List.of(WITH_SOUND, SOUND)), "libvirt refuses as well");
        assertThrows(
                HypervisorException.NotGone.class,
                () -> turnover("/scrub").of(List.of(WITH_SOUND)),
                "a turnover waits until nobody has it");
        assertEquals("hold", passthrough.users().get(SOUND), "the first tenant keeps it");

        host.run("kill -9 $(cat /run/libvirt/qemu/hold.pid)");
        assertTrue(libvirt.awaitStop(holder.uuid(), LIMIT));
        assertEquals(drivers, drivers(), "back with its driver");
        assertTrue(only(turnover("/scrub").of(List.of(WITH_SOUND))).available());
        assertFalse(tenant("next", WITH_SOUND).contains("holds: hold"));
    }

    @Test
    void sessionsOwnDomain_withEncryptedDiskSeedAndGpu_runs_andTheGpuIsTurnedOver() throws IOException {
        var id = RentalId.random();
        var secret = UUID.randomUUID();
        var uuid = UUID.randomUUID();
        var keys = new DiskKeys(libvirt, Progress.UNWATCHED);
        Path overlay = Path.of("/run/overlay.qcow2");
        byte[] key = "bm90IGEga2V5LCBidXQgYXMgbG9uZyBhcyBvbmUgaXM=".getBytes(StandardCharsets.US_ASCII);
        host.put(encrypted(key), overlay.toString());
        host.run("echo a host key > /run/seed-host");
        keys.keep(id, secret, overlay, key);
        try {
            libvirt.stop(uuid);
            String xml = domain(id, uuid, secret, overlay, passthrough.claim(List.of(LONE)));
            libvirt.once("making the VM", connect -> {
                connect.domainCreateXML(xml, Domain.CreateFlags.PAUSED).free();
                return true;
            });
            assertEquals(Map.of(LONE, id.vmName()), passthrough.users());
            assertEquals(
                    Optional.of("vfio-pci"), passthrough.functions().get(LONE).driver());
            SessionMark mark = new Domains(libvirt).find(id).orElseThrow();
            assertEquals(List.of(LONE), mark.devices(), "what its end looks for");
            new Domains(libvirt).act(id, "starting the processors", Domain::resume);
            assertTrue(libvirt.awaitStop(uuid, LIMIT), "it powers itself off");
        } finally {
            new Domains(libvirt).act(id, "ending it", Domain::destroy);
            keys.forget(secret);
        }
        String second = tenant("second-tenant", LONE);
        assertTrue(second.contains("a disk holds: own-domain"), "its guest had the gpu: " + second);
        Turnover clean = only(turnover("/scrub").of(List.of(LONE)));
        assertTrue(clean.available(), clean::why);
        assertTrue(tenant("third-tenant", LONE).contains("a disk holds: \n"));
    }

    /** Returns a disk as sessions have it. */
    private byte[] encrypted(byte[] key) throws IOException {
        Path file = folder.resolve("overlay.qcow2");
        Path keyFile = Files.write(folder.resolve("key"), key);
        Overlay.create(file, 16, Optional.empty(), keyFile, new Account(System.getProperty("user.name"), true));
        return Files.readAllBytes(file);
    }

    /**
     * The description that sessions are made of, for a guest that writes "own-domain" to each of its disks. It uses the
     * firmware's drivers, and firmware leaves alone what has no place in the order: both disks get one.
     */
    private static String domain(RentalId id, UUID uuid, UUID secret, Path overlay, List<PciAddress> devices) {
        var link = new GuestLink.Forwarded(2200);
        var facts = Map.of("gpus", devices.getFirst().value());
        return new DomainModel(
                        new SessionMark(id, 1, Instant.parse("2031-01-01T00:00:00Z"), link.ssh(), facts),
                        link,
                        uuid,
                        false,
                        1,
                        128,
                        Optional.of(Path.of("/tenant")),
                        Optional.of(Path.of("/run/seed-host")),
                        "own-domain",
                        overlay,
                        Optional.empty(),
                        secret,
                        Path.of("/run/own.console"),
                        Map.of("opt/computehive/host", Path.of("/run/seed-host")),
                        Optional.empty(),
                        false,
                        devices,
                        Resources.of(Tuning.defaults(), false, List.of()),
                        Optional.empty(),
                        Optional.empty())
                .xml()
                .replace("<rom bar=\"off\">", "<boot order=\"1\"></boot><rom bar=\"off\">")
                .replace("<target dev=\"vda\"", "<boot order=\"2\"></boot><target dev=\"vda\"");
    }

    @Test
    void gpuWithOtherFirmware_isQuarantined_andRefused() throws IOException {
        passthrough.claim(List.of(LONE));
        Path first = folder.resolve("0000-01-00.0.properties");
        String text = Files.readString(first);
        assertTrue(text.contains("firmware=sha256 "), text);
        Files.writeString(first, text.replace("firmware=sha256 ", "firmware=sha256 00"));

        Turnover changed = only(turnover("/scrub").of(List.of(LONE)));
        assertFalse(changed.available());
        assertTrue(changed.why().contains("firmware was sha256 00"), changed::why);
        assertThrows(HypervisorException.Refused.class, () -> passthrough.claim(List.of(LONE)));
    }

    @Test
    void gpuThatWasNeverSeenBefore_isQuarantined() {
        Turnover unknown = only(turnover("/scrub").of(List.of(LONE)));
        assertFalse(unknown.available());
        assertTrue(unknown.why().contains("not known"), unknown::why);
    }

    @Test
    void scrubThatDoesNotSayThatItIsDone_quarantines_andAGpuThatVfioHadBeforeStaysWithIt() throws IOException {
        passthrough.claim(List.of(LONE));
        String device = "/sys/bus/pci/devices/" + LONE;
        host.run(
                "echo vfio-pci > %1$s/driver_override; echo %2$s > %1$s/driver/unbind; echo %2$s > /sys/bus/pci/drivers_probe"
                        .formatted(device, LONE));
        try {
            assertEquals(Optional.of("vfio-pci"), gpu(LONE).driver());
            Turnover silent = only(turnover("/tenant").of(List.of(LONE)));
            assertFalse(silent.available());
            assertTrue(silent.why().contains("without saying that it is done"), silent::why);
            assertEquals(Optional.of("vfio-pci"), gpu(LONE).driver(), "no driver of the host's met it");
        } finally {
            host.run(
                    "echo > %1$s/driver_override; echo %2$s > %1$s/driver/unbind; echo %2$s > /sys/bus/pci/drivers_probe"
                            .formatted(device, LONE));
        }
    }
}
