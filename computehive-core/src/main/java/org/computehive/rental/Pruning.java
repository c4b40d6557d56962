package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forgets quotes and answers whose time is over: when the engine starts, and then about once an hour. Thread-safe. */
final class Pruning {
    private static final Logger LOG = LoggerFactory.getLogger(Pruning.class);
    private static final Duration EVERY = Duration.ofHours(1);
    private static final int AT_A_TIME = 1_000;

    private final RentalStore store;
    private final Journal journal;
    private final Retention retention;
    private final AtomicReference<Instant> last = new AtomicReference<>(Instant.MIN);

    Pruning(RentalStore store, Journal journal, Retention retention) {
        this.store = store;
        this.journal = journal;
        this.retention = retention;
    }

    /** Prunes if it is time to. Never throws: what is kept too long harms nobody, and goes the next time. */
    void run() {
        Instant now = journal.now();
        Instant before = last.get();
        boolean due = before.equals(Instant.MIN) || !now.isBefore(before.plus(EVERY));
        if (!due || !last.compareAndSet(before, now)) {
            return;
        }
        try {
            // Answers first, since they may name quotes.
            while (store.pruneAnswers(now.minus(retention.answers()), AT_A_TIME) == AT_A_TIME) {
                LOG.debug("more answers to forget");
            }
            while (store.pruneQuotes(now.minus(retention.quotes()), AT_A_TIME) == AT_A_TIME) {
                LOG.debug("more quotes to forget");
            }
        } catch (RuntimeException e) {
            LOG.warn("quotes and answers could not be forgotten; tried again in {}", EVERY, e);
        }
    }
}
