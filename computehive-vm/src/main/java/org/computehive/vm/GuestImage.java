package org.computehive.vm;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.computehive.rental.HypervisorException;

/**
 * An image whose files had their digests when it was read: one that brings its kernel, or a disk with a boot loader.
 *
 * @param name its name in the catalogue
 * @param kernel the kernel; empty if the base disk boots by itself
 * @param initrd the initial RAM disk; there if the kernel is
 * @param base the disk below the overlay, in qcow2, if it has one
 * @param setUp how its guest is set up at its first start
 */
record GuestImage(String name, Optional<Part> kernel, Optional<Part> initrd, Optional<Part> base, SetUp setUp) {

    /** How a guest learns who it is. */
    enum SetUp {
        /** By the firmware interface alone, as the demo image. */
        FIRMWARE,
        /** By cloud-init, as stock cloud images; secrets by the firmware interface. */
        CLOUD_INIT
    }

    GuestImage {
        if (kernel.isPresent() != initrd.isPresent() || (kernel.isEmpty() && base.isEmpty())) {
            throw new IllegalArgumentException("an image has a kernel and an initial RAM disk, or a disk that boots");
        }
    }

    /** Returns its files by what they are. */
    Map<String, Part> parts() {
        var parts = new LinkedHashMap<String, Part>();
        kernel.ifPresent(part -> parts.put("kernel", part));
        initrd.ifPresent(part -> parts.put("initrd", part));
        base.ifPresent(part -> parts.put("base", part));
        return parts;
    }

    /** Returns the kernel's version, as its own header says, if it has one. */
    Optional<String> version() {
        return kernel.flatMap(part -> KernelVersion.of(part.file()));
    }

    /**
     * Checks that an overlay of a size can lie over the base disk.
     *
     * @throws HypervisorException.Refused if it would cut the base disk off
     */
    void check(int diskMiB) {
        if (base.isPresent()) {
            long least = Qcow2.standAlone(base.get().file()) + (1 << 20) - 1 >> 20;
            if (diskMiB < least) {
                throw new HypervisorException.Refused(
                        "disk of %d MiB is smaller than image %s, whose disk has %d MiB: list at least that much"
                                .formatted(diskMiB, name, least),
                        null);
            }
        }
    }

    /**
     * A file of an image.
     *
     * @param file where it lies
     * @param sha256 its digest, 64 hexadecimal digits
     */
    record Part(Path file, String sha256) {}
}
