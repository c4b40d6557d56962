package org.computehive.chain;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.computehive.rental.EscrowException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One daemon thread that looks for a new head block and wakes whoever waits for one. An outage makes it ask less often,
 * up to every five seconds. Thread-safe.
 */
final class HeadWatcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HeadWatcher.class);
    private static final Duration SLOWEST = Duration.ofSeconds(5);

    private static final Duration STANDSTILL = Duration.ofSeconds(1);

    private final Supplier<String> headHash;
    private final Runnable standstill;
    private final Duration interval;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Thread thread;
    private long version;
    private boolean closed;

    /** A subscription: the same runnable may subscribe twice. */
    private record Listener(Runnable runnable, Object identity) {}

    /**
     * Prepares; {@link #start} begins.
     *
     * @param headHash reads the newest block's hash; throws when it can't
     * @param standstill told each time when there was no new head for a second or more
     * @param interval between two looks
     */
    HeadWatcher(Supplier<String> headHash, Runnable standstill, Duration interval) {
        this.headHash = headHash;
        this.standstill = standstill;
        this.interval = interval;
        this.thread =
                Thread.ofPlatform().name("computehive-chain-head").daemon().unstarted(this::watch);
    }

    void start() {
        thread.start();
    }

    /** Returns a number that grows with each new head; read it before looking at the chain, then {@link #await} it. */
    long version() {
        lock.lock();
        try {
            return version;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until there is a newer head than the one seen.
     *
     * @param seen what {@link #version} said before the caller looked
     * @param deadline when to stop waiting
     * @throws EscrowException.Unreachable if the watcher is closed, or the thread interrupted (it stays so)
     */
    void await(long seen, Deadline deadline) {
        lock.lock();
        try {
            long left = deadline.nanosLeft();
            while (version == seen && !closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            if (closed) {
                throw new EscrowException.Unreachable("closed while waiting for a block", null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EscrowException.Unreachable("interrupted while waiting for a block", e);
        } finally {
            lock.unlock();
        }
    }

    /** Calls a listener at each new head, on the watcher's thread, until closed. */
    AutoCloseable onChange(Runnable listener) {
        var entry = new Listener(listener, new Object());
        listeners.add(entry);
        return () -> listeners.remove(entry);
    }

    private void watch() {
        @Nullable String last = null;
        Duration pause = interval;
        boolean out = false;
        Deadline patience = Deadline.in(STANDSTILL);
        while (!isClosed()) {
            try {
                String head = headHash.get();
                pause = interval;
                if (out) {
                    LOG.info("the chain can be read again");
                }
                if (out || !head.equals(last)) {
                    last = head;
                    patience = Deadline.in(STANDSTILL);
                    signal();
                } else if (patience.isOver()) {
                    patience = Deadline.in(STANDSTILL);
                    standstill.run();
                }
                out = false;
            } catch (RuntimeException e) {
                if (!out && !isClosed()) {
                    LOG.warn("the chain can't be read, trying on: {}", e.getMessage());
                }
                pause = out ? slower(pause) : pause;
                out = true;
            }
            pause(pause);
        }
    }

    private void signal() {
        lock.lock();
        try {
            version++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        for (Listener listener : listeners) {
            try {
                listener.runnable().run();
            } catch (RuntimeException e) {
                LOG.error("a listener for new blocks failed", e);
            }
        }
    }

    private void pause(Duration time) {
        lock.lock();
        try {
            long left = time.toNanos();
            long before = version;
            while (left > 0 && !closed && version == before) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            LOG.debug("woken to close", e);
        } finally {
            lock.unlock();
        }
    }

    private static Duration slower(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(SLOWEST) > 0 ? SLOWEST : twice;
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
