package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.computehive.market.PciAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VfioFilesTest {
    private static final PciAddress GPU = new PciAddress("0000:41:00.0");

    @TempDir
    private Path system;

    @Test
    void filesOfADevice_areItsGroups_andAreHeldByWhoHasThemOpen() throws IOException {
        Path device = Files.createDirectories(system.resolve("devices").resolve(GPU.value()));
        Files.createSymbolicLink(device.resolve("iommu_group"), Path.of("../../kernel/iommu_groups/12"));
        Path one = Files.createDirectories(system.resolve("proc/1/fd"));
        Path qemu = Files.createDirectories(system.resolve("proc/4711/fd"));
        Files.createDirectories(system.resolve("proc/self/fd"));
        Files.createSymbolicLink(one.resolve("0"), Path.of("/somewhere/else"));
        Files.createSymbolicLink(qemu.resolve("3"), Path.of("socket:[1]"));
        Path open = Files.createSymbolicLink(qemu.resolve("40"), Path.of("/dev/vfio/12"));
        var vfio = new VfioFiles(system.resolve("devices"), system.resolve("proc"));

        Set<Path> files = vfio.of(List.of(GPU, new PciAddress("0000:42:00.0")));
        assertEquals(Set.of(Path.of("/dev/vfio/12")), files);
        assertEquals(Optional.of(4_711L), vfio.holder(files));
        Files.delete(open);
        assertEquals(Optional.empty(), vfio.holder(files));
    }
}
