package org.computehive.server.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Threads that take numbers until there are no more. */
final class Bookers {
    private Bookers() {}

    /** Makes one attempt. */
    @FunctionalInterface
    interface Attempting {
        /** Returns whether it was a booking. */
        boolean attempt(int thread, long number) throws Exception;
    }

    /** What came of some attempts. */
    record Result(long attempts, long bookings, double seconds, double cpuSeconds) {
        double perSecond() {
            return bookings / seconds;
        }

        double perCpuSecond() {
            return bookings / cpuSeconds;
        }
    }

    /** Says how much processor time was used so far, by whoever is measured. */
    @FunctionalInterface
    interface Meter {
        double cpuSeconds() throws Exception;
    }

    static Result run(int threads, long first, long count, Meter meter, Attempting attempting) throws Exception {
        double before = meter.cpuSeconds();
        var next = new AtomicLong(first);
        var booked = new AtomicLong();
        List<Future<Void>> running = new ArrayList<>();
        double seconds = Rounds.seconds(() -> {
            try (var pool = Executors.newFixedThreadPool(threads)) {
                for (int t = 0; t < threads; t++) {
                    int thread = t;
                    running.add(pool.submit(() -> {
                        for (long number = next.getAndIncrement();
                                number < first + count;
                                number = next.getAndIncrement()) {
                            if (attempting.attempt(thread, number)) {
                                booked.incrementAndGet();
                            }
                        }
                        return null;
                    }));
                }
            }
        });
        for (Future<Void> each : running) {
            try {
                each.get();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }
        return new Result(count, booked.get(), seconds, Math.max(meter.cpuSeconds() - before, 0.01));
    }
}
