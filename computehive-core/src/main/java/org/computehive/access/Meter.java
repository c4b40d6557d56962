package org.computehive.access;

import java.time.Duration;

/** Counts what a rental sends and receives, and says how long to wait. Thread-safe. */
final class Meter {
    private static final double NANOS = Duration.ofSeconds(1).toNanos();

    private long used;
    private long paidUntil = System.nanoTime();

    /** Counts bytes; returns how many nanoseconds to wait before the next ones. */
    synchronized long charge(long bytes, Traffic limit) {
        used += bytes;
        if (limit.bytesPerSecond() == Long.MAX_VALUE) {
            return 0;
        }
        long now = System.nanoTime();
        // At most a second's worth is saved up while nothing flows.
        paidUntil = Math.max(paidUntil, now - Duration.ofSeconds(1).toNanos());
        paidUntil += (long) (bytes * NANOS / limit.bytesPerSecond());
        return Math.max(0, paidUntil - now);
    }

    synchronized boolean usedUp(Traffic limit) {
        return used >= limit.bytes();
    }
}
