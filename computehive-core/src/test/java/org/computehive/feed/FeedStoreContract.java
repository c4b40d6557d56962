package org.computehive.feed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.computehive.market.Account;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.once.KeyTakenException;
import org.computehive.once.RequestDigest;
import org.junit.jupiter.api.Test;

/** What every {@link FeedStore} promises. A test class per implementation extends it. */
public abstract class FeedStoreContract {
    private static final Account ONE = new Account("0x" + "1".repeat(40));
    private static final Account OTHER = new Account("0x" + "2".repeat(40));

    /** Returns an empty store; the test class closes it. */
    protected abstract FeedStore store();

    @Test
    void generation_isZero_untilItIsRaised_forThatPartyAlone() {
        assertEquals(0, store().feedGeneration(ONE));
        assertEquals(1, store().raiseFeedGeneration(ONE));
        assertEquals(2, store().raiseFeedGeneration(ONE));
        assertEquals(2, store().feedGeneration(ONE));
        assertEquals(0, store().feedGeneration(OTHER));
    }

    @Test
    void generation_raisedWithAnAnswer_isRaisedOnceForItsKey() {
        var key = new IdempotencyKey("revoke-1");
        var answer = new Answer(
                ONE, key, RequestDigest.of("revoke", ONE), Instant.parse("2027-03-01T12:00:00Z"), "test.v1", "{}");
        store().raiseFeedGeneration(ONE, answer);
        assertThrows(KeyTakenException.class, () -> store().raiseFeedGeneration(ONE, answer));
        assertEquals(1, store().feedGeneration(ONE));
        assertEquals(Optional.of(answer), store().answer(ONE, key));
    }

    @Test
    void generation_raisedByManyThreads_losesNone() throws Exception {
        int threads = 16;
        Set<Long> seen = new HashSet<>();
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var work = IntStream.range(0, threads)
                    .mapToObj(i -> (Callable<Long>) () -> store().raiseFeedGeneration(ONE))
                    .toList();
            for (var done : pool.invokeAll(work)) {
                seen.add(done.get());
            }
        }
        assertEquals(threads, seen.size());
        assertEquals(threads, store().feedGeneration(ONE));
    }
}
