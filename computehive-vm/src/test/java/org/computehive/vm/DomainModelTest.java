package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.computehive.market.PciAddress;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

class DomainModelTest {
    private static final GuestLink LINK = new GuestLink.Forwarded(22_110);
    private static final SessionMark MARK = new SessionMark(
            new RentalId("0123456789abcdefghjkmnpqrs"),
            42,
            Instant.parse("2026-11-22T12:00:00Z"),
            LINK.ssh(),
            Map.of("image", "demo", "odd", "<&'\">"));

    private static final HostNetwork.Bandwidth UNLIMITED = HostNetwork.Bandwidth.unlimited();
    private static final Resources PLAIN = Resources.of(Tuning.defaults(), false, List.of());

    private static DomainModel model(boolean kvm, Path kernel, boolean display, List<PciAddress> devices) {
        return model(kvm, kernel, display, devices, PLAIN);
    }

    private static DomainModel model(
            boolean kvm, Path kernel, boolean display, List<PciAddress> devices, Resources resources) {
        return model(LINK, kvm, kernel, display, devices, resources, Optional.empty());
    }

    static DomainModel model(
            GuestLink link,
            boolean kvm,
            Path kernel,
            boolean display,
            List<PciAddress> devices,
            Resources resources,
            Optional<LaunchSecurity> security) {
        return new DomainModel(
                MARK,
                link,
                new UUID(1, 2),
                kvm,
                2,
                512,
                Optional.of(kernel),
                Optional.of(Path.of("/images/initrd")),
                "console=ttyS0",
                Path.of("/disks/overlay.qcow2"),
                Optional.empty(),
                new UUID(3, 4),
                Path.of("/memory/console"),
                Map.of("opt/computehive/host", Path.of("/memory/host")),
                Optional.empty(),
                display,
                devices,
                resources,
                Optional.of("+64055:+64055"),
                security);
    }

    private static Element child(Element parent, String name) {
        return Xml.children(parent, name).getFirst();
    }

    @Test
    void mark_comesBackFromTheDomain() {
        String xml = model(false, Path.of("/images/kernel"), true, List.of()).xml();
        assertEquals(Optional.of(MARK), SessionMark.read(xml));
    }

    @Test
    void domainOfOthers_hasNoMark() {
        assertEquals(Optional.empty(), SessionMark.read("<domain><name>ch-x</name></domain>"));
        assertEquals(
                Optional.empty(),
                SessionMark.read("<domain><metadata><session xmlns='urn:other' id='x'/></metadata></domain>"));
    }

    @Test
    void metacharactersInAPath_stayInTheirValue() {
        var kernel = Path.of("/images/<kernel type='x'>&\"");
        Element domain = Xml.parse(model(false, kernel, false, List.of()).xml());
        assertEquals(kernel.toString(), Xml.childText(child(domain, "os"), "kernel"));
    }

    @Test
    void untunedDomain_saysNothingOfTuning() {
        Element domain = Xml.parse(model(false, Path.of("/k"), true, List.of()).xml());
        assertEquals(List.of(), Xml.children(domain, "cputune"));
        assertEquals(List.of(), Xml.children(domain, "numatune"));
        Element backing = child(domain, "memoryBacking");
        assertEquals(List.of(), Xml.children(backing, "locked"));
        assertEquals(List.of(), Xml.children(backing, "hugepages"));
        assertEquals(List.of(), Xml.children(child(child(domain, "devices"), "disk"), "iotune"));
        assertEquals(
                "one node, not shared",
                DomainModel.layout(false, PLAIN, UNLIMITED).get("memory"));
    }

    @Test
    void tunedDomain_hasItsOwnProcessorsHugePagesOneNodeLockedMemoryAndDiskLimits() {
        Tuning tuning =
                Tuning.defaults().withHugePages(2_048).onNode(1).limiting(Tuning.DiskLimits.of(50_000_000, 2_000));
        Resources resources = Resources.of(tuning, true, List.of(7, 3));
        Element domain =
                Xml.parse(model(true, Path.of("/k"), true, List.of(), resources).xml());
        List<Element> pins = Xml.children(child(domain, "cputune"), "vcpupin");
        assertEquals(
                List.of("0 7", "1 3"),
                pins.stream()
                        .map(pin -> pin.getAttribute("vcpu") + " " + pin.getAttribute("cpuset"))
                        .toList());
        assertEquals("7,3", child(child(domain, "cputune"), "emulatorpin").getAttribute("cpuset"));
        Element memory = child(child(domain, "numatune"), "memory");
        assertEquals("strict 1", memory.getAttribute("mode") + " " + memory.getAttribute("nodeset"));
        Element backing = child(domain, "memoryBacking");
        Element page = child(child(backing, "hugepages"), "page");
        assertEquals("2048 KiB", page.getAttribute("size") + " " + page.getAttribute("unit"));
        assertEquals(1, Xml.children(backing, "locked").size());
        assertEquals(1, Xml.children(backing, "nosharepages").size());
        Element limits = child(child(child(domain, "devices"), "disk"), "iotune");
        assertEquals("50000000", Xml.childText(limits, "total_bytes_sec"));
        assertEquals("2000", Xml.childText(limits, "total_iops_sec"));
        assertEquals(
                "one node, not shared, locked, huge pages of 2048 KiB",
                DomainModel.layout(true, resources, UNLIMITED).get("memory"));
    }

