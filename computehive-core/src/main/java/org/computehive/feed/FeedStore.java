package org.computehive.feed;

import org.computehive.market.Account;
import org.computehive.once.Answer;
import org.computehive.once.AnswerStore;

/**
 * Keeps a counter for each party. A feed's token names the count at which it was made and is worth nothing at any other, so
 * raising it revokes all tokens of the party. Implementations are thread-safe; each call is atomic, and durable when it
 * returns.
 *
 * <p>A database that is restored from a backup has the counters of then: make a new {@link FeedKeys key} after it, so that
 * tokens which were revoked since stay so.
 */
public interface FeedStore extends AnswerStore {
    /** Returns a party's count; 0 if it was never raised. */
    long feedGeneration(Account party);

    /** Raises a party's count by one and returns it. */
    long raiseFeedGeneration(Account party);

    /**
     * Raises a party's count by one and keeps the answer to the request to, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void raiseFeedGeneration(Account party, Answer answer);
}
