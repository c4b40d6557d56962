package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices a clock that jumps: looks every second whether as much time passed by the wall clock as by the monotonic one,
 * which nobody sets and which stands still while the machine is suspended. A clock that is slewed, as NTP usually does, is
 * no jump.
 *
 * <p>Thread-safe.
 */
final class ClockWatch implements AutoCloseable {
    /** What passes for no jump: more than a look can be late by itself, less than anybody rents by. */
    static final Duration LIMIT = Duration.ofSeconds(2);

    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final Logger LOG = LoggerFactory.getLogger(ClockWatch.class);

    private final InstantSource clock;
    private final LongSupplier nanos;
    private final Duration limit;
    private final Consumer<Jump> noticed;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ending = lock.newCondition();
    private Instant wall;
    private long monotonic;
    private boolean closed;

    /**
     * A difference between the clocks.
     *
     * @param from what the wall clock should have shown
     * @param to what it showed
     */
    record Jump(Instant from, Instant to) {
        /** Returns how far it went; negative if it was set back. */
        Duration length() {
            return Duration.between(from, to);
        }
    }

    /**
     * Creates one that looks when told to.
     *
     * @param clock the wall clock
     * @param nanos the monotonic clock, in nanoseconds from anywhere
     * @param limit a jump is more than this
     * @param noticed told of each jump once
     */
    ClockWatch(InstantSource clock, LongSupplier nanos, Duration limit, Consumer<Jump> noticed) {
        this.clock = clock;
        this.nanos = nanos;
        this.limit = limit;
        this.noticed = noticed;
        this.monotonic = nanos.getAsLong();
        this.wall = clock.instant();
    }

    /** Looks every second on a thread of its own until it is closed. */
    void start() {
        Thread.ofPlatform().daemon().name("computehive-clock").start(this::watch);
    }

    private void watch() {
        while (await()) {
            try {
                look();
            } catch (RuntimeException e) {
                LOG.warn("a jump of the clock could not be dealt with", e);
            }
        }
    }

    private boolean await() {
        lock.lock();
        try {
            long left = EVERY.toNanos();
            while (!closed && left > 0) {
                left = ending.awaitNanos(left);
            }
            return !closed;
        } catch (InterruptedException e) {
            LOG.debug("nobody interrupts this thread; it ends", e);
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Compares the clocks with how they stood at the last look. */
    void look() {
        Jump jump;
        lock.lock();
        try {
            // In this order a thread that is kept waiting in between sees a small jump forward at most.
            long nowMonotonic = nanos.getAsLong();
            Instant nowWall = clock.instant();
            jump = new Jump(wall.plusNanos(nowMonotonic - monotonic), nowWall);
            monotonic = nowMonotonic;
            wall = nowWall;
        } finally {
            lock.unlock();
        }
        if (jump.length().abs().compareTo(limit) > 0) {
            noticed.accept(jump);
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            ending.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Returns nanoseconds of the machine's monotonic clock. */
    static LongSupplier monotonic() {
        return System::nanoTime;
    }
}
