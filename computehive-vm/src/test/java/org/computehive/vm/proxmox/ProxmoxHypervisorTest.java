package org.computehive.vm.proxmox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.computehive.market.Gpu;
import org.computehive.market.MachineShape;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorContract;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.computehive.vm.internal.CloudSeed;
import org.computehive.vm.proxmox.ProxmoxSettings.Template;
import org.computehive.vm.proxmox.ProxmoxSettings.Trust;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The same contract as every hypervisor's, on a server written from the published schema; no cluster was at hand. */
class ProxmoxHypervisorTest extends HypervisorContract {
    @AutoClose
    private final FakeProxmox pve = new FakeProxmox();

    private ProxmoxSettings settings(String secret, Trust trust, Duration ready) {
        return settings(secret, trust, ready, NetworkPolicy.Kind.NONE);
    }

    private ProxmoxSettings settings(String secret, Trust trust, Duration ready, NetworkPolicy.Kind reaches) {
        var limits =
                new ProxmoxSettings.Limits(Duration.ofSeconds(5), Duration.ofSeconds(20), ready, Duration.ofMillis(5));
        return new ProxmoxSettings(
                pve.address(),
                FakeProxmox.NODE,
                new ProxmoxSettings.Token(FakeProxmox.TOKEN, secret),
                trust,
                Map.of(
                        "demo", new Template(FakeProxmox.TEMPLATE, TEMPLATE_SHA256),
                        "spoiled", new Template(FakeProxmox.SPOILED, TEMPLATE_SHA256)),
                "",
                "isos",
                new ProxmoxSettings.Network(
                        List.of("127.0.0.11", "127.0.0.12", "127.0.0.13"), 24, "127.0.0.1", pve.sshPort(), reaches),
                limits);
    }

    private static final String TEMPLATE_SHA256 = sha256();

    private static String sha256() {
        try (var fake = new FakeProxmox()) {
            JsonNode config =
                    JsonMapper.builder().build().valueToTree(new TreeMap<>(fake.configs.get(FakeProxmox.TEMPLATE)));
            return ProxmoxInventory.sha256(config);
        }
    }

    @Override
    protected Hypervisor open() {
        return ProxmoxHypervisor.connect(
                settings(FakeProxmox.SECRET, new Trust.Pinned(Set.of(pve.pin())), Duration.ofSeconds(5)));
    }

    @Override
    protected void abandon(Hypervisor hypervisor) {
        // The API knows no sessions.
    }

    @Override
    protected MachineShape shape() {
        return new MachineShape(2, 512, 4_096, "demo");
    }

    @Override
    protected String spoiledImage() {
        return "spoiled";
    }

    @Override
    protected VmSpec.GuestAccess access(RentalId id) {
        return new VmSpec.GuestAccess("host key\nof two lines\n", "host certificate", "user authority", id.principal());
    }

    private VmSpec started(Hypervisor hypervisor) {
        VmSpec spec = spec(hypervisor, shape());
        hypervisor.start(spec);
        return spec;
    }

