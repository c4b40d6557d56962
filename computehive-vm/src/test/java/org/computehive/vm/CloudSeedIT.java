package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The seed of cloud images, as other programs read it. */
class CloudSeedIT {
    private static final RentalId ID = new RentalId("0123456789abcdefghjkmnpqrs");

    @TempDir
    private Path folder;

    private static String run(String debianPackage, String... argv) {
        Tool.Outcome outcome = Tool.run(List.of(argv), Duration.ofSeconds(20), debianPackage);
        assertTrue(outcome.succeeded(), outcome::toString);
        return outcome.lastLines();
    }

    @Test
    void seed_isReadBackByOtherPrograms_asItWasWritten() throws IOException {
        Map<String, String> files = CloudSeed.files(ID, List.of("192.0.2.1", "192.0.2.2"));
        Path disk = Files.write(folder.resolve("cidata"), CloudSeed.disk(ID, List.of("192.0.2.1", "192.0.2.2")));
        run("dosfstools", "fsck.vfat", "-n", disk.toString());
        assertEquals("CIDATA", run("util-linux", "blkid", "-p", "-o", "value", "-s", "LABEL", disk.toString()));
        assertEquals("vfat", run("util-linux", "blkid", "-p", "-o", "value", "-s", "TYPE", disk.toString()));
        assertEquals(
                files.keySet().stream().sorted().toList(),
                run("mtools", "mdir", "-b", "-i", disk.toString(), "::")
                        .lines()
                        .map(line -> line.replace("::/", ""))
                        .sorted()
                        .toList());
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path copy = folder.resolve("copy-" + file.getKey());
            run("mtools", "mcopy", "-i", disk.toString(), "::" + file.getKey(), copy.toString());
            assertEquals(file.getValue(), Files.readString(copy));
        }
    }

    @Test
    void largestSeed_isWhole_andOneByteMoreIsRefused() throws IOException {
        var files = new LinkedHashMap<String, String>();
        files.put("empty-file", "");
        files.put("a-name-of-over-two-times-thirteen", "y".repeat(513));
        files.put("user-data", "x".repeat(SeedDisk.LIMIT - 513));
        Path disk = Files.write(folder.resolve("full"), SeedDisk.of("CIDATA", files));
        run("dosfstools", "fsck.vfat", "-n", disk.toString());
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path copy = folder.resolve("copy-" + file.getKey());
            run("mtools", "mcopy", "-i", disk.toString(), "::" + file.getKey(), copy.toString());
            assertEquals(file.getValue(), Files.readString(copy), file.getKey());
        }
        files.put("user-data", files.get("user-data") + "x");
        var refused = assertThrows(HypervisorException.Refused.class, () -> SeedDisk.of("CIDATA", files));
        assertTrue(String.valueOf(refused.getMessage()).contains("65537"), refused::getMessage);
    }

    @Test
    void seed_isTheSameEveryTime_andHoldsOnlyTheGuestsName() {
        byte[] seed = CloudSeed.disk(ID, List.of("192.0.2.1"));
        assertArrayEquals(seed, CloudSeed.disk(ID, List.of("192.0.2.1")));
        assertFalse(CloudSeed.files(ID, List.of("192.0.2.1")).toString().contains("PRIVATE"));
        assertThrows(
                IllegalArgumentException.class, () -> new HostNetwork(java.util.Set.of(), List.of("1.1.1.1]\nx: [")));
        assertThrows(IllegalArgumentException.class, () -> new HostNetwork(java.util.Set.of(), List.of("127.0.0.53")));
    }
}
