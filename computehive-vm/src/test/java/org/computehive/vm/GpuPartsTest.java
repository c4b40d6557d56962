package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.Gpu;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a passthrough is made of, each part by itself. */
class GpuPartsTest {
    private static final PciAddress AT = new PciAddress("0000:41:00.0");
    private static final String NONCE = "computehive.scrub=5f0c";

    private static HostGpu gpu(int memoryMiB) {
        var gpu = new Gpu(
                AT, "10de", "2330", "GH100 [H100 SXM5 80GB]", memoryMiB, OptionalInt.of(7), false, Optional.empty());
        return new HostGpu(
                gpu, List.of(AT), Optional.of("nvidia"), OptionalInt.of(0), List.of("flr"), 0, Optional.empty());
    }

    private static String node(String pciClass, String vendor) {
        return "<device><name>pci_0001_41_00_0</name><driver><name>nvidia</name></driver><capability type='pci'><class>"
                + pciClass
                + "</class><domain>1</domain><bus>65</bus><slot>31</slot><function>7</function><product id='0x2330'>GH100</product><vendor id='"
                + vendor
                + "'>NVIDIA Corporation</vendor><iommuGroup number='12'><address domain='0x0001' bus='0x41' slot='0x1f' function='0x7'/>"
                + "<address domain='0x0001' bus='0x40' slot='0x00' function='0x0'/></iommuGroup><numa node='1'/></capability></device>";
    }

    @Test
    void nodeDevice_isRead() {
        PciFunction function = PciFunction.parse(node("0x030200", "0x10de"));
        assertEquals(new PciAddress("0001:41:1f.7"), function.at());
        assertEquals("NVIDIA Corporation GH100", function.model());
        assertEquals(Optional.of("nvidia"), function.driver());
        assertEquals(OptionalInt.of(1), function.numaNode());
        assertEquals(OptionalInt.of(12), function.group());
        assertEquals(2, function.groupMembers().size());
        assertTrue(function.isOf(Passthrough.Means.DISPLAYS));
        assertEquals("pci_0001_41_1f_7", PciFunction.nodeName(function.at()));
    }

    @Test
    void nvSwitch_isNoGpu_andNoPlainBridge() {
        PciFunction nvSwitch = PciFunction.parse(node("0x068000", "0x10de"));
        assertTrue(nvSwitch.isNvSwitch());
        assertFalse(nvSwitch.isBridge() || nvSwitch.isOf(Passthrough.Means.DISPLAYS));
        assertFalse(PciFunction.parse(node("0x068000", "0x8086")).isNvSwitch());
    }

    @Test
    void scrubGuestsWord_countsOnlyWithItsNonce_andForAllTheMemory() {
        assertEquals(81_920L << 20, ScrubGuest.bytes(gpu(81_920), NONCE, "boot\n" + NONCE + " bytes=85899345920\r\n"));
        assertEquals(0x100000, ScrubGuest.bytes(gpu(0), NONCE, NONCE + " bytes=0x00100000\n"));
        for (String said : List.of(
                "",
                "computehive.scrub=other bytes=85899345920\n",
                "x" + NONCE + " bytes=85899345920\n",
                NONCE + " bytes=0\n",
                NONCE + " bytes=0x0\n",
                NONCE + " bytes=-1\n",
                NONCE + " bytes=99999999999999999999999\n",
                NONCE + " bytes=1048576\n")) {
            assertThrows(HypervisorException.Lacking.class, () -> ScrubGuest.bytes(gpu(81_920), NONCE, said), said);
        }
    }

    @Test
    void xidsSinceTheSessionBegan_areProblems_othersAreNot() {
        var lines = new ArrayList<>(List.of(
                "[1.0] NVRM: Xid (PCI:0000:41:00): 13, pid=1, name=old",
                "[2.0] NVRM: Xid (PCI:0000:42:00): 79, another gpu"));
        var log = new XidLog(lines::forEach);
        log.before(gpu(0));
        assertEquals(List.of(), log.problems(gpu(0)));
        lines.add("[3.0] NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', GPU has fallen off the bus.");
        assertEquals(List.of("its driver reported Xid 79"), log.problems(gpu(0)));
    }

    @Test
    void sysfs_isRead_andWhatIsMissingIsNoError(@TempDir Path root) throws IOException {
        var sysfs = new Sysfs(HostFiles.under(root));
        assertFalse(sysfs.bootDisplay(AT));
        assertEquals(List.of(), sysfs.resetMethods(AT));
        assertEquals(OptionalInt.empty(), sysfs.fatalErrors(AT));
        Path device = Files.createDirectories(root.resolve("sys/bus/pci/devices/" + AT));
        assertEquals(Optional.empty(), sysfs.rom(AT), "no firmware is no error");
        Files.writeString(device.resolve("boot_vga"), "1\n");
        Files.writeString(device.resolve("reset_method"), "flr bus\n");
        Files.writeString(device.resolve("aer_dev_fatal"), "DLP 1\nTOTAL_ERR_FATAL 2\n");
        Files.writeString(device.resolve("aer_dev_nonfatal"), "DLP 1\nTOTAL_ERR_NONFATAL 3\n");
        Files.writeString(
                device.resolve("resource"),
                "0x00000000fe810000 0x00000000fe813fff 0x0000000000140204\n"
                        + "0x0000380000000000 0x0000381fffffffff 0x000000000014220c\n");
        assertTrue(sysfs.bootDisplay(AT));
        assertEquals(List.of("flr", "bus"), sysfs.resetMethods(AT));
        assertEquals(OptionalInt.of(5), sysfs.fatalErrors(AT));
        assertEquals(128 << 10, sysfs.apertureMiB(AT));
    }

    @Test
    void link_thatLostLanesOrDataInASession_isAProblem(@TempDir Path root) throws IOException {
        Path device = Files.createDirectories(root.resolve("sys/bus/pci/devices/" + AT));
        Files.writeString(device.resolve("current_link_width"), "16\n");
        Files.writeString(device.resolve("aer_dev_fatal"), "TOTAL_ERR_FATAL 2\n");
        var link = new HealthCheck.Link(new Sysfs(HostFiles.under(root)));
        link.before(gpu(0));
        assertEquals(List.of(), link.problems(gpu(0)));
        Files.writeString(device.resolve("current_link_width"), "8\n");
        Files.writeString(device.resolve("aer_dev_fatal"), "TOTAL_ERR_FATAL 3\n");
        assertEquals(2, link.problems(gpu(0)).size());
    }

    @Test
    void programsThatHaveADisplayOpen_areNamed(@TempDir Path root) throws IOException {
        Files.createDirectories(root.resolve("sys/bus/pci/devices/" + AT + "/drm/card1"));
        Path process = Files.createDirectories(root.resolve("proc/42/fd"));
        Files.writeString(process.resolveSibling("comm"), "Xorg\n");
        var use = new HostUse(HostFiles.under(root));
        Files.createSymbolicLink(process.resolve("3"), Path.of("/dev/dri/card0"));
        assertEquals(List.of(), use.of(AT));
        Files.createSymbolicLink(process.resolve("4"), Path.of("/dev/dri/card1"));
        assertEquals(List.of("Xorg (process 42)"), use.of(AT));
    }
}
