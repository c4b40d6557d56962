package org.computehive.audit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The write-ahead files: what is durable. A segment begins with an empty record whose checkpoint says what lies before
 * it; a segment is deleted once the tiles hold its entries durably.
 *
 * <p>A record is only begun once the one before is durable, so a crash can only harm the last. Harm before a whole record
 * is damage, and refused. Used by one thread, but for {@link #removeBefore}.
 */
final class WriteAheadLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WriteAheadLog.class);
    private static final int MAX_SEGMENT_BYTES = 1 << 30;
    private static final String SUFFIX = ".wal";
    private final Path folder;
    private final SegmentFiles files;
    private SegmentFiles.SegmentFile current;
    private long base;
    private long position;
    private boolean broken;

    private WriteAheadLog(Path folder, SegmentFiles files, SegmentFiles.SegmentFile current, long base, long position) {
        this.folder = folder;
        this.files = files;
        this.current = current;
        this.base = base;
        this.position = position;
    }

    /** What the segments hold: first the record that begins the oldest, then all others in order. */
    record Recovered(List<Batch> batches, List<Segment> segments) {}

    /**
     * A segment's whole records.
     *
     * @param file it
     * @param base the first entry's index
     * @param bytes the length up to which records are whole
     * @param torn whether something lies behind that
     */
    record Segment(Path file, long base, long bytes, boolean torn) {}

    /**
     * Reads the segments without changing anything.
     *
     * @throws AuditLogException if they are damaged in a way that no crash explains
     */
    static Recovered recover(Path folder) throws IOException {
        List<Path> paths;
        try (Stream<Path> all = Files.list(folder)) {
            paths = all.filter(file -> file.toString().endsWith(SUFFIX))
                    .sorted()
                    .toList();
        }
        List<Batch> batches = new ArrayList<>();
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < paths.size(); i++) {
            boolean last = i == paths.size() - 1;
            segments.add(read(paths.get(i), last, batches));
        }
        return new Recovered(batches, segments);
    }

    private static Segment read(Path file, boolean last, List<Batch> batches) throws IOException {
        if (Files.size(file) > MAX_SEGMENT_BYTES) {
            throw damaged(file, MAX_SEGMENT_BYTES, "it is larger than any that this program writes");
        }
        byte[] bytes = Files.readAllBytes(file);
        long segmentBase = base(file);
        int at = 0;
        while (at < bytes.length) {
            Batch.Read read = Batch.read(bytes, at, segmentBase);
            if (read == null) {
                break;
            }
            Batch batch = read.batch();
            long expected = batches.isEmpty() ? segmentBase : batches.getLast().end();
            boolean starts = at == 0;
            if (batch.first() != expected || starts != batch.entries().isEmpty() || starts && expected != segmentBase) {
                throw damaged(file, at, "entry %d does not follow entry %d".formatted(batch.first(), expected - 1));
            }
            batches.add(batch);
            at = read.end();
        }
        boolean torn = at < bytes.length;
        if (torn && (!last || Batch.anyAfter(bytes, at, segmentBase))) {
            throw damaged(file, at, "a record is damaged, but records follow it");
        }
        return new Segment(file, segmentBase, at, torn);
    }

    private static long base(Path file) {
        String name = file.getFileName().toString();
        try {
            return Long.parseLong(name.substring(0, name.length() - SUFFIX.length()));
        } catch (NumberFormatException e) {
            throw damaged(file, 0, "its name is not an entry's index");
        }
    }

    private static AuditLogException damaged(Path file, long offset, String why) {
        return new AuditLogException(
                "write-ahead file %s is damaged at byte %d: %s. Nothing was changed: restore the log's folder from a copy"
                        .formatted(file, offset, why),
                null);
    }

    /** Cuts a torn tail off and goes on at the end of the last segment, or begins the first. */
    static WriteAheadLog open(Path folder, SegmentFiles files, Recovered recovered, long size, String note)
            throws IOException {
        List<Segment> segments = new ArrayList<>(recovered.segments());
        if (!segments.isEmpty() && segments.getLast().bytes() == 0) {
            files.delete(segments.removeLast().file());
            TileStore.sync(folder);
        }
        if (segments.isEmpty()) {
            Begun begun = begin(folder, files, size, note);
            return new WriteAheadLog(folder, files, begun.file(), size, begun.bytes());
        }
        Segment last = segments.getLast();
        SegmentFiles.SegmentFile file = files.open(last.file(), false);
        try {
            if (last.torn()) {
                LOG.warn("Cut an unacknowledged tail off {} at byte {}", last.file(), last.bytes());
                file.truncate(last.bytes());
            }
            // What a crash left unsynced was counted as the log's: it has to be durable from here on.
            file.force();
        } catch (IOException e) {
            file.close();
            throw e;
        }
        return new WriteAheadLog(folder, files, file, last.base(), last.bytes());
    }

    private record Begun(SegmentFiles.SegmentFile file, long bytes) {}

    private static Begun begin(Path folder, SegmentFiles files, long base, String note) throws IOException {
        SegmentFiles.SegmentFile file = files.open(path(folder, base), true);
        try {
            byte[] record = new Batch(base, List.of(), note).encode(base, 0);
            file.write(ByteBuffer.wrap(record), 0);
            file.force();
            TileStore.sync(folder);
            return new Begun(file, record.length);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    private static Path path(Path folder, long base) {
        return folder.resolve(String.format(Locale.ROOT, "%020d", base) + SUFFIX);
    }

    long segmentBytes() {
        return position;
    }

    /**
     * Makes a batch durable.
     *
     * @throws AuditLogException if it could not: a later batch takes its place, or the log has to be opened again
     */
    void append(Batch batch) {
        if (broken) {
            throw new AuditLogException(
                    "write-ahead file %s failed before: mend the disk, then open the log again"
                            .formatted(path(folder, base)),
                    null);
        }
        byte[] record = batch.encode(base, position);
        try {
            current.write(ByteBuffer.wrap(record), position);
        } catch (IOException e) {
            undo();
            throw failed("written", e);
        }
        try {
            current.force();
        } catch (IOException e) {
            // The kernel may have dropped the pages and call the next sync good: nothing after this can be trusted.
            broken = true;
            throw failed("synced", e);
        }
        position += record.length;
    }

    private void undo() {
        try {
            current.truncate(position);
        } catch (IOException e) {
            broken = true;
        }
    }

    private AuditLogException failed(String what, IOException e) {
        return new AuditLogException(
                "write-ahead file %s could not be %s (%s): the entries are not in the log; free space or mend the disk, then append them again"
                        .formatted(path(folder, base), what, e.getMessage()),
                e);
    }

    /** Begins a new segment; returns false and goes on with the present one if the disk refuses. */
    boolean roll(long size, String note) {
        try {
            Begun begun = begin(folder, files, size, note);
            try {
                current.close();
            } catch (IOException e) {
                LOG.warn("A write-ahead file was not closed cleanly; its content is durable", e);
            }
            current = begun.file();
            base = size;
            position = begun.bytes();
            return true;
        } catch (IOException e) {
            LOG.warn("No new write-ahead file could be begun; the present one grows on: {}", e.toString());
            try {
                files.delete(path(folder, size));
                TileStore.sync(folder);
            } catch (IOException again) {
                broken = true;
            }
            return false;
        }
    }

    /** Deletes the segments whose entries all lie before an index, the base of a later segment. */
    void removeBefore(long index) throws IOException {
        List<Path> old;
        try (Stream<Path> all = Files.list(folder)) {
            old = all.filter(file -> file.toString().endsWith(SUFFIX) && base(file) < index)
                    .sorted()
                    .toList();
        }
        for (Path file : old) {
            files.delete(file);
        }
        TileStore.sync(folder);
    }

    @Override
    public void close() throws IOException {
        current.close();
    }
}
