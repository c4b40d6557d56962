package org.computehive.vm;

import java.nio.file.Path;
import java.util.Optional;

/**
 * An image whose files had their digests when it was read.
 *
 * @param name its name in the catalogue
 * @param kernel the kernel
 * @param initrd the initial RAM disk
 * @param base the disk below the overlay, in qcow2, if it has one
 */
record GuestImage(String name, Part kernel, Part initrd, Optional<Part> base) {

    /** Returns the kernel's version, as its own header says, if it has one. */
    Optional<String> version() {
        return KernelVersion.of(kernel.file());
    }

    /**
     * A file of an image.
     *
     * @param file where it lies
     * @param sha256 its digest, 64 hexadecimal digits
     */
    record Part(Path file, String sha256) {}
}
