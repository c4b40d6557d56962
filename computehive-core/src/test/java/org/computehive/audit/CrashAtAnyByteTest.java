package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The process ends at any byte that it writes, at any rename and at any removal; or the machine does, and what was not
 * synced is gone in part. Whatever happens, what was acknowledged is there, in order, and nothing else but whole entries
 * that were on their way.
 */
class CrashAtAnyByteTest {
    private static final long SEED = Long.getLong("computehive.seed", 20261123);

    private final NoteKey key = NoteKey.generate("crash.example");
    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        // In memory where there is such a place: these tests sync thousands of times.
        Path memory = Path.of("/dev/shm");
        Path parent = Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"));
        folder = Files.createTempDirectory(parent, "computehive-crash-");
    }

    @AfterEach
    void removeFolder() throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    private static byte[] entry(int i) {
        return ("entry " + i).getBytes(UTF_8);
    }

    /** What came of a run: how many entries were acknowledged, and the checkpoint over them. */
    private record Outcome(int acknowledged, List<String> checkpoints, long bytes) {}

    /** Appends until the crash; opens and publishes on the way. */
    private Outcome run(Path log, int entries, int segmentBytes, Mortal disk) {
        int acknowledged = 0;
        List<String> checkpoints = new ArrayList<>();
        while (acknowledged < entries && !disk.dead) {
            try (FileAuditLog opened = FileAuditLog.open(log, key, disk, segmentBytes)) {
                for (int n = 0; n < 20 && acknowledged < entries; n++) {
                    opened.append(entry(acknowledged));
                    acknowledged++;
                    checkpoints.add(opened.checkpoint());
                    if (n % 7 == 3) {
                        opened.publish();
                    }
                }
            } catch (AuditLogException e) {
                assertTrue(disk.dead, () -> "refused without a crash: " + e);
            }
        }
        return new Outcome(acknowledged, checkpoints, disk.written);
    }

    private void check(Path log, Outcome outcome, String when) {
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            int size = Math.toIntExact(opened.size());
            assertTrue(
                    size == outcome.acknowledged() || size == outcome.acknowledged() + 1,
                    "%d of %d acknowledged are left, %s".formatted(size, outcome.acknowledged(), when));
            List<byte[]> entries = opened.entries(0, size);
            for (int i = 0; i < size; i++) {
                assertArrayEquals(entry(i), entries.get(i), "entry %d, %s".formatted(i, when));
            }
            assertEquals(size, opened.append(entry(size)));
        }
        List<String> last = outcome.checkpoints().isEmpty()
                ? List.of()
                : List.of(outcome.checkpoints().getLast());
        VerificationReport report = new Verifier(key.verifierKey()).verify(log, last, List.of());
        assertEquals(List.of(), report.failures(), when);
    }

    @Test
    void kill_atEveryByteOfAFewEntries_losesNothingAcknowledged() {
        long bytes =
                run(folder.resolve("whole"), 3, 400, new Mortal(Long.MAX_VALUE)).bytes();
        for (long at = 0; at <= bytes; at++) {
            Path log = folder.resolve("at" + at);
            check(log, run(log, 3, 400, new Mortal(at)), "killed at byte " + at);
        }
    }

    @Test
    void kill_anywhereAmongManyEntries_losesNothingAcknowledged() {
        Random random = new Random(SEED);
        long bytes = run(folder.resolve("whole"), 600, 3_000, new Mortal(Long.MAX_VALUE))
                .bytes();
        for (int i = 0; i < 30; i++) {
            long at = random.nextLong(bytes);
            Path log = folder.resolve("log" + i);
            check(log, run(log, 600, 3_000, new Mortal(at)), "killed at byte %d, seed %d".formatted(at, SEED));
        }
    }

    @Test
    void powerFailure_withWhatWasNotSyncedTornAtRandom_losesNothingAcknowledged() throws Exception {
        Random random = new Random(SEED);
        long bytes = run(folder.resolve("whole"), 300, 3_000, new Mortal(Long.MAX_VALUE))
                .bytes();
        for (int i = 0; i < 30; i++) {
            long at = random.nextLong(bytes);
            Path log = folder.resolve("log" + i);
            var disk = new Mortal(at);
            Outcome outcome = run(log, 300, 3_000, disk);
            disk.tear(random);
            check(log, outcome, "power failed at byte %d, seed %d".formatted(at, SEED));
        }
    }

    /** A disk under a process that ends after so many bytes: from then on nothing it does has any effect. */
    private static final class Mortal implements SegmentFiles {
        private final long end;
        private final Map<Path, long[]> lengths = new HashMap<>(); // synced and written
        private long written;
        private volatile boolean dead;

        Mortal(long end) {
            this.end = end;
        }

        private synchronized void step(long bytes) throws IOException {
            if (dead || written + bytes > end) {
                dead = true;
                throw new IOException("killed");
            }
            written += bytes;
        }

        @Override
        public synchronized SegmentFile open(Path file, boolean create) throws IOException {
            step(1);
            SegmentFile real = SegmentFiles.DISK.open(file, create);
            long before = Files.size(file);
            long[] length = lengths.computeIfAbsent(file, name -> new long[] {before, before});
            return new SegmentFile() {
                @Override
                public void write(ByteBuffer bytes, long position) throws IOException {
                    synchronized (Mortal.this) {
                        int fits = (int) Math.min(bytes.remaining(), dead ? 0 : end - written);
                        int asked = bytes.remaining();
                        real.write(bytes.slice(bytes.position(), fits), position);
                        length[1] = Math.max(length[1], position + fits);
                        length[0] = Math.min(length[0], position);
                        step(asked == fits ? fits : Long.MAX_VALUE - written);
                    }
                }

                @Override
                public void force() throws IOException {
                    synchronized (Mortal.this) {
                        step(0);
                        real.force();
                        length[0] = length[1];
                    }
                }

                @Override
                public void truncate(long size) throws IOException {
                    synchronized (Mortal.this) {
                        step(0);
                        real.truncate(size);
                        length[0] = Math.min(length[0], size);
                        length[1] = size;
                    }
                }

                @Override
                public void close() throws IOException {
                    real.close();
                }
            };
        }

        @Override
        public synchronized void replace(Path from, Path to) throws IOException {
            step(1);
            SegmentFiles.super.replace(from, to);
            long[] moved = lengths.remove(from);
            if (moved != null) {
                lengths.put(to, moved);
            }
        }

        @Override
        public synchronized void delete(Path file) throws IOException {
            step(1);
            SegmentFiles.super.delete(file);
            lengths.remove(file);
        }

        /** Cuts every file somewhere between what was synced and what was written. */
        synchronized void tear(Random random) throws IOException {
            for (Map.Entry<Path, long[]> file : lengths.entrySet()) {
                long synced = file.getValue()[0];
                long all = file.getValue()[1];
                if (all > synced && Files.exists(file.getKey())) {
                    try (FileChannel channel = FileChannel.open(file.getKey(), StandardOpenOption.WRITE)) {
                        channel.truncate(synced + random.nextLong(all - synced + 1));
                    }
                }
            }
        }
    }
}
