package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A record of the write-ahead file: entries that became durable together, and the checkpoint after them.
 *
 * <p>On disk, big endian: magic (4), length of the body (4), body, SHA-256 (32) over segment base, offset, magic, length
 * and body. Body: first index (8), count (4), entries (length in 2 bytes, bytes), checkpoint. Base and offset are hashed
 * so that bytes that merely contain a record are none.
 *
 * @param first the first entry's index
 * @param entries none in a segment's first record
 * @param note the signed checkpoint after them
 */
record Batch(long first, List<byte[]> entries, String note) {
    private static final int MAGIC = 0x43484131;
    private static final int HEADER = 8;
    private static final int BODY_HEADER = 12;

    /** A record and where it ends. */
    record Read(Batch batch, int end) {}

    long end() {
        return first + entries.size();
    }

    byte[] encode(long segmentBase, long offset) {
        byte[] checkpoint = note.getBytes(UTF_8);
        int entryBytes =
                entries.stream().mapToInt(entry -> entry.length + Short.BYTES).sum();
        int body = BODY_HEADER + entryBytes + checkpoint.length;
        ByteBuffer out = ByteBuffer.allocate(HEADER + body + Hasher.BYTES);
        out.putInt(MAGIC).putInt(body).putLong(first).putInt(entries.size());
        entries.forEach(entry -> out.putShort((short) entry.length).put(entry));
        out.put(checkpoint);
        out.put(digest(out.array(), 0, HEADER + body, segmentBase, offset));
        return out.array();
    }

    /** Reads the record at an offset of a segment's bytes, or returns null if no whole and unharmed record is there. */
    static @Nullable Read read(byte[] segment, int offset, long segmentBase) {
        ByteBuffer in = ByteBuffer.wrap(segment, offset, segment.length - offset);
        if (in.remaining() < HEADER + BODY_HEADER + Hasher.BYTES || in.getInt() != MAGIC) {
            return null;
        }
        int body = in.getInt();
        if (body < BODY_HEADER || body > in.remaining() - Hasher.BYTES) {
            return null;
        }
        int digestAt = offset + HEADER + body;
        byte[] stored = Arrays.copyOfRange(segment, digestAt, digestAt + Hasher.BYTES);
        if (!Arrays.equals(stored, digest(segment, offset, HEADER + body, segmentBase, offset))) {
            return null;
        }
        long first = in.getLong();
        int count = in.getInt();
        List<byte[]> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] entry = new byte[Short.toUnsignedInt(in.getShort())];
            in.get(entry);
            entries.add(entry);
        }
        String note = new String(segment, in.position(), digestAt - in.position(), UTF_8);
        return new Read(new Batch(first, entries, note), digestAt + Hasher.BYTES);
    }

    /** Returns whether a whole record lies anywhere behind an offset. */
    static boolean anyAfter(byte[] segment, int offset, long segmentBase) {
        for (int at = offset + 1; at < segment.length - HEADER; at++) {
            if (read(segment, at, segmentBase) != null) {
                return true;
            }
        }
        return false;
    }

    private static byte[] digest(byte[] bytes, int from, int length, long segmentBase, long offset) {
        MessageDigest sha256 = Hasher.sha256();
        sha256.update(ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(segmentBase)
                .putLong(offset)
                .flip());
        sha256.update(bytes, from, length);
        return sha256.digest();
    }
}
