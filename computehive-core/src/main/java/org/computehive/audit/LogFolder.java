package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.computehive.audit.Committer.Sized;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A log's folder: locked, recovered, and its published files kept up to date. */
final class LogFolder implements AutoCloseable {
    /** After how many bytes a new write-ahead file is begun. */
    static final long SEGMENT_BYTES = 32 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(LogFolder.class);
    private static final int MAX_BUNDLE_BYTES = TilePaths.WIDTH * (AuditLog.MAX_ENTRY_BYTES + Short.BYTES);
    private final Path root;
    private final Path walFolder;
    private final FileChannel lockFile;
    private final TileStore tiles;
    private final TileStore cosigned;
    private final Committer committer;
    private final WriteAheadLog wal;
    private long durable;
    private volatile long published;

    private LogFolder(Path root, NoteSigner key, SegmentFiles files, long segmentBytes, FileChannel lockFile)
            throws IOException {
        this.root = root;
        this.walFolder = walFolder(root);
        this.lockFile = lockFile;
        this.tiles = new TileStore(root, root.resolve("private/new"), files);
        this.cosigned = new TileStore(root, root.resolve("private/new-cosigned"), files);
        WriteAheadLog.Recovered found = WriteAheadLog.recover(walFolder);
        Recovery recovery = new Recovery(root, tiles, key, found);
        Sized newest = recovery.newest();
        this.durable = recovery.base();
        this.published = durable;
        this.wal = WriteAheadLog.open(walFolder, files, found, newest.size(), newest.note());
        this.committer =
                new Committer(recovery.tree(), key, wal, segmentBytes, recovery.tail(), newest, recovery.sealed());
    }

    static LogFolder open(Path folder, NoteSigner key, SegmentFiles files, long segmentBytes) {
        Path root = folder.toAbsolutePath().normalize();
        FileChannel lockFile = lock(root);
        @Nullable LogFolder opened = null;
        boolean ready = false;
        try {
            opened = new LogFolder(root, key, files, segmentBytes, lockFile);
            opened.publish();
            opened.tiles.removeOtherPartials(opened.durable, opened.published);
            ready = true;
            return opened;
        } catch (IOException e) {
            throw new AuditLogException(
                    "audit log %s could not be opened: %s. Check space, rights and the disk".formatted(root, e), e);
        } finally {
            if (!ready && opened != null) {
                opened.close();
            } else if (!ready) {
                closeQuietly(lockFile);
            }
        }
    }

    private static Path walFolder(Path root) {
        return root.resolve("private/wal");
    }

    private static FileChannel lock(Path root) {
        try {
            Files.createDirectories(root);
            Files.createDirectories(
                    walFolder(root),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            FileChannel channel =
                    FileChannel.open(root.resolve("private/lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!tryLock(channel)) {
                channel.close();
                throw new AuditLogException(
                        "audit log %s is in use by another writer: stop that one, or use another folder"
                                .formatted(root),
                        null);
            }
            return channel;
        } catch (IOException | UnsupportedOperationException e) {
            throw new AuditLogException(
                    "audit log folder %s can't be used: %s. Check space and rights".formatted(root, e), e);
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            @Nullable FileLock held = channel.tryLock();
            return held != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    Committer committer() {
        return committer;
    }

    boolean isPublishable() {
        return published < committer.size();
    }

    /** Brings the published files up to what is durable; one thread at a time. */
    void publish() throws IOException {
        long sealed = committer.sealed();
        if (sealed > durable) {
            tiles.write(durable, sealed, committer.tree(), this::entries, true);
            long before = durable;
            durable = sealed;
            committer.release(durable - durable % TilePaths.WIDTH);
            wal.removeBefore(durable);
            tiles.removePartials(before, published, durable);
        }
        Sized newest = committer.newest();
        if (newest.size() > published || !Files.exists(root.resolve(TilePaths.CHECKPOINT))) {
            // Not the tiles up to there again: what is durable must not be replaced by what isn't.
            tiles.write(Math.max(published, durable), newest.size(), committer.tree(), this::entries, false);
            tiles.writeCheckpoint(newest.note());
            long before = published;
            published = newest.size();
            tiles.removePartials(before, published, durable);
        }
    }

    /** Publishes a cosigned checkpoint; any thread. */
    void publishCosigned(String note) throws IOException {
        synchronized (cosigned) {
            cosigned.writeCosigned(note);
        }
    }

    /** Returns entries, from memory or, once they moved there for good, from full bundles. */
    List<byte[]> entries(long from, long to) {
        List<byte[]> entries = new ArrayList<>(Math.toIntExact(to - from));
        long next = from;
        while (next < to) {
            List<byte[]> held = heldFrom(next, to);
            if (!held.isEmpty()) {
                entries.addAll(held);
                return entries;
            }
            long n = next / TilePaths.WIDTH;
            long first = n * TilePaths.WIDTH;
            List<byte[]> bundle = bundle(tiles, n, TilePaths.WIDTH, committer.tree());
            long end = Math.min(first + TilePaths.WIDTH, to);
            entries.addAll(bundle.subList((int) (next - first), (int) (end - first)));
            next = end;
        }
        return entries;
    }

    private List<byte[]> heldFrom(long from, long to) {
        synchronized (committer) {
            return from < committer.tailStart() ? List.of() : committer.held(from, to);
        }
    }

    /** Reads a bundle and checks each entry against the tree; where it is missing, a wider one of the same number. */
    static List<byte[]> bundle(TileStore tiles, long n, int width, MerkleTree tree) {
        String exact = TilePaths.bundle(n, width);
        Exception problem = new NoSuchFileException(exact);
        try {
            for (int present : tiles.widths(exact, width)) {
                try {
                    return bundle(tiles, n, width, present, tree);
                } catch (IOException | IllegalArgumentException e) {
                    problem = e;
                }
            }
        } catch (IOException e) {
            problem = e;
        }
        throw new AuditLogException(
                "audit log file %s can't be used: %s. Restore it from a copy".formatted(exact, problem.getMessage()),
                problem);
    }

    private static List<byte[]> bundle(TileStore tiles, long n, int width, int present, MerkleTree tree)
            throws IOException {
        List<byte[]> entries = TilePaths.decode(tiles.read(TilePaths.bundle(n, present), MAX_BUNDLE_BYTES), present)
                .subList(0, width);
        Hasher hasher = new Hasher();
        for (int i = 0; i < width; i++) {
            if (!Arrays.equals(hasher.leaf(entries.get(i)), tree.node(0, n * TilePaths.WIDTH + i))) {
                throw new IllegalArgumentException("entry %d was changed".formatted(n * TilePaths.WIDTH + i));
            }
        }
        return entries;
    }

    @Override
    public void close() {
        try {
            wal.close();
        } catch (IOException e) {
            LOG.warn("A write-ahead file was not closed cleanly; its content is durable", e);
        }
        closeQuietly(lockFile);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.warn("The audit log's lock was not released cleanly", e);
        }
    }

    @Override
    public String toString() {
        return root.toString();
    }

    /** Returns the published checkpoint, or null if there is none. */
    static @Nullable String publishedCheckpoint(TileStore tiles) throws IOException {
        try {
            return new String(tiles.read(TilePaths.CHECKPOINT, Note.MAX_CHARS), UTF_8);
        } catch (NoSuchFileException e) {
            return null;
        }
    }
}
