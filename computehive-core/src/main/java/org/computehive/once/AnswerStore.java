package org.computehive.once;

import java.time.Instant;
import java.util.Optional;
import org.computehive.market.Account;

/**
 * Keeps the answers that were given under a key. Implementations are thread-safe; each call is atomic, and durable when it
 * returns. What a command changes and its answer are kept together by the store that has both.
 */
public interface AnswerStore {
    /** Returns what was answered under a key of a caller's. */
    Optional<Answer> answer(Account caller, IdempotencyKey key);

    /**
     * Keeps an answer by itself, to a request that changed nothing.
     *
     * @throws KeyTakenException if there is one under its key; nothing changed
     */
    void putAnswer(Answer answer);

    /**
     * Forgets answers that were given before an instant. Their keys may be used again.
     *
     * @param limit how many at the most, 1 to 10,000, so that nobody waits long for it
     * @return how many were forgotten
     */
    int pruneAnswers(Instant before, int limit);
}
