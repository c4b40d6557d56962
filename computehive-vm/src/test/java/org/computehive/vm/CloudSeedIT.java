package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.computehive.vm.internal.CloudSeed;
import org.computehive.vm.internal.SeedDisk;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
        CloudSeed.Place place = GuestLink.place(List.of("192.0.2.1", "192.0.2.2"));
        assertReadBack(CloudSeed.files(ID, place), CloudSeed.disk(ID, place));
    }

    @Test
    void disc_isReadBackByOtherPrograms_withItsKeys() throws IOException {
        var access = new VmSpec.GuestAccess("host key\nof two lines\n", "certificate", "authority", ID.principal());
        var spec = new VmSpec(ID, Instant.EPOCH, TestHost.SHAPE, List.of(), access);
        var place = new CloudSeed.Place("name", "e*", "192.0.2.7", 24, "", List.of());
        Map<String, String> files = CloudSeed.filesWithKeys(spec, place);
        assertEquals("host key\nof two lines\n", files.get("host-key"));
        assertReadBack(files, CloudSeed.disc(spec, place));
    }

    private void assertReadBack(Map<String, String> files, byte[] bytes) throws IOException {
        Path disk = Files.write(folder.resolve("cidata"), bytes);
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

    @ParameterizedTest
    @EnumSource
    void largestSeed_isWhole_andOneByteMoreIsRefused(SeedDisk.Kind kind) throws IOException {
        var files = new LinkedHashMap<String, String>();
        files.put("empty-file", "");
        files.put("a-name-of-over-two-times-thirteen", "y".repeat(513));
        files.put("user-data", "x".repeat(SeedDisk.LIMIT - 513));
        Path disk = Files.write(folder.resolve("full"), SeedDisk.of(kind, "CIDATA", files));
        run("dosfstools", "fsck.vfat", "-n", disk.toString());
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path copy = folder.resolve("copy-" + file.getKey());
            run("mtools", "mcopy", "-i", disk.toString(), "::" + file.getKey(), copy.toString());
            assertEquals(file.getValue(), Files.readString(copy), file.getKey());
        }
        files.put("user-data", files.get("user-data") + "x");
        var refused = assertThrows(HypervisorException.Refused.class, () -> SeedDisk.of(kind, "CIDATA", files));
        assertTrue(String.valueOf(refused.getMessage()).contains("65537"), refused::getMessage);
    }

    @Test
    void seed_isTheSameEveryTime_andHoldsOnlyTheGuestsName() {
        CloudSeed.Place place = GuestLink.place(List.of("192.0.2.1"));
        byte[] seed = CloudSeed.disk(ID, place);
        assertArrayEquals(seed, CloudSeed.disk(ID, place));
        assertFalse(CloudSeed.files(ID, place).toString().contains("PRIVATE"));
        for (String odd : List.of("10.0.0.1]\nx: [", "", "::1")) {
            assertThrows(
                    IllegalArgumentException.class, () -> new CloudSeed.Place("name", "e*", odd, 24, "", List.of()));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new CloudSeed.Place("name", "e*", "192.0.2.1", 24, "", List.of(odd)));
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> new CloudSeed.Place("name", "\"x", "192.0.2.1", 24, "", List.of()));
        assertThrows(
                IllegalArgumentException.class, () -> new HostNetwork(java.util.Set.of(), List.of("1.1.1.1]\nx: [")));
        assertThrows(IllegalArgumentException.class, () -> new HostNetwork(java.util.Set.of(), List.of("127.0.0.53")));
    }

    /** What cloud-init runs at every boot, on folders of the test's own in the place of the guest's. */
    private Tool.Outcome boot(Path firmware, Path disc) throws IOException {
        String userData = CloudSeed.files(ID, GuestLink.place(List.of())).get("user-data");
        int from = userData.indexOf("- |\n", userData.indexOf("bootcmd:")) + 4;
        String script = userData.substring(from, userData.indexOf("write_files:"))
                .stripIndent()
                .replace("/sys/firmware/qemu_fw_cfg/by_name/opt/computehive", firmware.toString())
                .replace("/run/computehive", folder.resolve("run").toString())
                .replace("/var/lib/computehive", folder.resolve("kept").toString())
                .replace("mount -o ro LABEL=CIDATA \"$disc\"", "cp -r %s/. \"$disc\"".formatted(disc))
                .replace("umount", "ls")
                .replace("modprobe", "true")
                .replace("/dev/ttyS0", folder.resolve("console").toString());
        return Tool.run(List.of("sh", "-c", script), Duration.ofSeconds(20), "dash");
    }

    private String taken(String name) throws IOException {
        return Files.readString(folder.resolve("run").resolve(name));
    }

    @Test
    void keysBesideTheSeed_areTaken_andKeptForARestartFromInside() throws IOException {
        Path nothing = folder.resolve("no-firmware-interface");
        Path disc = Files.createDirectory(folder.resolve("disc"));
        assertFalse(boot(nothing, disc).succeeded(), "a disc without keys is no seed");
        assertTrue(Files.readString(folder.resolve("console")).contains("ComputeHive: failed: the seed is missing"));
        var access = new VmSpec.GuestAccess("host key\n", "certificate", "authority", "a-principal");
        var spec = new VmSpec(ID, Instant.EPOCH, TestHost.SHAPE, List.of(), access);
        for (Map.Entry<String, String> file :
                CloudSeed.filesWithKeys(spec, GuestLink.place(List.of())).entrySet()) {
            Files.writeString(disc.resolve(file.getKey()), file.getValue());
        }
        assertTrue(boot(nothing, disc).succeeded());
        RuntimeFolder.delete(disc); // it is taken out once the guest is ready
        RuntimeFolder.delete(folder.resolve("run")); // and a restart empties the memory
        Tool.Outcome restarted = boot(nothing, disc);
        assertTrue(restarted.succeeded(), restarted::toString);
        assertEquals("host key\n", taken("host_key"));
        assertEquals("certificate\n", taken("host_key-cert.pub"));
        assertEquals("authority\n", taken("authorities"));
        assertEquals("a-principal\n", taken("principals/renter"));
        for (Path secret : List.of(folder.resolve("run/host_key"), folder.resolve("kept/host-key"))) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)));
        }
    }

    @Test
    void keysOfTheFirmwareInterface_comeFirst_andAreNotKept() throws IOException {
        Path firmware = Files.createDirectory(folder.resolve("firmware"));
        for (String name : List.of("host", "host-cert", "authorities", "principal")) {
            Files.writeString(Files.createDirectory(firmware.resolve(name)).resolve("raw"), name + " of the firmware");
        }
        Tool.Outcome booted = boot(firmware, folder.resolve("none"));
        assertTrue(booted.succeeded(), booted::toString);
        assertEquals("host of the firmware", taken("host_key"));
        assertEquals("principal of the firmware", taken("principals/renter"));
        assertFalse(Files.exists(folder.resolve("kept")));
    }
}
