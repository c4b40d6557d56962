package org.computehive.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets calls that come at the same time be done together: what a database or a disk does for many at once costs little
 * more than for one.
 *
 * <p>A call that finds nobody at work goes ahead at once and alone, so nobody waits for company. Those that come meanwhile
 * gather; when the worker is done, the first of them takes all of them on. It has no thread of its own and nothing to
 * close. Thread-safe.
 *
 * @param <Q> what is asked
 * @param <A> what is answered
 */
public final class Gathering<Q, A> {
    private final int most;
    private final Work<Q, A> work;
    private final ReentrantLock lock = new ReentrantLock();
    private List<Asked<Q, A>> waiting = new ArrayList<>();
    private boolean busy;

    /**
     * Creates one.
     *
     * @param most how many are done together at the most
     * @param work does them; called by one thread at a time
     */
    public Gathering(int most, Work<Q, A> work) {
        if (most < 1) {
            throw new IllegalArgumentException("at most %d together is none: give 1 or more".formatted(most));
        }
        this.most = most;
        this.work = work;
    }

    /**
     * Asks, and waits for the answer, even if interrupted: a caller must learn what became of what it asked.
     *
     * @throws RuntimeException what the work failed this question with
     */
    public A ask(Q question) {
        var asked = new Asked<Q, A>(question, lock.newCondition());
        lock.lock();
        try {
            waiting.add(asked);
            while (busy && !asked.done && !asked.chosen) {
                asked.wake.awaitUninterruptibly();
            }
            if (asked.done) {
                return asked.result();
            }
            busy = true;
        } finally {
            lock.unlock();
        }
        lead();
        return asked.result();
    }

    /**
     * Returns whether others wait for the work at hand to end: then the work is done once more, right after it. For the work
     * to ask, that may so leave to the next time what is better done for many.
     */
    public boolean goesOn() {
        lock.lock();
        try {
            return !waiting.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void lead() {
        List<Asked<Q, A>> batch = take();
        try {
            work.doAll(List.copyOf(batch));
        } catch (RuntimeException | Error e) {
            batch.forEach(asked -> asked.failUnlessDone(e));
        } finally {
            finish(batch);
        }
    }

    /** Takes the oldest that wait; the leader is always among them, since whoever leads waited longest. */
    private List<Asked<Q, A>> take() {
        lock.lock();
        try {
            List<Asked<Q, A>> batch = waiting;
            if (batch.size() <= most) {
                waiting = new ArrayList<>();
            } else {
                waiting = new ArrayList<>(batch.subList(most, batch.size()));
                batch = new ArrayList<>(batch.subList(0, most));
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private void finish(List<Asked<Q, A>> batch) {
        lock.lock();
        try {
            for (Asked<Q, A> asked : batch) {
                asked.failUnlessDone(new IllegalStateException("was left without an answer"));
                asked.done = true;
                asked.wake.signal();
            }
            // Busy stays set, so that nobody who comes now overtakes the one who is chosen.
            busy = !waiting.isEmpty();
            if (busy) {
                waiting.getFirst().chosen = true;
                waiting.getFirst().wake.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Does what was asked. */
    @FunctionalInterface
    public interface Work<Q, A> {
        /**
         * Answers or fails each. What it throws fails those that it has not answered or failed.
         *
         * @param asked what is asked, in the order in which it came; at least one
         */
        void doAll(List<Asked<Q, A>> asked);
    }

    /**
     * One call. Used by one thread at a time.
     *
     * @param <Q> what is asked
     * @param <A> what is answered
     */
    public static final class Asked<Q, A> {
        private final Q question;
        private final Condition wake;
        private @Nullable A answer;
        private @Nullable Throwable failure;
        private boolean done;
        private boolean chosen;

        private Asked(Q question, Condition wake) {
            this.question = question;
            this.wake = wake;
        }

        /** Returns what is asked. */
        public Q question() {
            return question;
        }

        /** Answers it. */
        public void answer(A value) {
            answer = value;
            failure = null;
        }

        /** Fails it; the caller gets the exception. */
        public void fail(RuntimeException e) {
            failure = e;
            answer = null;
        }

        private void failUnlessDone(Throwable e) {
            if (answer == null && failure == null) {
                failure = e;
            }
        }

        private A result() {
            switch (failure) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new AssertionError("work fails by unchecked exceptions alone", failure);
            }
            A value = answer;
            if (value == null) {
                throw new AssertionError("neither an answer nor a failure");
            }
            return value;
        }
    }
}
