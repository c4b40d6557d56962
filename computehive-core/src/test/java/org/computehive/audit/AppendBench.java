package org.computehive.audit;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;

/** Measures durable appends: {@code AppendBench DIR IN_FLIGHT SECONDS}; run by hand. */
final class AppendBench {
    private AppendBench() {}

    public static void main(String[] args) throws Exception {
        int inFlight = Integer.parseInt(args[1]);
        try (FileAuditLog log = FileAuditLog.open(Path.of(args[0]), NoteKey.generate("bench.example"))) {
            long[][] waits = new long[inFlight][];
            CountDownLatch done = new CountDownLatch(inFlight);
            long start = System.nanoTime();
            long end = start + Long.parseLong(args[2]) * 1_000_000_000L;
            for (int t = 0; t < inFlight; t++) {
                int thread = t;
                Thread.ofVirtual().start(() -> {
                    waits[thread] = appendUntil(end, log);
                    done.countDown();
                });
            }
            done.await();
            double seconds = (System.nanoTime() - start) / 1e9;
            long[] all =
                    Arrays.stream(waits).flatMapToLong(Arrays::stream).sorted().toArray();
            System.out.printf(
                    "%d in flight: %d appends in %.1f s = %.0f/s, p50 %.2f ms, p99 %.2f ms%n",
                    inFlight,
                    all.length,
                    seconds,
                    all.length / seconds,
                    all[all.length / 2] / 1e6,
                    all[(int) (all.length * 0.99)] / 1e6);
        }
    }

    private static long[] appendUntil(long end, AuditLog log) {
        byte[] entry = new byte[200];
        long[] waits = new long[1 << 10];
        int count = 0;
        long now = System.nanoTime();
        while (now < end) {
            log.append(entry);
            long after = System.nanoTime();
            if (count == waits.length) {
                waits = Arrays.copyOf(waits, 2 * count);
            }
            waits[count++] = after - now;
            now = after;
        }
        return Arrays.copyOf(waits, count);
    }
}
