package org.computehive.audit;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Names and forms of the files of C2SP tlog-tiles. */
final class TilePaths {
    /** How many hashes or entries a full tile has. */
    static final int WIDTH = 256;

    /** How many tree levels one tile spans. */
    static final int HEIGHT = 8;

    static final String CHECKPOINT = "checkpoint";
    /** The newest checkpoint that witnesses cosigned; usually older than the newest. */
    static final String COSIGNED = "checkpoint.cosigned";

    static final String TILES = "tile";
    private static final String ENTRIES = "entries";
    private static final int PART = 1000;

    private TilePaths() {}

    /** Returns a hash tile's path below the log's folder, with slashes. */
    static String tile(int level, long n, int width) {
        return path(Integer.toString(level), n, width);
    }

    /** Returns an entry bundle's path below the log's folder, with slashes. */
    static String bundle(long n, int width) {
        return path(ENTRIES, n, width);
    }

    private static String path(String kind, long n, int width) {
        String number = String.format(Locale.ROOT, "%03d", n % PART);
        for (long rest = n / PART; rest > 0; rest /= PART) {
            number = String.format(Locale.ROOT, "x%03d/%s", rest % PART, number);
        }
        String full = TILES + "/" + kind + "/" + number;
        return width == WIDTH ? full : full + ".p/" + width;
    }

    /** Returns the width of the last tile of a row that has a number of hashes, or 0 if there is none. */
    static int partialWidth(long count) {
        return (int) (count % WIDTH);
    }

    /** Returns the paths of the partial tiles, hashes and entries, of a tree. */
    static List<String> partials(long treeSize) {
        List<String> paths = new ArrayList<>();
        if (partialWidth(treeSize) > 0) {
            paths.add(bundle(treeSize / WIDTH, partialWidth(treeSize)));
        }
        int level = 0;
        for (long count = treeSize; count > 0; count >>= HEIGHT) {
            if (partialWidth(count) > 0) {
                paths.add(tile(level, count / WIDTH, partialWidth(count)));
            }
            level++;
        }
        return paths;
    }

    /** Writes entries as a bundle: each behind its length in two bytes, big endian. */
    static byte[] encode(List<byte[]> entries) {
        int bytes =
                entries.stream().mapToInt(entry -> entry.length + Short.BYTES).sum();
        ByteBuffer bundle = ByteBuffer.allocate(bytes);
        entries.forEach(entry -> bundle.putShort((short) entry.length).put(entry));
        return bundle.array();
    }

    /**
     * Reads a bundle of an expected number of entries.
     *
     * @throws IllegalArgumentException if it has another number of entries or bytes
     */
    static List<byte[]> decode(byte[] bundle, int width) {
        ByteBuffer in = ByteBuffer.wrap(bundle);
        List<byte[]> entries = new ArrayList<>(width);
        while (in.hasRemaining()) {
            int length = in.remaining() < Short.BYTES ? -1 : Short.toUnsignedInt(in.getShort());
            if (length < 0 || length > in.remaining() || entries.size() == width) {
                throw new IllegalArgumentException("it does not hold %d entries: it breaks off or goes on in entry %d"
                        .formatted(width, entries.size()));
            }
            byte[] entry = new byte[length];
            in.get(entry);
            entries.add(entry);
        }
        if (entries.size() != width) {
            throw new IllegalArgumentException("it holds %d entries, not %d".formatted(entries.size(), width));
        }
        return entries;
    }
}