    private int vmid(VmSpec spec) {
        return pve.configs.entrySet().stream()
                .filter(vm -> spec.id().vmName().equals(vm.getValue().get("name")))
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    @Test
    void startedVm_isACloneWithAMappedGpuAndNoSeedLeft() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = started(hypervisor);
            Map<String, String> config = pve.configs.get(vmid(spec));
            assertEquals("mapping=h100-a,pcie=1,rombar=0", config.get("hostpci0"));
            assertEquals("none,media=cdrom", config.get("ide2"));
            assertEquals("computehive", config.get("tags"));
            assertEquals("2", config.get("cores"));
            assertEquals(Map.of(), pve.seeds, "the seed holds the host's private key");
            String erased = hypervisor.destroy(spec.id()).facts() + " "
                    + hypervisor.erase(spec.id()).facts();
            assertTrue(erased.contains("not overwritten"), erased);
            assertEquals(Set.of(FakeProxmox.TEMPLATE, FakeProxmox.SPOILED), pve.configs.keySet());
        }
    }

    @Test
    void inventory_saysWhyAMappingCanNotBeRented() {
        try (Hypervisor hypervisor = open()) {
            List<Gpu> gpus = hypervisor.inventory().gpus();
            assertEquals(
                    List.of("0000:41:00.0", "0000:42:00.0", "0000:44:00.0"),
                    gpus.stream().map(gpu -> gpu.address().value()).toList());
            assertEquals(Optional.empty(), gpus.get(0).unavailable());
            assertTrue(gpus.get(1).unavailable().orElseThrow().contains("2 devices"));
            assertTrue(gpus.get(2).unavailable().orElseThrow().contains("IOMMU"));
            VmSpec good = spec(hypervisor, shape());
            var bad = new VmSpec(
                    good.id(), good.expires(), good.shape(), List.of(new PciAddress("0000:42:00.0")), good.access());
            assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(bad));
        }
    }

    @Test
    void turnOver_neverReleasesAGpuThatNobodyScrubbed() {
        try (Hypervisor hypervisor = open()) {
            var turned = hypervisor.turnOver(RentalId.random(), List.of(new PciAddress("0000:41:00.0")));
            assertFalse(turned.getFirst().available());
        }
    }

    @Test
    void server_withAnotherKey_isNotBelieved_andGetsNoToken() {
        var pins = new Trust.Pinned(Set.of("00".repeat(32)));
        var refused = assertThrows(
                HypervisorException.Unreachable.class,
                () -> ProxmoxHypervisor.connect(settings(FakeProxmox.SECRET, pins, Duration.ofSeconds(1))));
        assertTrue(String.valueOf(refused.getMessage()).contains("certificate"), refused::getMessage);
        assertEquals(List.of(), pve.requests);
    }

    @Test
    void server_ofAnAuthority_mustHaveTheAddressesName() throws Exception {
        String pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
                .formatted(Base64.getMimeEncoder().encodeToString(pve.certificate.getEncoded()));
        assertThrows(
                HypervisorException.Unreachable.class,
                () -> ProxmoxHypervisor.connect(
                        settings(FakeProxmox.SECRET, new Trust.Authority(pem), Duration.ofSeconds(1))));
        assertEquals(List.of(), pve.requests);
    }

    @Test
    void unknownToken_isNamedWithoutItsSecret() {
        var pins = new Trust.Pinned(Set.of(pve.pin()));
        String secret = "11111111-2222-3333-4444-555555555555";
        ProxmoxSettings settings = settings(secret, pins, Duration.ofSeconds(1));
        var refused = assertThrows(HypervisorException.Lacking.class, () -> ProxmoxHypervisor.connect(settings));
        assertTrue(String.valueOf(refused.getMessage()).contains(FakeProxmox.TOKEN), refused::getMessage);
        assertFalse(refused.toString().contains(secret) || settings.toString().contains(secret));
    }

    @Test
    void answers_ofEveryKind_areTypedByWhatTheCallerCanDo() {
        try (Hypervisor hypervisor = open()) {
            pve.failures.put(
                    "GET /nodes/pve1/qemu", new FakeProxmox.Answer(403, "{\"message\":\"Permission check failed\"}"));
            assertInstanceOf(HypervisorException.Lacking.class, failure(hypervisor));
            for (int code : new int[] {595, 596, 599, 502, 503, 0}) {
                pve.failures.put("GET /nodes/pve1/qemu", new FakeProxmox.Answer(code, ""));
                assertInstanceOf(HypervisorException.Unreachable.class, failure(hypervisor), "code " + code);
            }
            pve.failures.put("GET /nodes/pve1/qemu", new FakeProxmox.Answer(200, "<html>"));
            assertInstanceOf(HypervisorException.Unreachable.class, failure(hypervisor));
            pve.failures.put("GET /nodes/pve1/qemu", new FakeProxmox.Answer(302, ""));
            assertInstanceOf(HypervisorException.Unreachable.class, failure(hypervisor));
            assertEquals(List.of(), hypervisor.list());
        }
    }

    private static HypervisorException failure(Hypervisor hypervisor) {
        return assertThrows(HypervisorException.class, hypervisor::list);
    }

    @Test
    void taskThatFails_leavesNothingBehind() {
        try (Hypervisor hypervisor = open()) {
            for (String kind : List.of("qmclone", "resize", "qmstart", "imgcopy")) {
                pve.taskFailures.put(kind, "storage 'local' is full");
                VmSpec spec = spec(hypervisor, shape());
                var failed = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.start(spec), kind);
                assertTrue(String.valueOf(failed.getMessage()).contains("is full"), failed::getMessage);
                assertEquals(Set.of(FakeProxmox.TEMPLATE, FakeProxmox.SPOILED), pve.configs.keySet(), kind);
                assertEquals(Map.of(), pve.seeds, kind);
            }
        }
    }

    @Test
    void stopThatFails_isNotTakenForAStoppedVm() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = started(hypervisor);
            pve.taskFailures.put("qmstop", "got timeout");
            assertThrows(HypervisorException.class, () -> hypervisor.destroy(spec.id()));
            assertEquals(1, hypervisor.list().size());
            hypervisor.destroy(spec.id());
            pve.taskFailures.put("qmdestroy", "storage is not online");
            assertThrows(HypervisorException.class, () -> hypervisor.erase(spec.id()));
            hypervisor.erase(spec.id());
        }
    }

    @Test
    void lockedVm_isWaitedFor() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = started(hypervisor);
            pve.lockedFor = 3;
            assertEquals(
                    Instant.EPOCH, hypervisor.expire(spec.id(), Instant.EPOCH).expires());
        }
    }

    @Test
    void guestThatNeverAnswers_isGoneAfterItsTime() {
        pve.guestsAnswer = false;
        try (Hypervisor hypervisor = ProxmoxHypervisor.connect(
                settings(FakeProxmox.SECRET, new Trust.Pinned(Set.of(pve.pin())), Duration.ofMillis(50)))) {
            VmSpec spec = spec(hypervisor, shape());
            assertThrows(HypervisorException.GuestFailed.class, () -> hypervisor.start(spec));
            assertEquals(Set.of(FakeProxmox.TEMPLATE, FakeProxmox.SPOILED), pve.configs.keySet());
            assertEquals(Map.of(), pve.seeds);
        }
    }

    @Test
    void startThatWasCutOff_isStartedAnew() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = started(hypervisor);
            Map<String, String> config = pve.configs.get(vmid(spec));
            config.put("description", config.get("description").replace("\"ready\":true", "\"ready\":false"));
            config.put("mark", "of the first");
            assertEquals(spec.id(), hypervisor.start(spec).id());
            assertFalse(pve.configs.get(vmid(spec)).containsKey("mark"));
            assertEquals(1, hypervisor.list().size());
        }
    }

    @Test
    void vmOfSomebodyElse_withOurNameOrTag_isNeitherListedNorTouched() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shape());
            pve.configs.put(
                    500,
                    new TreeMap<>(Map.of("name", spec.id().vmName(), "tags", "computehive", "description", "mine")));
            hypervisor.start(spec);
            assertEquals(1, hypervisor.list().size());
            hypervisor.destroy(spec.id());
            hypervisor.erase(spec.id());
            assertTrue(pve.configs.containsKey(500));
            pve.configs.remove(500);
        }
    }

    @Test
    void addresses_whenAllAreTaken_areNamedAsTheLack() {
        try (Hypervisor hypervisor = open()) {
            for (int i = 0; i < 3; i++) {
                started(hypervisor);
            }
            VmSpec fourth = spec(hypervisor, shape());
            var lacking = assertThrows(HypervisorException.Lacking.class, () -> hypervisor.start(fourth));
            assertTrue(String.valueOf(lacking.getMessage()).contains("3 addresses"), lacking::getMessage);
        }
    }

    @Test
    void disk_isAsLargeAsTheListingSays_andNeverSmallerThanTheTemplates() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = started(hypervisor);
            assertTrue(pve.configs.get(vmid(spec)).get("scsi0").endsWith(",size=4096M"), pve.configs::toString);
            VmSpec same = spec(hypervisor, new MachineShape(2, 512, 2_048, "demo"));
            pve.requests.clear();
            hypervisor.prepare(same);
            assertTrue(pve.requests.stream().noneMatch(call -> call.endsWith("/resize")), pve.requests::toString);
            VmSpec small = spec(hypervisor, new MachineShape(2, 512, 2_047, "demo"));
            var refused = assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(small));
            assertTrue(String.valueOf(refused.getMessage()).contains("2048 MiB"), refused::getMessage);
        }
    }

    @Test
    void prepareWhoseDiskCanNotGrow_leavesNothing() {
        try (Hypervisor hypervisor = open()) {
            pve.taskFailures.put("resize", "no space left");
            VmSpec spec = spec(hypervisor, shape());
            assertThrows(HypervisorException.Lacking.class, () -> hypervisor.prepare(spec));
            assertEquals(Set.of(FakeProxmox.TEMPLATE, FakeProxmox.SPOILED), pve.configs.keySet());
        }
    }

    @Test
    void bootDisk_isTheFirstOfTheOrder_elseTheFirstThereIs() {
        var sizes = Map.of(
                "local:x,size=2G",
                2_048L,
                "size=10T,local:x",
                10L << 20,
                "local:x,size=1500K,ssd=1",
                2L,
                "local:x,size=1",
                1L);
        sizes.forEach((disk, mib) -> assertEquals(new BootDisk("virtio0", mib), disk(Map.of("virtio0", disk)), disk));
        var two = Map.of("scsi0", "a,size=1G", "scsi1", "b,size=3G", "ide2", "c,media=cdrom,size=4M");
        assertEquals(new BootDisk("scsi0", 1_024), disk(two));
        var ordered = new TreeMap<>(two);
        ordered.put("boot", "order=ide2;net0;scsi1;scsi0");
        assertEquals(new BootDisk("scsi1", 3_072), disk(ordered), "a CD is no disk");
        assertThrows(HypervisorException.Refused.class, () -> disk(Map.of("scsi0", "a,ssd=1")));
        assertThrows(HypervisorException.Refused.class, () -> disk(Map.of("efidisk0", "a,size=4M")));
    }

    private static BootDisk disk(Map<String, String> config) {
        return BootDisk.of(JsonMapper.builder().build().valueToTree(config));
    }

    @Test
    void policy_thatTheBridgeIsNotFilteredFor_isRefused_andNothingIsMade() {
        var list = NetworkPolicy.restricted(List.of(NetworkPolicy.Destination.tcp("192.0.2.0/24", 443)));
        for (NetworkPolicy.Kind reaches : List.of(NetworkPolicy.Kind.NONE, NetworkPolicy.Kind.INTERNET)) {
            var trust = new Trust.Pinned(Set.of(pve.pin()));
            try (Hypervisor hypervisor =
                    ProxmoxHypervisor.connect(settings(FakeProxmox.SECRET, trust, Duration.ofSeconds(5), reaches))) {
                for (NetworkPolicy policy : List.of(NetworkPolicy.NONE, NetworkPolicy.INTERNET, list)) {
                    VmSpec spec = spec(hypervisor, new MachineShape(2, 512, 4_096, "demo", policy));
                    if (policy.kind() == reaches) {
                        String said = hypervisor.start(spec).facts().get("network");
                        assertEquals(
                                reaches == NetworkPolicy.Kind.NONE ? ProxmoxInventory.NETWORK : policy.words(), said);
                        hypervisor.destroy(spec.id());
                        hypervisor.erase(spec.id());
                        continue;
                    }
                    for (var call :
                            List.<java.util.function.Consumer<VmSpec>>of(hypervisor::prepare, hypervisor::start)) {
                        var refused = assertThrows(HypervisorException.Refused.class, () -> call.accept(spec));
                        String message = String.valueOf(refused.getMessage());
                        assertTrue(message.contains(policy.kind() + " can't be enforced"), message);
                    }
                }
                assertEquals(Set.of(FakeProxmox.TEMPLATE, FakeProxmox.SPOILED), pve.configs.keySet());
            }
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> new ProxmoxSettings.Network(List.of("127.0.0.11"), 24, "", 22, NetworkPolicy.Kind.RESTRICTED));
    }

    @Test
    void values_fromOutside_stayInFilesOfTheirOwn() {
        var evil = "a\"\n- runcmd: [rm]\n$(id) ;";
        RentalId id = RentalId.random();
        var spec = new VmSpec(
                id, Instant.EPOCH, shape(), List.of(), new VmSpec.GuestAccess(evil, evil, evil, id.principal()));
        var network = new ProxmoxSettings.Network(List.of("127.0.0.11"), 24, "", 22, NetworkPolicy.Kind.NONE);
        Map<String, String> files = CloudSeed.filesWithKeys(spec, network.place("127.0.0.11"));
        for (String read : List.of("user-data", "meta-data", "network-config")) {
            assertFalse(files.get(read).contains("[rm]"), files.get(read));
        }
        assertEquals(evil, files.get("host-key"));
        assertEquals(
                files.get("user-data"),
                CloudSeed.files(RentalId.random(), network.place("127.0.0.12")).get("user-data"));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ProxmoxSettings.Network(List.of("10.0.0.1\", \"x"), 24, "", 22, NetworkPolicy.Kind.NONE));
        assertThrows(IllegalArgumentException.class, () -> new ProxmoxSettings.Token("a@b!c", "x\r\nHost: evil"));
    }
}
