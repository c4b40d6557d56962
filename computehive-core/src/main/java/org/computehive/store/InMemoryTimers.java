package org.computehive.store;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.computehive.rental.RentalId;
import org.computehive.rental.Timers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wake-ups in this process's memory. With threads of its own it wakes by itself; without, {@link #runDue} does on the
 * caller's thread.
 */
final class InMemoryTimers implements Timers {
    private static final Logger LOG = LoggerFactory.getLogger(InMemoryTimers.class);
    /** The longest wait before the clock is read again: it may have been set, or the machine suspended. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);
    /** More wakes than this in one {@link #runDue} mean a handler that never lets the clock go on. */
    private static final int MOST_AT_ONCE = 1_000_000;

    private final InstantSource clock;
    private final boolean threads;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final TreeSet<Wake> waiting = new TreeSet<>(
            Comparator.comparing(Wake::due).thenComparing(Wake::rental).thenComparing(Wake::version));
    private final Map<Key, Wake> byKey = new HashMap<>();
    private final Set<Key> running = new HashSet<>();
    private @Nullable Handler handler;
    private @Nullable ExecutorService pool;
    private boolean closed;

    InMemoryTimers(InstantSource clock, boolean threads) {
        this.clock = clock;
        this.threads = threads;
    }

    /** Sets the wake-up of a version, in place of the version's before it unless that is running. */
    void set(RentalId rental, long version, Optional<Instant> due) {
        lock.lock();
        try {
            remove(new Key(rental, version - 1));
            due.ifPresent(at -> add(new Wake(at, rental, version, 0)));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void start(Handler toWake) {
        lock.lock();
        try {
            if (handler != null || closed) {
                throw new IllegalStateException("these timers were started or closed already: start them once");
            }
            handler = toWake;
            if (threads) {
                pool = Executors.newFixedThreadPool(
                        Wakes.THREADS,
                        Thread.ofPlatform()
                                .daemon()
                                .name("computehive-wake-", 1)
                                .factory());
                Thread.ofPlatform().daemon().name("computehive-timers").start(() -> wakeUntilClosed(toWake));
            }
        } finally {
            lock.unlock();
        }
    }

    private void wakeUntilClosed(Handler toWake) {
        lock.lock();
        try {
            while (!closed) {
                Wake due = takeDue();
                ExecutorService executor = pool;
                if (due != null && executor != null) {
                    executor.execute(() -> run(toWake, due));
                } else {
                    changed.awaitNanos(waitFor().toNanos());
                }
            }
        } catch (InterruptedException e) {
            LOG.warn("the timers' thread was interrupted: nothing is woken any more", e);
        } finally {
            lock.unlock();
        }
    }

    private Duration waitFor() {
        if (waiting.isEmpty()) {
            return LONGEST_WAIT;
        }
        Duration left = Duration.between(clock.instant(), waiting.first().due());
        return left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT;
    }

    /** Runs what is due on this thread until nothing due is left. Returns how many wake-ups it ran. */
    int runDue() {
        int count = 0;
        while (count < MOST_AT_ONCE) {
            Handler toWake;
            Wake due;
            lock.lock();
            try {
                toWake = handler;
                due = closed ? null : takeDue();
            } finally {
                lock.unlock();
            }
            if (toWake == null || due == null) {
                return count;
            }
            run(toWake, due);
            count++;
        }
        throw new IllegalStateException(
                "%d wake-ups ran and more are due at %s: a handler asks to be woken again at once, for ever"
                        .formatted(count, clock.instant()));
    }

    Optional<Instant> nextDue() {
        lock.lock();
        try {
            return waiting.isEmpty()
                    ? Optional.empty()
                    : Optional.of(waiting.first().due());
        } finally {
            lock.unlock();
        }
    }

    private void run(Handler toWake, Wake wake) {
        Wake next = null;
        try {
            Instant again = toWake.wake(wake.rental(), wake.version());
            next = again == null ? null : new Wake(again, wake.rental(), wake.version(), 0);
        } catch (Throwable e) {
            Duration delay = Wakes.retryAfter(wake.failures());
            LOG.warn(
                    "rental {} version {}: what was due failed, tried again in {}",
                    wake.rental(),
                    wake.version(),
                    delay,
                    e);
            next = new Wake(clock.instant().plus(delay), wake.rental(), wake.version(), wake.failures() + 1);
        } finally {
            done(wake, next);
        }
    }

    private void done(Wake wake, @Nullable Wake next) {
        lock.lock();
        try {
            running.remove(wake.key());
            if (next != null) {
                add(next);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Wake takeDue() {
        if (handler == null || waiting.isEmpty() || waiting.first().due().isAfter(clock.instant())) {
            return null;
        }
        Wake first = waiting.removeFirst();
        byKey.remove(first.key());
        running.add(first.key());
        return first;
    }

    private void add(Wake wake) {
        remove(wake.key());
        byKey.put(wake.key(), wake);
        waiting.add(wake);
        changed.signalAll();
    }

    private void remove(Key key) {
        Wake old = byKey.remove(key);
        if (old != null) {
            waiting.remove(old);
        }
    }

    @Override
    public void hurry() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        ExecutorService toEnd;
        lock.lock();
        try {
            closed = true;
            toEnd = pool;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (toEnd != null) {
            toEnd.shutdown();
            awaitEnd(toEnd);
        }
    }

    private static void awaitEnd(ExecutorService executor) {
        try {
            while (!executor.awaitTermination(1, TimeUnit.MINUTES)) {
                LOG.warn("handlers still run after a minute: waiting for them");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private record Key(RentalId rental, long version) {}

    private record Wake(Instant due, RentalId rental, long version, int failures) {
        Key key() {
            return new Key(rental, version);
        }
    }
}
