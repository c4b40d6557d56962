package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The published files: tiles and checkpoint, which a static file server can serve. Each file appears at once and whole.
 *
 * <p>One thread at a time may write.
 */
final class TileStore {
    private final Path root;
    private final Path temporary;
    private final SegmentFiles disk;

    TileStore(Path root, Path temporary, SegmentFiles disk) {
        this.root = root;
        this.temporary = temporary;
        this.disk = disk;
    }

    /** Gives the entries of a range. */
    interface Entries {
        List<byte[]> range(long from, long to);
    }

    /**
     * Writes the tiles in which a tree of {@code to} entries differs from one of {@code from}.
     *
     * @param durable whether the files must survive a power failure once this returns
     */
    void write(long from, long to, MerkleTree tree, Entries entries, boolean durable) throws IOException {
        Set<Path> folders = new TreeSet<>();
        if (from < to) {
            for (long n = from / TilePaths.WIDTH; n * TilePaths.WIDTH < to; n++) {
                long first = n * TilePaths.WIDTH;
                long end = Math.min(first + TilePaths.WIDTH, to);
                byte[] bundle = TilePaths.encode(entries.range(first, end));
                replace(TilePaths.bundle(n, (int) (end - first)), bundle, durable, folders);
            }
        }
        int level = 0;
        for (int shift = 0; from >> shift != to >> shift; shift += TilePaths.HEIGHT) {
            long count = to >> shift;
            for (long n = (from >> shift) / TilePaths.WIDTH; n * TilePaths.WIDTH < count; n++) {
                long first = n * TilePaths.WIDTH;
                long end = Math.min(first + TilePaths.WIDTH, count);
                byte[] hashes = tree.row(shift, first, end);
                replace(TilePaths.tile(level, n, (int) (end - first)), hashes, durable, folders);
            }
            level++;
        }
        if (durable) {
            for (Path folder : folders) {
                sync(folder);
            }
        }
    }

    /** Replaces the published checkpoint, durably. */
    void writeCheckpoint(String note) throws IOException {
        replace(TilePaths.CHECKPOINT, note.getBytes(UTF_8), true, new HashSet<>());
        sync(root);
    }

    /** Replaces the cosigned checkpoint, durably. */
    void writeCosigned(String note) throws IOException {
        replace(TilePaths.COSIGNED, note.getBytes(UTF_8), true, new HashSet<>());
        sync(root);
    }

    private void replace(String path, byte[] bytes, boolean durable, Set<Path> folders) throws IOException {
        Path file = root.resolve(path);
        for (Path folder = file.getParent(); folder != null && !folder.equals(root.getParent()); ) {
            folders.add(folder);
            folder = folder.getParent();
        }
        Files.createDirectories(file.getParent());
        disk.delete(temporary); // what a crash left
        try (SegmentFiles.SegmentFile written = disk.open(temporary, true)) {
            written.write(ByteBuffer.wrap(bytes), 0);
            if (durable) {
                written.force();
            }
        }
        disk.replace(temporary, file);
    }

    /**
     * Removes the partial tiles of a tree where a larger tree has the full ones; before, readers that hold an earlier
     * checkpoint need them.
     */
    void removePartials(long treeSize, long largerSize, long keptSize) throws IOException {
        Set<String> kept = partials(keptSize);
        for (String path : TilePaths.partials(treeSize)) {
            Path folder = root.resolve(path).toAbsolutePath().getParent();
            if (folder == null || TilePaths.partials(largerSize).stream().anyMatch(it -> sameTile(path, it))) {
                continue;
            }
            List<Path> files;
            try (Stream<Path> all = Files.list(folder)) {
                files = all.filter(file -> !kept.contains(relative(file))).toList();
            } catch (NoSuchFileException e) {
                continue;
            }
            for (Path file : files) {
                remove(file);
            }
        }
    }

    /** Returns whether two partial tiles differ at most in width: then the larger tree has no full one either. */
    private static boolean sameTile(String one, String other) {
        return one.substring(0, one.lastIndexOf('/')).equals(other.substring(0, other.lastIndexOf('/')));
    }

    /** Removes every partial tile that is of none of some trees: what a crash left. */
    void removeOtherPartials(long... keptSizes) throws IOException {
        Path tiles = root.resolve(TilePaths.TILES);
        if (!Files.isDirectory(tiles)) {
            return;
        }
        Set<String> kept = partials(keptSizes);
        List<Path> stale;
        try (Stream<Path> files = Files.walk(tiles)) {
            stale = files.filter(file -> inPartialFolder(file) && !kept.contains(relative(file)))
                    .toList();
        }
        for (Path file : stale) {
            remove(file);
        }
    }

    private static boolean inPartialFolder(Path file) {
        Path folder = file.getParent();
        return folder != null && folder.getFileName().toString().endsWith(".p");
    }

    private String relative(Path file) {
        return root.toAbsolutePath().relativize(file.toAbsolutePath()).toString();
    }

    private static Set<String> partials(long... sizes) {
        Set<String> paths = new HashSet<>();
        for (long size : sizes) {
            paths.addAll(TilePaths.partials(size));
        }
        return paths;
    }

    private void remove(Path file) throws IOException {
        disk.delete(file);
        try {
            Files.deleteIfExists(file.toAbsolutePath().getParent());
        } catch (DirectoryNotEmptyException e) {
            // Another partial tile of the same number is still needed.
        }
    }

    /** Reads a published file of at most some bytes, or fewer than expected where it was cut. */
    byte[] read(String path, int limit) throws IOException {
        // Not through a channel: an interrupt of the caller must not look like a damaged file.
        Path file = root.resolve(path);
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(file.toString());
        }
        try (FileInputStream in = new FileInputStream(file.toFile())) {
            byte[] bytes = in.readNBytes(limit);
            if (bytes.length == limit && in.read() >= 0) {
                throw new IOException(file + " is larger than " + limit + " bytes");
            }
            return bytes;
        }
    }

    /** Returns the widths, at least some, in which a tile is there: the exact first, then wider ones, the full last. */
    List<Integer> widths(String path, int atLeast) throws IOException {
        int partial = path.indexOf(".p/");
        String full = partial < 0 ? path : path.substring(0, partial);
        Set<Integer> widths = new TreeSet<>();
        try (Stream<Path> files = Files.list(root.resolve(full + ".p"))) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.matches("[1-9][0-9]{0,2}"))
                    .map(Integer::valueOf)
                    .filter(width -> width >= atLeast && width < TilePaths.WIDTH)
                    .forEach(widths::add);
        } catch (NoSuchFileException e) {
            // There is none, or the full one alone.
        }
        if (Files.exists(root.resolve(full))) {
            widths.add(TilePaths.WIDTH);
        }
        return List.copyOf(widths);
    }

    static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
