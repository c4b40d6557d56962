package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over what another replica committed, did not put in its audit log in time, and may never: once a minute at the most.
 * Whoever next has to do with a rental does so too; this finds the events of rentals with which nobody has. Thread-safe.
 */
final class AuditSweep {
    private static final Logger LOG = LoggerFactory.getLogger(AuditSweep.class);
    private static final Duration EVERY = Duration.ofMinutes(1);
    /** A replica that lives has put an event in its log by then; one that has not makes a harmless duplicate. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Journal journal;
    private final AtomicReference<Instant> next = new AtomicReference<>(Instant.MIN);

    AuditSweep(Journal journal) {
        this.journal = journal;
    }

    /** Sweeps if it is time to. Never throws: the next one finds what this one could not take over. */
    void run() {
        Instant now = journal.now();
        Instant due = next.get();
        if (now.isBefore(due) || !next.compareAndSet(due, now.plus(EVERY))) {
            return;
        }
        try {
            journal.takeOver(now.minus(PATIENCE));
        } catch (RuntimeException e) {
            LOG.warn("events in no audit log could not be taken over; tried again in {}", EVERY, e);
        }
    }
}
