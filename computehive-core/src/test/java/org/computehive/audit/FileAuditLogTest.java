package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileAuditLogTest extends AuditLogContract {
    private static final String FIRST_SEGMENT = "private/wal/00000000000000000000.wal";
    private final NoteKey key = NoteKey.generate("file.example");

    @TempDir
    private Path folder;

    @Override
    protected AuditLog open() {
        return FileAuditLog.open(folder.resolve("contract"), key);
    }

    @Override
    protected VerifierKey key() {
        return key.verifierKey();
    }

    private static byte[] entry(int i) {
        return ("entry " + i).getBytes(UTF_8);
    }

    private static void assertEntries(AuditLog log, int count) {
        List<byte[]> entries = log.entries(0, count);
        for (int i = 0; i < count; i++) {
            assertArrayEquals(entry(i), entries.get(i), "entry " + i);
        }
    }

    private void assertVerifies(Path log, long size) {
        VerificationReport report = new Verifier(key()).verify(log);
        assertEquals(List.of(), report.failures());
        assertEquals(size, report.checkpoint().orElseThrow().size());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
    }

    @Test
    void open_again_hasEveryEntryAndGoesOn() {
        Path log = folder.resolve("log");
        for (int run = 0; run < 4; run++) {
            try (FileAuditLog opened = FileAuditLog.open(log, key)) {
                assertEquals(run * 200, opened.size());
                assertEntries(opened, run * 200);
                for (int i = 0; i < 200; i++) {
                    assertEquals(run * 200 + i, opened.append(entry(run * 200 + i)));
                }
            }
            assertVerifies(log, (run + 1) * 200);
        }
    }

    @Test
    void segments_thatTheTilesHold_areDeletedAndNothingIsLost() throws Exception {
        Path log = folder.resolve("log");
        for (int run = 0; run < 5; run++) {
            try (FileAuditLog opened = FileAuditLog.open(log, key, SegmentFiles.DISK, 10_000)) {
                assertEntries(opened, run * 331);
                for (int i = 0; i < 331; i++) {
                    opened.append(entry(run * 331 + i));
                }
                opened.publish();
                assertEntries(opened, (run + 1) * 331);
                try (Stream<Path> segments = Files.list(log.resolve("private/wal"))) {
                    assertTrue(segments.count() <= 2);
                }
            }
            assertVerifies(log, (run + 1) * 331);
        }
        assertFalse(Files.exists(log.resolve(FIRST_SEGMENT)));
    }

    @Test
    void publish_writesTheTilesOfTheCheckpointAndRemovesPartialsOfFullOnes() throws Exception {
        Path log = folder.resolve("log");
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            for (int i = 0; i < 300; i++) {
                opened.append(entry(i));
                if (i % 50 == 0) {
                    opened.publish();
                }
            }
            opened.publish();
            assertEquals(opened.checkpoint(), Files.readString(log.resolve("checkpoint")));
            for (String path : List.of(
                    "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44")) {
                assertTrue(Files.isRegularFile(log.resolve(path)), path);
            }
            // A reader with an earlier checkpoint finds the full tile where a partial one is gone.
            assertFalse(Files.exists(log.resolve("tile/0/000.p")));
            assertFalse(Files.exists(log.resolve("tile/entries/000.p")));
            assertEquals(8192, Files.size(log.resolve("tile/0/000")));
        }
    }

    @Test
    void tilePath_ofALargeNumber_isAsInTheSpecification() {
        assertEquals("tile/0/x001/x234/067", TilePaths.tile(0, 1_234_067, 256));
        assertEquals("tile/entries/x001/x234/067.p/8", TilePaths.bundle(1_234_067, 8));
    }

    @Test
    void writeAheadFile_cutAtEveryByte_losesNothingAcknowledgedBefore() throws Exception {
        Path log = folder.resolve("log");
        List<Long> ends = new ArrayList<>();
        Path wal = log.resolve(FIRST_SEGMENT);
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            ends.add(Files.size(wal));
            for (int i = 0; i < 2; i++) {
                opened.append(entry(i));
                ends.add(Files.size(wal));
            }
        }
        byte[] whole = Files.readAllBytes(wal);
        for (int cut = 0; cut <= whole.length; cut++) {
            Path crashed = folder.resolve("crashed" + cut);
            Files.createDirectories(crashed.resolve("private/wal"));
            Files.write(crashed.resolve(FIRST_SEGMENT), Arrays.copyOf(whole, cut));
            int length = cut;
            int acknowledged =
                    Math.max(0, (int) ends.stream().filter(end -> end <= length).count() - 1);
            try (FileAuditLog opened = FileAuditLog.open(crashed, key)) {
                assertEquals(acknowledged, opened.size(), "cut at " + cut);
                assertEntries(opened, acknowledged);
                if (cut % 16 == 0) {
                    assertEquals(acknowledged, opened.append(entry(acknowledged)));
                }
            }
            assertVerifies(crashed, acknowledged + (cut % 16 == 0 ? 1 : 0));
        }
    }

    @Test
    void lastRecord_withEveryByteChanged_isNeverAccepted_andEarlierOnesAreRefusedLoudly() throws Exception {
        Path log = folder.resolve("log");
        Path wal = log.resolve(FIRST_SEGMENT);
        long lastStart;
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            opened.append(entry(0));
            lastStart = Files.size(wal);
            opened.append(entry(1));
        }
        byte[] whole = Files.readAllBytes(wal);
        for (int at = 0; at < whole.length; at += 7) {
            Path crashed = folder.resolve("changed" + at);
            Files.createDirectories(crashed.resolve("private/wal"));
            byte[] changed = whole.clone();
            changed[at] ^= 0x10;
            Files.write(crashed.resolve(FIRST_SEGMENT), changed);
            if (at < lastStart) {
                assertThrows(AuditLogException.class, () -> FileAuditLog.open(crashed, key), "byte " + at);
                assertArrayEquals(changed, Files.readAllBytes(crashed.resolve(FIRST_SEGMENT)));
            } else {
                try (FileAuditLog opened = FileAuditLog.open(crashed, key)) {
                    assertEquals(1, opened.size(), "byte " + at);
                }
            }
        }
    }

    @Test
    void open_withLessThanWasPublished_isRefused() throws Exception {
        Path log = folder.resolve("log");
        Path wal = log.resolve(FIRST_SEGMENT);
        long before;
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            opened.append(entry(0));
            before = Files.size(wal);
            opened.append(entry(1));
        }
        Files.write(wal, Arrays.copyOf(Files.readAllBytes(wal), (int) before));
        String message = assertThrows(AuditLogException.class, () -> FileAuditLog.open(log, key))
                .getMessage();
        assertTrue(message.contains("it has 1 entries, but 2 were acknowledged"), message);
        Files.delete(wal);
        assertThrows(AuditLogException.class, () -> FileAuditLog.open(log, key));
    }

    @Test
    void open_afterACrashBetweenTilesAndCheckpoint_publishesAnew() throws Exception {
        Path log = folder.resolve("log");
        Path crashed = folder.resolve("crashed");
        try (FileAuditLog opened = FileAuditLog.open(log, key, SegmentFiles.DISK, 5_000)) {
            for (int i = 0; i < 400; i++) {
                opened.append(entry(i));
            }
            opened.publish();
            copy(log, crashed);
        }
        // Torn tiles that were not durable, and what a crash leaves of a publication.
        Path partial = crashed.resolve("tile/0/001.p");
        Files.createDirectories(partial);
        Files.write(partial.resolve("144"), new byte[5]);
        Files.write(partial.resolve("145"), new byte[0]);
        Files.write(crashed.resolve("checkpoint"), new byte[0]);
        try (FileAuditLog opened = FileAuditLog.open(crashed, key)) {
            assertEntries(opened, 400);
        }
        assertVerifies(crashed, 400);
    }

    @Test
    void open_byASecondWriter_isRefused() {
        Path log = folder.resolve("log");
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            opened.append(entry(0));
            assertThrows(AuditLogException.class, () -> FileAuditLog.open(log, key));
            assertEquals(1, opened.append(entry(1)));
        }
        FileAuditLog.open(log, key).close();
    }

    @Test
    void open_withAnotherKey_isRefused() {
        Path log = folder.resolve("log");
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            opened.append(entry(0));
        }
        assertThrows(AuditLogException.class, () -> FileAuditLog.open(log, NoteKey.generate("file.example")));
        assertThrows(AuditLogException.class, () -> FileAuditLog.open(log, NoteKey.generate("other.example")));
        FileAuditLog.open(log, key).close();
    }

    @Test
    void append_onAFullDisk_isRefusedAndLaterOnesWorkOnceThereIsSpace() throws Exception {
        Path log = folder.resolve("log");
        FaultyFiles disk = new FaultyFiles();
        try (FileAuditLog opened = FileAuditLog.open(log, key, disk, 1 << 20)) {
            opened.append(entry(0));
            for (int written : new int[] {0, 1, 20, 200}) {
                disk.bytesLeft = written;
                assertThrows(AuditLogException.class, () -> opened.append(entry(9)));
                assertEquals(1, opened.size());
                assertEquals(1, Checkpoint.open(opened.checkpoint(), key()).size());
            }
            disk.bytesLeft = Long.MAX_VALUE;
            assertEquals(1, opened.append(entry(1)));
        }
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            assertEquals(2, opened.size());
            assertEntries(opened, 2);
        }
        assertVerifies(log, 2);
    }

    @Test
    void append_afterAFailedSync_isRefusedUntilTheLogIsOpenedAgain() {
        Path log = folder.resolve("log");
        FaultyFiles disk = new FaultyFiles();
        try (FileAuditLog opened = FileAuditLog.open(log, key, disk, 1 << 20)) {
            opened.append(entry(0));
            disk.syncFails = true;
            assertThrows(AuditLogException.class, () -> opened.append(entry(1)));
            disk.syncFails = false;
            String message = assertThrows(AuditLogException.class, () -> opened.append(entry(1)))
                    .getMessage();
            assertNotNull(message);
            assertTrue(message.contains("open the log again"), message);
            assertEquals(1, opened.size());
        }
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            assertTrue(opened.size() >= 1);
            assertArrayEquals(entry(0), opened.entries(0, 1).getFirst());
        }
    }

    @Test
    void append_whenNoNewSegmentFits_goesOnInTheOldOne() {
        Path log = folder.resolve("log");
        FaultyFiles disk = new FaultyFiles();
        try (FileAuditLog opened = FileAuditLog.open(log, key, disk, 1_000)) {
            disk.createFails = true;
            for (int i = 0; i < 30; i++) {
                opened.append(entry(i));
            }
            disk.createFails = false;
            for (int i = 30; i < 60; i++) {
                opened.append(entry(i));
            }
            assertEntries(opened, 60);
        }
        assertVerifies(log, 60);
    }

    /** A disk that can be full or fail. */
    private static final class FaultyFiles implements SegmentFiles {
        private volatile long bytesLeft = Long.MAX_VALUE;
        private volatile boolean syncFails;
        private volatile boolean createFails;

        @Override
        public SegmentFile open(Path file, boolean create) throws IOException {
            if (create && createFails) {
                throw new IOException("No space left on device");
            }
            SegmentFile real = SegmentFiles.DISK.open(file, create);
            return new SegmentFile() {
                @Override
                public void write(ByteBuffer bytes, long position) throws IOException {
                    if (bytes.remaining() > bytesLeft) {
                        real.write(bytes.slice(0, (int) bytesLeft), position);
                        throw new IOException("No space left on device");
                    }
                    real.write(bytes, position);
                }

                @Override
                public void force() throws IOException {
                    if (syncFails) {
                        throw new IOException("Input/output error");
                    }
                    real.force();
                }

                @Override
                public void truncate(long size) throws IOException {
                    real.truncate(size);
                }

                @Override
                public void close() throws IOException {
                    real.close();
                }
            };
        }
    }
}
