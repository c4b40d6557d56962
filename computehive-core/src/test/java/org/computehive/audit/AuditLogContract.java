package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link AuditLog} promises. */
public abstract class AuditLogContract {
    private AuditLog log;

    /** Returns a new, empty log. */
    protected abstract AuditLog open() throws Exception;

    /** Returns the key of the log's checkpoints. */
    protected abstract VerifierKey key();

    @BeforeEach
    void openLog() throws Exception {
        log = open();
    }

    @AfterEach
    void closeLog() {
        log.close();
    }

    private static byte[] entry(int i) {
        return ("entry " + i).getBytes(UTF_8);
    }

    private void appendMany(int count) {
        for (int i = 0; i < count; i++) {
            assertEquals(i, log.append(entry(i)));
        }
    }

    @Test
    void emptyLog_hasASignedCheckpointOfSizeZero() {
        assertEquals(0, log.size());
        assertEquals(0, Checkpoint.open(log.checkpoint(), key()).size());
        assertEquals(List.of(), log.entries(0, 0));
    }

    @Test
    void append_givesIndicesInOrderAndKeepsTheBytes() {
        appendMany(300);
        assertEquals(300, log.size());
        List<byte[]> entries = log.entries(0, 300);
        for (int i = 0; i < 300; i++) {
            assertArrayEquals(entry(i), entries.get(i));
        }
        assertArrayEquals(entry(257), log.entries(257, 258).getFirst());
    }

    @Test
    void append_ofTheSameBytesTwice_isTwoEntries() {
        assertEquals(0, log.append(entry(1)));
        assertEquals(1, log.append(entry(1)));
    }

    @Test
    void append_thenChangingTheArrays_doesNotChangeTheLog() {
        byte[] bytes = entry(0);
        log.append(bytes);
        bytes[0] ^= 1;
        log.entries(0, 1).getFirst()[0] ^= 1;
        assertArrayEquals(entry(0), log.entries(0, 1).getFirst());
    }

    @Test
    void append_ofTheLargestEntry_isKept_andOfNoneOrALargerIsRefused() {
        log.append(new byte[AuditLog.MAX_ENTRY_BYTES]);
        assertEquals(AuditLog.MAX_ENTRY_BYTES, log.entries(0, 1).getFirst().length);
        assertThrows(IllegalArgumentException.class, () -> log.append(new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> log.append(new byte[AuditLog.MAX_ENTRY_BYTES + 1]));
        assertEquals(1, log.size());
    }

    @Test
    void append_ofSeveral_putsThemInOrderOneBehindTheOther() {
        log.append(entry(0));
        assertEquals(1, log.append(List.of(entry(1), entry(2), entry(3))));
        assertEquals(4, log.append(List.of()), "none changes nothing");
        assertEquals(4, log.append(entry(4)));
        List<byte[]> entries = log.entries(0, 5);
        for (int i = 0; i < 5; i++) {
            assertArrayEquals(entry(i), entries.get(i));
        }
        assertEquals(5, Checkpoint.open(log.checkpoint(), key()).size());
    }

    @Test
    void append_ofSeveral_oneOfThemTooLarge_appendsNone() {
        byte[] tooLarge = new byte[AuditLog.MAX_ENTRY_BYTES + 1];
        assertThrows(IllegalArgumentException.class, () -> log.append(List.of(entry(0), tooLarge)));
        assertEquals(0, log.size());
    }

    @Test
    void append_ofSeveralFromManyThreads_keepsEachListTogether() throws Exception {
        int threads = 8;
        int each = 40;
        List<Future<Void>> results = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (int t = 0; t < threads; t++) {
                int thread = t;
                results.add(pool.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        int number = thread * each + i;
                        long first = log.append(List.of(entry(2 * number), entry(2 * number + 1)));
                        assertArrayEquals(
                                entry(2 * number), log.entries(first, first + 1).getFirst());
                        assertArrayEquals(
                                entry(2 * number + 1),
                                log.entries(first + 1, first + 2).getFirst());
                    }
                    return null;
                }));
            }
        }
        for (Future<Void> result : results) {
            result.get();
        }
        assertEquals(2L * threads * each, log.size());
    }

    @Test
    void origin_isTheNameThatCheckpointsBear() {
        assertEquals(key().name(), log.origin());
    }

    @Test
    void checkpoint_coversEveryAcknowledgedEntry_andProofsHoldAgainstIt() {
        Checkpoint earlier = null;
        for (int i = 0; i < 20; i++) {
            log.append(entry(i));
            Checkpoint checkpoint = Checkpoint.open(log.checkpoint(), key());
            assertEquals(i + 1, checkpoint.size());
            for (int index = 0; index <= i; index++) {
                assertTrue(Proofs.provesInclusion(
                        Proofs.leafHash(entry(index)),
                        index,
                        checkpoint.size(),
                        checkpoint.root(),
                        log.inclusionProof(index, checkpoint.size())));
            }
            if (earlier != null) {
                assertTrue(Proofs.provesConsistency(
                        earlier.size(),
                        checkpoint.size(),
                        earlier.root(),
                        checkpoint.root(),
                        log.consistencyProof(earlier.size(), checkpoint.size())));
            }
            earlier = checkpoint;
        }
    }

    @Test
    void questions_outOfRange_areRefused() {
        appendMany(5);
        assertThrows(IllegalArgumentException.class, () -> log.entries(0, 6));
        assertThrows(IllegalArgumentException.class, () -> log.entries(3, 2));
        assertThrows(IllegalArgumentException.class, () -> log.entries(-1, 2));
        assertThrows(IllegalArgumentException.class, () -> log.inclusionProof(5, 5));
        assertThrows(IllegalArgumentException.class, () -> log.inclusionProof(0, 6));
        assertThrows(IllegalArgumentException.class, () -> log.consistencyProof(0, 5));
        assertThrows(IllegalArgumentException.class, () -> log.consistencyProof(1, 6));
    }

    @Test
    void append_fromManyThreads_givesEachEntryItsOwnIndex() throws Exception {
        int threads = 16;
        int each = 50;
        List<Future<List<Long>>> results = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (int t = 0; t < threads; t++) {
                int thread = t;
                results.add(pool.submit(() -> {
                    List<Long> indices = new ArrayList<>();
                    for (int i = 0; i < each; i++) {
                        byte[] entry = entry(thread * each + i);
                        long index = log.append(entry);
                        assertArrayEquals(entry, log.entries(index, index + 1).getFirst());
                        indices.add(index);
                    }
                    return indices;
                }));
            }
        }
        Set<Long> all = new HashSet<>();
        for (Future<List<Long>> result : results) {
            List<Long> indices = result.get();
            assertEquals(indices.stream().sorted().toList(), indices);
            all.addAll(indices);
        }
        assertEquals(threads * each, all.size());
        assertEquals(threads * each, log.size());
        assertEquals(log.size(), Checkpoint.open(log.checkpoint(), key()).size());
    }

    @Test
    void append_afterClose_isRefused() {
        log.close();
        log.close();
        assertThrows(AuditLogException.class, () -> log.append(entry(0)));
    }
}
