package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.rental.RentalEffect.Step;

/**
 * Knows for how long a step has failed, and when to try it again. Thread-safe.
 *
 * <p>A step that is to be done at once has failed since the rental last got on, which its events say, also after a crash.
 * One that waits for others by its nature, such as for the chain, has failed since this engine first saw it fail.
 */
final class Failures {
    private static final Set<Step> WAITING = EnumSet.of(
            Step.WATCH_FUNDING, Step.WATCH_EXTENSION, Step.WATCH_ESCROW, Step.SETTLE, Step.SWEEP, Step.NOTIFY);

    private final Journal journal;
    private final RentalPolicy policy;
    private final Map<Key, Instant> since = new ConcurrentHashMap<>();

    private record Key(RentalId rental, Step step) {}

    Failures(Journal journal, RentalPolicy policy) {
        this.journal = journal;
        this.policy = policy;
    }

    /** Notes a failure. Returns for how long the step has failed. */
    Duration failed(Rental rental, RentalEffect effect) {
        Instant now = journal.now();
        Instant begun = WAITING.contains(effect.step())
                ? later(
                        since.computeIfAbsent(new Key(rental.id(), effect.step()), key -> now),
                        resumedAt(rental, effect.step()))
                : later(rental.tryingSince(), effect.due());
        return begun.isAfter(now) ? Duration.ZERO : Duration.between(begun, now);
    }

    /** What an operator has tried anew has all of its time again. */
    private static Instant resumedAt(Rental rental, Step step) {
        return rental.find(RentalEvent.Resumed.class)
                .filter(resumed -> resumed.step() == step)
                .map(RentalEvent.Resumed::at)
                .orElse(Instant.MIN);
    }

    void worked(RentalId id, Step step) {
        since.remove(new Key(id, step));
    }

    /** Forgets a rental of which nothing is left to do. */
    void forget(RentalId id) {
        for (Step step : WAITING) {
            worked(id, step);
        }
    }

    /** Returns how long to wait before the next try. */
    Duration delay(Rental rental, Step step, Duration failedFor) {
        Duration wait = Backoff.delay(policy, rental.id(), step, failedFor);
        // A session that runs is looked after at its pace, also while the chain can't be read.
        boolean isWatch = step == Step.WATCH_ESCROW && rental.state() == RentalState.ACTIVE;
        return isWatch && wait.compareTo(policy.watch()) > 0 ? policy.watch() : wait;
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
