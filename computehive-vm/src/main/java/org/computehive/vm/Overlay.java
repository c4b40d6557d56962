package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.rental.HypervisorException;

/**
 * A session's disk: a qcow2 file encrypted with LUKS.
 *
 * <p>The key of the data lies in the file's LUKS header, wrapped by the session's key. Overwriting that header makes the
 * data unreadable even with the session's key.
 */
final class Overlay {
    /** qcow2's header extension that says where the LUKS header lies (qemu docs/interop/qcow2.txt). */
    private static final int ENCRYPTION_HEADER = 0x0537be77;

    private static final int MAGIC = 0x514649fb;
    /** What LUKS and qcow2 need beside the data of a small disk. */
    private static final int OVERHEAD_MIB = 4;

    private static final long HEADER_LIMIT = 64L << 20;
    /** On a busy machine QEMU can't time its key derivation; asking again helps. */
    private static final String CLOCK = "Unable to get accurate CPU usage";

    private static final int CLOCK_TRIES = 10;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final SecureRandom RANDOM = new SecureRandom();

    private Overlay() {}

    /**
     * Makes one.
     *
     * @param file where; its folder must be the account's
     * @param keyFile a file in memory with the key; the key itself never is an argument
     * @throws HypervisorException.Lacking if there is no room or qemu-img fails; no file is left then
     */
    static void create(Path file, int sizeMiB, Optional<Path> base, Path keyFile, Account account) throws IOException {
        Path folder = file.getParent();
        long free = Files.getFileStore(folder == null ? file : folder).getUsableSpace() >> 20;
        long need = sizeMiB + (long) OVERHEAD_MIB;
        if (free < need) {
            throw new HypervisorException.Lacking(
                    "disk of %d MiB needs %d MiB with its headers and does not fit in %s, which has %d MiB free: free space or choose a smaller disk"
                            .formatted(sizeMiB, need, folder, free),
                    null);
        }
        var words = new ArrayList<>(List.of("qemu-img", "create", "-q", "--object"));
        words.add("secret,id=s0,format=raw,file=" + keyFile.toString().replace(",", ",,"));
        words.addAll(List.of("-f", "qcow2"));
        if (base.isPresent()) {
            words.addAll(List.of("-F", "qcow2", "-b", base.get().toString()));
        }
        words.addAll(List.of("-o", "encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=10"));
        words.addAll(List.of(file.toString(), sizeMiB + "M"));
        Tool.Outcome made = Tool.run(account.as(words), LIMIT, "qemu-utils");
        for (int tries = 1; tries < CLOCK_TRIES && made.lastLines().contains(CLOCK); tries++) {
            Files.deleteIfExists(file);
            made = Tool.run(account.as(words), LIMIT, "qemu-utils");
        }
        if (!made.succeeded()) {
            Files.deleteIfExists(file);
            throw new HypervisorException.Lacking(
                    "encrypted disk %s could not be made: %s".formatted(file, made.lastLines()), null);
        }
    }

    /**
     * Overwrites the LUKS header with random bytes and forces that to the disk. Follows no link: the guest's user can
     * write the folder, and this process may be root.
     *
     * @return how many bytes were overwritten; 0 if the file has no such header
     */
    static long shred(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            Optional<Region> header = luksHeader(channel);
            if (header.isEmpty()) {
                return 0;
            }
            byte[] noise = new byte[1 << 16];
            long at = header.get().offset();
            long end = at + header.get().length();
            while (at < end) {
                RANDOM.nextBytes(noise);
                at += channel.write(ByteBuffer.wrap(noise, 0, (int) Math.min(noise.length, end - at)), at);
            }
            channel.force(true);
            return header.get().length();
        }
    }

    private record Region(long offset, long length) {}

    private static Optional<Region> luksHeader(FileChannel channel) throws IOException {
        ByteBuffer start = ByteBuffer.allocate(4_096);
        while (start.hasRemaining() && channel.read(start, start.position()) > 0) {
            // Reads until the buffer or the file is full.
        }
        start.flip();
        if (start.limit() < 104 || start.getInt(0) != MAGIC) {
            return Optional.empty();
        }
        int at = start.getInt(100);
        while (at >= 0 && at + 8 <= start.limit()) {
            int type = start.getInt(at);
            int length = start.getInt(at + 4);
            if (type == 0 || length < 0) {
                return Optional.empty();
            }
            if (type == ENCRYPTION_HEADER && length >= 16 && at + 24 <= start.limit()) {
                var region = new Region(start.getLong(at + 8), start.getLong(at + 16));
                boolean sane = region.offset() > 0
                        && region.offset() < channel.size()
                        && region.length() > 0
                        && region.length() <= HEADER_LIMIT;
                return sane ? Optional.of(region) : Optional.empty();
            }
            at += 8 + (length + 7) / 8 * 8;
        }
        return Optional.empty();
    }
}
