package org.computehive.chain;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A moment of the monotonic clock by which something has to be done. */
record Deadline(long nanoTime) {
    static Deadline in(Duration time) {
        return new Deadline(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(time.toMillis()));
    }

    /** Returns this, or the moment after a time, whichever comes first. */
    Deadline orIn(Duration time) {
        Deadline other = in(time);
        return other.nanosLeft() < nanosLeft() ? other : this;
    }

    long nanosLeft() {
        return nanoTime - System.nanoTime();
    }

    boolean isOver() {
        return nanosLeft() <= 0;
    }
}
