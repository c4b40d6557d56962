package org.computehive.vm;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.computehive.market.PciAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which processes have passed-through devices open. While one has, nobody else can have the device. */
final class VfioFiles {
    private static final Logger LOG = LoggerFactory.getLogger(VfioFiles.class);
    private static final Path DEVICES = Path.of("/sys/bus/pci/devices");
    private static final Path PROCESSES = Path.of("/proc");

    private final Path devices;
    private final Path processes;

    VfioFiles() {
        this(DEVICES, PROCESSES);
    }

    VfioFiles(Path devices, Path processes) {
        this.devices = devices;
        this.processes = processes;
    }

    /** Returns the files through which these devices are passed, such as {@code /dev/vfio/12}. */
    Set<Path> of(List<PciAddress> gpus) {
        var files = new TreeSet<Path>();
        for (PciAddress gpu : gpus) {
            Path group = devices.resolve(gpu.value()).resolve("iommu_group");
            try {
                Path number = Files.readSymbolicLink(group).getFileName();
                files.add(Path.of("/dev/vfio").resolve(number));
            } catch (IOException e) {
                LOG.debug("device {} has no IOMMU group here", gpu, e);
            }
        }
        return files;
    }

    /** Returns the number of a process that has one of the files open; only root sees those of other users. */
    Optional<Long> holder(Set<Path> files) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
            for (Path process : all) {
                if (holds(process, files)) {
                    return Optional.of(Long.parseLong(process.getFileName().toString()));
                }
            }
        }
        return Optional.empty();
    }

    private static boolean holds(Path process, Set<Path> files) {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : open) {
                if (files.contains(target(descriptor))) {
                    return true;
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            LOG.trace("process {} ended, or is another user's", process, e);
        }
        return false;
    }

    /** Returns what a descriptor leads to; itself where it was closed meanwhile. */
    private static Path target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor);
        } catch (IOException e) {
            return descriptor;
        }
    }
}
