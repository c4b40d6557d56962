package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.Steps.Outcome;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a rental as far as it goes now. Over all replicas only one thread works on a rental. One that comes while another
 * of its process is at it leaves a mark, and the worker looks again before it stops; one of another process comes back
 * later.
 */
final class Runner implements Timers.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(Runner.class);

    /** What nobody is harmed by if it waits, and what would go on to bother others if it did not. */
    private static final Set<Step> WAITS_FOR_OPERATOR = EnumSet.of(Step.NOTIFY);

    private final RentalStore store;
    private final Steps steps;
    private final Journal journal;
    private final RentalPolicy policy;
    private final Failures failures;
    /** Rentals being worked on; the value says whether to look again. */
    private final ConcurrentMap<RentalId, Boolean> working = new ConcurrentHashMap<>();

    Runner(RentalStore store, Steps steps, Journal journal, RentalPolicy policy) {
        this.store = store;
        this.steps = steps;
        this.journal = journal;
        this.policy = policy;
        failures = new Failures(journal, policy);
    }

    @Override
    public @Nullable Instant wake(RentalId id, long version) {
        if (store.version(id) != version) {
            return null;
        }
        Instant next = nudge(id);
        return store.version(id) == version ? next : null;
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
                next = advanceAlone(id);
                left = working.computeIfPresent(id, (key, again) -> again ? Boolean.FALSE : null) == null;
            } while (!left);
        } finally {
            if (!left) {
                working.remove(id);
            }
        }
        return next;
    }

    private @Nullable Instant advanceAlone(RentalId id) {
        Optional<RentalStore.Claim> claim = store.claim(id);
        if (claim.isEmpty()) {
            // Another replica is at it; whatever it doesn't see is looked at then.
            return journal.now().plus(policy.retry());
        }
        try (RentalStore.Claim held = claim.get()) {
            return advance(id);
        }
    }

    private @Nullable Instant advance(RentalId id) {
        while (true) {
            Optional<Rental> rental = store.rental(id);
            if (rental.isEmpty()) {
                return null;
            }
            if (rental.get().effects(policy).isEmpty()) {
                // Such as a step that failed while another command made it needless.
                failures.forget(id);
            }
            journal.ensureAudited(rental.get());
            Progress progress = step(rental.get());
            // A command of another replica may have come meanwhile, and its wake-up found the rental claimed.
            if (!progress.changed() && store.version(id) == rental.get().version()) {
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
            if (rental.stuck().containsKey(effect.step()) && WAITS_FOR_OPERATOR.contains(effect.step())) {
                continue;
            }
            switch (carryOut(rental, effect.step())) {
                case Outcome.Happened(RentalEvent event) -> {
                    failures.worked(rental.id(), effect.step());
                    return commit(rental, event);
                }
                case Outcome.Wait(Instant until) -> {
                    failures.worked(rental.id(), effect.step());
                    if (rental.stuck().containsKey(effect.step())) {
                        return commit(rental, new RentalEvent.Resumed(journal.now(), effect.step(), "it works again"));
                    }
                    next = earlier(next, until);
                }
                case Outcome.Failed(String why) -> {
                    Duration failedFor = failures.failed(rental, effect);
                    boolean isNews = !rental.stuck().containsKey(effect.step());
                    if (isNews && failedFor.compareTo(policy.recovery().stuckAfter()) >= 0) {
                        return commit(rental, new RentalEvent.Stuck(journal.now(), effect.step(), why));
                    }
                    next = earlier(next, journal.now().plus(failures.delay(rental, effect.step(), failedFor)));
                }
            }
        }
        return new Progress(false, next);
    }

    /** A part that fails in a way that nobody foresaw keeps no rental from its other steps. */
    private Outcome carryOut(Rental rental, Step step) {
        try {
            return steps.carryOut(rental, step);
        } catch (RuntimeException e) {
            LOG.error("{}: {} failed in a way that was not foreseen", rental, step, e);
            return new Outcome.Failed(Reason.of(e));
        }
    }

    private Progress commit(Rental rental, RentalEvent event) {
        try {
            journal.commit(rental, event);
        } catch (RentalException.Superseded e) {
            LOG.debug("{} changed while {} was found out; looking again", rental, event);
        } catch (RentalException.Overlap e) {
            LOG.info("{}: somebody else was first: {}", rental, e.getMessage());
            return new Progress(false, journal.now().plus(policy.retry()));
        }
        return new Progress(true, null);
    }

    private static Instant earlier(@Nullable Instant one, Instant other) {
        return one == null || other.isBefore(one) ? other : one;
    }
}
