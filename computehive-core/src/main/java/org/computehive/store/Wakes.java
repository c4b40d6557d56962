package org.computehive.store;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** What both kinds of timers agree on. */
final class Wakes {
    /** How many handlers run at a time in one process. */
    static final int THREADS = 32;

    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

    private Wakes() {}

    /**
     * Returns how long to wait after a handler threw: 1 s, doubled each time, at most a minute.
     *
     * @param failures how often it threw before in a row
     */
    static Duration retryAfter(int failures) {
        Duration delay = FIRST_RETRY.multipliedBy(1L << Math.clamp(failures, 0, 10));
        return delay.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : delay;
    }

    /** Returns the first whole millisecond that is not before an instant, so that rounding never wakes early. */
    static Instant roundedUp(Instant due) {
        Instant floor = due.truncatedTo(ChronoUnit.MILLIS);
        return floor.equals(due) ? due : floor.plusMillis(1);
    }
}