    @Test
    void bandwidth_isSaidWhereItIsLimited_andNowhereElse() {
        assertFalse(DomainModel.layout(true, PLAIN, UNLIMITED).containsKey("bandwidth"));
        String said = DomainModel.layout(true, PLAIN, HostNetwork.Bandwidth.of(2_000_000, 1_000_000))
                .get("bandwidth");
        assertEquals(
                "in at most 2000000 bytes/s, out at most 1000000 bytes/s, where the network policy gives a network",
                said);
        for (long odd : new long[] {0, -1, 1_023, Long.MAX_VALUE}) {
            var refused = assertThrows(IllegalArgumentException.class, () -> HostNetwork.Bandwidth.of(odd, 1_000_000));
            assertTrue(refused.getMessage().contains(Long.toString(odd)), refused::getMessage);
            assertThrows(IllegalArgumentException.class, () -> HostNetwork.Bandwidth.of(1_000_000, odd));
        }
    }

    @Test
    void tuning_outOfRange_isRefusedWithItsValue() {
        Tuning tuning = Tuning.defaults();
        for (var odd : List.<org.junit.jupiter.api.function.Executable>of(
                () -> tuning.withHugePages(3_000),
                () -> tuning.onNode(-1),
                () -> tuning.pinnedTo(List.of(2, 2)),
                () -> tuning.pinnedTo(List.of(-1)),
                () -> Tuning.DiskLimits.of(0, 1))) {
            assertThrows(IllegalArgumentException.class, odd);
        }
    }

    @Test
    void everyDomain_isHardened() {
        Element domain = Xml.parse(model(false, Path.of("/k"), true, List.of()).xml());
        assertEquals("qemu", domain.getAttribute("type"));
        for (String end : List.of("on_poweroff", "on_reboot", "on_crash")) {
            assertEquals("destroy", Xml.childText(domain, end));
        }
        Element devices = child(domain, "devices");
        assertEquals("none", child(devices, "controller").getAttribute("model"));
        assertEquals("none", child(devices, "memballoon").getAttribute("model"));
        assertEquals("none", child(devices, "audio").getAttribute("type"));
        for (String absent : List.of("graphics", "channel", "filesystem", "redirdev", "input", "interface")) {
            assertTrue(Xml.children(devices, absent).isEmpty(), absent);
        }
        assertEquals("off", child(domain, "memory").getAttribute("dumpCore"));
        String network = child(domain, "commandline").getFirstChild().getNextSibling() instanceof Element argument
                ? argument.getAttribute("value")
                : "";
        assertEquals("user,id=ch0,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:22110-:22", network);
    }

    @Test
    void kvmDomain_hidesNestedVirtualisation() {
        Element domain = Xml.parse(model(true, Path.of("/k"), false, List.of()).xml());
        assertEquals("kvm", domain.getAttribute("type"));
        assertEquals("off", child(domain, "cpu").getAttribute("migratable"));
        assertEquals(2, Xml.children(child(domain, "cpu"), "feature").size());
    }

    @Test
    void hostDevice_carriesItsFullAddress() {
        var address = new PciAddress("0001:41:1f.7");
        Element devices = child(
                Xml.parse(model(true, Path.of("/k"), false, List.of(address)).xml()), "devices");
        Element hostdev = child(devices, "hostdev");
        Element at = child(child(hostdev, "source"), "address");
        assertEquals("yes", hostdev.getAttribute("managed"));
        assertEquals("off", child(hostdev, "rom").getAttribute("bar"));
        assertEquals("0x0001", at.getAttribute("domain"));
        assertEquals("0x41", at.getAttribute("bus"));
        assertEquals("0x1f", at.getAttribute("slot"));
        assertEquals("0x7", at.getAttribute("function"));
        assertFalse(child(child(devices, "video"), "model").getAttribute("type").equals("bochs"));
    }

    @Test
    void markThatCannotBeRead_isAnArgumentError() {
        String xml = model(false, Path.of("/k"), false, List.of()).xml();
        assertThrows(
                IllegalArgumentException.class,
                () -> SessionMark.read(xml.replace("2026-11-22T12:00:00Z", "next week")));
        for (String port : List.of("0", "70000", "-1", "ssh")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> SessionMark.read(xml.replace("ssh-port=\"22110\"", "ssh-port=\"" + port + "\"")),
                    port);
        }
    }

    @Test
    void guestsUser_isGivenWithoutTheFiles_unlessThereAreHostDevices() {
        Element label =
                child(Xml.parse(model(false, Path.of("/k"), false, List.of()).xml()), "seclabel");
        assertEquals("no", label.getAttribute("relabel"));
        assertEquals("+64055:+64055", Xml.childText(label, "label"));
        var devices = List.of(new PciAddress("0001:41:1f.7"));
        Element domain = Xml.parse(model(true, Path.of("/k"), false, devices).xml());
        assertTrue(Xml.children(domain, "seclabel").isEmpty());
    }
}
