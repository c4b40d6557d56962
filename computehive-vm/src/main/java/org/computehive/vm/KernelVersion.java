package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads the version that an x86 Linux kernel says of itself: a {@code bzImage} in its setup header (the kernel's
 * documentation, "The Linux/x86 Boot Protocol": {@code header} at 0x202, {@code kernel_version} at 0x20e, relative to
 * 0x200), an ELF image, as PVH boots it, in the banner that it prints first ({@code linux_banner} in
 * {@code init/version.c}).
 */
final class KernelVersion {
    private static final int MAGIC_AT = 0x202;
    private static final int MAGIC = 0x53726448;
    private static final int POINTER_AT = 0x20e;
    private static final int BASE = 0x200;
    private static final int HEADER = 0x210;
    private static final int LONGEST = 120;
    /** {@code 0x7f E L F}, read as a little-endian number. */
    private static final int ELF = 0x464c457f;

    private static final byte[] BANNER = "Linux version ".getBytes(StandardCharsets.US_ASCII);
    private static final int CHUNK = 1 << 20;
    /** The banner lies behind the code; distributions' kernels have less than this of both. */
    private static final long FARTHEST = 256L << 20;

    private KernelVersion() {}

    /** Returns the version without what was built by whom, such as {@code 6.1.0-42-cloud-amd64}; empty if there is none. */
    static Optional<String> of(Path kernel) {
        try (FileChannel file = FileChannel.open(kernel)) {
            ByteBuffer header = read(file, 0, HEADER);
            if (header.limit() < HEADER) {
                return Optional.empty();
            }
            if (header.getInt(0) == ELF) {
                return banner(file);
            }
            if (header.getInt(MAGIC_AT) != MAGIC || header.getShort(POINTER_AT) == 0) {
                return Optional.empty();
            }
            return version(read(file, BASE + Short.toUnsignedLong(header.getShort(POINTER_AT)), LONGEST));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> version(ByteBuffer text) {
        String line = StandardCharsets.US_ASCII.decode(text).toString();
        String version = line.split("[^0-9A-Za-z._+-]", 2)[0];
        return version.isEmpty() ? Optional.empty() : Optional.of(version);
    }

    private static Optional<String> banner(FileChannel file) throws IOException {
        // Chunks overlap, so that a banner across two of them is found.
        for (long at = 0; at < Math.min(file.size(), FARTHEST); at += CHUNK - BANNER.length) {
            byte[] chunk = read(file, at, CHUNK).array();
            for (int i = 0; i < chunk.length - BANNER.length; i++) {
                boolean found = chunk[i] == BANNER[0]
                        && Character.isDigit(chunk[i + BANNER.length])
                        && Arrays.equals(chunk, i, i + BANNER.length, BANNER, 0, BANNER.length);
                if (found) {
                    return version(read(file, at + i + BANNER.length, LONGEST));
                }
            }
        }
        return Optional.empty();
    }

    private static ByteBuffer read(FileChannel file, long at, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining() && file.read(buffer, at + buffer.position()) > 0) {
            // Reads may be short; go on where the last one ended.
        }
        return buffer.flip();
    }
}
