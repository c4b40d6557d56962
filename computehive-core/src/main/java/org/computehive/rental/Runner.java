package org.computehive.rental;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.computehive.rental.Steps.Outcome;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a rental as far as it goes now. In one process only one thread works on a rental; one that comes while another is at
 * it leaves a mark, and the worker looks again before it stops.
 */
final class Runner implements Timers.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(Runner.class);

    private final RentalStore store;
    private final Steps steps;
    private final Journal journal;
    private final RentalPolicy policy;
    /** Rentals being worked on; the value says whether to look again. */
    private final ConcurrentMap<RentalId, Boolean> working = new ConcurrentHashMap<>();

    Runner(RentalStore store, Steps steps, Journal journal, RentalPolicy policy) {
        this.store = store;
        this.steps = steps;
        this.journal = journal;
        this.policy = policy;
    }

    @Override
    public @Nullable Instant wake(RentalId id, long version) {
        Optional<Rental> rental = store.rental(id);
        if (rental.isEmpty() || rental.get().version() != version) {
            return null;
        }
        Instant next = nudge(id);
        boolean current =
                store.rental(id).filter(now -> now.version() == version).isPresent();
        return current ? next : null;
    }

    /**
     * Does everything that is due for a rental.
     *
     * @return when to look again; {@code null} if nothing is left to do
     */
    @Nullable Instant nudge(RentalId id) {
        if (working.merge(id, Boolean.FALSE, (busy, ignored) -> Boolean.TRUE)) {
            return journal.now().plus(policy.retry());
        }
        Instant next = null;
        boolean left = false;
        try {
            do {
                next = advance(id);
                left = working.computeIfPresent(id, (key, again) -> again ? Boolean.FALSE : null) == null;
            } while (!left);
        } finally {
            if (!left) {
                working.remove(id);
            }
        }
        return next;
    }

    private @Nullable Instant advance(RentalId id) {
        while (true) {
            Optional<Rental> rental = store.rental(id);
            if (rental.isEmpty()) {
                return null;
            }
            journal.ensureAudited(rental.get());
            Progress progress = step(rental.get());
            if (!progress.changed()) {
                return progress.next();
            }
        }
    }

    private record Progress(boolean changed, @Nullable Instant next) {}

    private Progress step(Rental rental) {
        Instant next = null;
        for (RentalEffect effect : rental.effects(policy)) {
            if (effect.due().isAfter(journal.now())) {
                next = earlier(next, effect.due());
                continue;
            }
            switch (steps.carryOut(rental, effect.step())) {
                case Outcome.Happened(RentalEvent event) -> {
                    commit(rental, event);
                    return new Progress(true, null);
                }
                case Outcome.Wait(Instant until) -> next = earlier(next, until);
            }
        }
        return new Progress(false, next);
    }

    private void commit(Rental rental, RentalEvent event) {
        try {
            journal.commit(rental, event);
        } catch (RentalException.Superseded e) {
            LOG.debug("{} changed while {} was found out; looking again", rental, event);
        }
    }

    private static Instant earlier(@Nullable Instant one, Instant other) {
        return one == null || other.isBefore(one) ? other : one;
    }
}
