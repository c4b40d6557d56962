package org.computehive.store;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;

/**
 * Says how many reservations per second a store takes, with 200 gpus and random hours of a year. Arguments: {@code
 * sqlite} or {@code postgres}, threads, seconds, and how many wake-ups each sets (0 or 1). The timers are not started.
 */
final class StoreBenchmark {
    private static final int GPUS = 200;
    private static final int HOURS = 365 * 24 / 2;

    private StoreBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        int threads = Integer.parseInt(arguments[1]);
        Duration length = Duration.ofSeconds(Long.parseLong(arguments[2]));
        boolean wake = arguments[3].equals("1");
        if (arguments[0].equals("sqlite")) {
            Path directory = Files.createTempDirectory("computehive-benchmark");
            try (RentalStore store = JdbcStore.sqlite(directory.resolve("store.db"), InstantSource.system())) {
                measure(store, threads, length, wake);
            }
            for (String suffix : new String[] {"", "-wal", "-shm"}) {
                Files.deleteIfExists(directory.resolve("store.db" + suffix));
            }
            Files.delete(directory);
        } else {
            try (PostgresServer server = PostgresServer.start();
                    RentalStore store = JdbcStore.postgres(
                            server.createDatabase(), server.user(), server.password(), InstantSource.system())) {
                measure(store, threads, length, wake);
            }
        }
    }

    private static void measure(RentalStore store, int threads, Duration length, boolean wake) throws Exception {
        var lane = new AtomicLong();
        run(store, 1, Duration.ofSeconds(2), wake, lane);
        long[][] times = run(store, threads, length, wake, lane);
        long[] all = Arrays.stream(times).flatMapToLong(LongStream::of).sorted().toArray();
        System.out.printf(
                "%d threads, %d wake-ups each: %.0f reservations/s, p50 %.1f ms, p99 %.1f ms%n",
                threads,
                wake ? 1 : 0,
                all.length / (double) length.toSeconds(),
                all[all.length / 2] / 1e6,
                all[all.length * 99 / 100] / 1e6);
    }

    private static long[][] run(RentalStore store, int threads, Duration length, boolean wake, AtomicLong lane)
            throws Exception {
        long until = System.nanoTime() + length.toNanos();
        var times = new long[threads][];
        var running = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int index = t;
            running[t] = Thread.ofPlatform().start(() -> times[index] = reserveUntil(store, until, wake, lane));
        }
        for (Thread thread : running) {
            thread.join();
        }
        return times;
    }

    private static long[] reserveUntil(RentalStore store, long until, boolean wake, AtomicLong lane) {
        var times = LongStream.builder();
        var random = ThreadLocalRandom.current();
        while (System.nanoTime() < until) {
            int hour = 2 * random.nextInt(HOURS);
            Recorded recorded = RentalStoreContract.reserved(
                    RentalId.random(),
                    RentalStoreContract.terms(
                            lane.getAndIncrement(),
                            RentalStoreContract.hours(hour, hour + 1),
                            RentalStoreContract.gpu(random.nextInt(GPUS))));
            var toAppend = new Recorded(
                    recorded.after(),
                    recorded.event(),
                    recorded.salt(),
                    wake ? Optional.of(Instant.now().plus(Duration.ofDays(1))) : Optional.empty());
            long start = System.nanoTime();
            try {
                store.append(toAppend);
                times.add(System.nanoTime() - start);
            } catch (RentalException.Overlap e) {
                // Taken by chance; not counted.
            }
        }
        return times.build().toArray();
    }
}
