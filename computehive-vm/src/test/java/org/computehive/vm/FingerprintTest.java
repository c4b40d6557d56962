package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.computehive.market.PciAddress;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {
    private static final PciAddress AT = new PciAddress("0001:41:00.0");

    @TempDir
    private Path root;

    private Path device;
    private Sysfs sysfs;
    private Fingerprints kept;

    @BeforeEach
    void makeDevice() throws IOException {
        device = Files.createDirectories(root.resolve("sys/bus/pci/devices/" + AT));
        Files.write(device.resolve("config"), config());
        Files.write(device.resolve("rom"), new byte[] {0x55, (byte) 0xaa, 1, 2, 3});
        sysfs = new Sysfs(HostFiles.under(root));
        kept = new Fingerprints(root.resolve("kept"));
    }

    /** Header, a PCI Express capability at 0x60, a serial number at 0x100. */
    private static byte[] config() {
        var config = new byte[4096];
        config[0] = (byte) 0xde;
        config[1] = 0x10;
        config[0x34] = 0x60;
        config[0x60] = 0x10;
        config[0x100] = 3;
        config[0x102] = 1;
        config[0x104] = 42;
        return config;
    }

    private List<String> differencesAfter(int offset) throws IOException {
        kept.keepOrCompare(AT, Fingerprint.of(sysfs, AT));
        byte[] config = config();
        config[offset] ^= 1;
        Files.write(device.resolve("config"), config);
        return kept.keepOrCompare(AT, Fingerprint.of(sysfs, AT));
    }

    @Test
    void whatDriversAndVmsChange_isNoDifference() throws IOException {
        for (int offset : new int[] {0x04, 0x06, 0x0c, 0x10, 0x30, 0x3c, 0x68, 0x70}) {
            assertEquals(List.of(), differencesAfter(offset), Integer.toHexString(offset));
        }
    }

    @Test
    void otherDevice_isADifference() throws IOException {
        for (int offset : new int[] {0x00, 0x08, 0x0e, 0x2c, 0x62, 0x6c, 0x100, 0x104}) {
            assertFalse(differencesAfter(offset).isEmpty(), Integer.toHexString(offset));
        }
    }

    @Test
    void otherFirmware_isADifference_alsoAfterARestart() throws IOException {
        kept.keepOrCompare(AT, Fingerprint.of(sysfs, AT));
        Files.write(device.resolve("rom"), new byte[] {0x55, (byte) 0xaa, 1, 2, 4});
        var again = new Fingerprints(root.resolve("kept"));
        List<String> differences = again.keepOrCompare(AT, Fingerprint.of(sysfs, AT));
        assertEquals(1, differences.size());
        assertTrue(differences.getFirst().startsWith("firmware was sha256 "), differences::toString);
    }

    @Test
    void deviceThatDoesNotAnswer_orMayNotBeRead_isAnError() throws IOException {
        var ones = new byte[4096];
        Arrays.fill(ones, (byte) 0xff);
        Files.write(device.resolve("config"), ones);
        assertThrows(IOException.class, () -> Fingerprint.of(sysfs, AT));
        Files.write(device.resolve("config"), Arrays.copyOf(config(), 16));
        assertThrows(IOException.class, () -> Fingerprint.of(sysfs, AT));
    }

    @Test
    void capabilitiesThatLeadInACircle_end() throws IOException {
        byte[] config = config();
        config[0x61] = 0x60;
        assertTrue(Fingerprint.config(AT, config).containsKey("capabilities"));
    }

    @Test
    void whatWasKept_andIsSpoiled_isAnError_notAFirstSight() throws IOException {
        kept.keepOrCompare(AT, Fingerprint.of(sysfs, AT));
        Files.writeString(kept.file(AT), "\\u12");
        assertThrows(IOException.class, () -> kept.keepOrCompare(AT, Fingerprint.of(sysfs, AT)));
    }
}
