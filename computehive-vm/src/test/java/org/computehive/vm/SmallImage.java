package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** Images that boot nothing, for tests of what keeps them. */
final class SmallImage {
    private SmallImage() {}

    /** Makes one in a folder: a kernel of a size in KiB, and an empty initial RAM disk. */
    static Path of(Path folder, String name, int kib) throws IOException {
        Path image = Files.createDirectories(folder.resolve(name));
        Files.write(image.resolve("vmlinux"), new byte[kib << 10]);
        Files.write(image.resolve("initrd"), new byte[0]);
        Files.writeString(
                image.resolve(ImageCatalogue.MANIFEST),
                "name=%s\nkernel=vmlinux\nkernel.sha256=%s\ninitrd=initrd\ninitrd.sha256=%s\n"
                        .formatted(
                                name,
                                ImageCatalogue.sha256(image.resolve("vmlinux")),
                                ImageCatalogue.sha256(image.resolve("initrd"))));
        return image;
    }

    /** Makes one with a disk alone. */
    static Path disk(Path folder, String name, byte[] disk) throws IOException {
        Path image = Files.createDirectories(folder.resolve(name));
        Files.write(image.resolve("disk"), disk);
        Files.writeString(
                image.resolve(ImageCatalogue.MANIFEST),
                "setup=cloud-init\nbase=disk\nbase.sha256=%s\n"
                        .formatted(ImageCatalogue.sha256(image.resolve("disk"))));
        return image;
    }

    /** Returns the header of a disk in qcow2. */
    static byte[] qcow2(long size, long backingAt, long features) {
        return ByteBuffer.allocate(4_096)
                .putInt(0x514649fb)
                .putInt(3)
                .putLong(backingAt)
                .putInt(0)
                .putInt(16)
                .putLong(size)
                .putLong(72, features)
                .array();
    }
}
