package org.computehive.server.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.computehive.audit.AuditLog;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.Verifier;

/**
 * Durable appends to the audit log at 256 in flight, against the promised limits and the bare {@code fdatasync} of the same
 * disk; and the verification of a million entries.
 */
final class AuditAppends implements Benchmark {
    private static final int IN_FLIGHT = 256;
    private static final long SECONDS = 5;
    private static final int WARM_UP = 2;
    private static final int ENTRY_BYTES = 200;
    private static final int SYNCS = 500;
    private static final int MILLION = 1_000_000;
    private static final double APPENDS_LIMIT = 50_000;
    private static final double ACK_LIMIT = 0.05;
    private static final double VERIFY_LIMIT = 10;
    /** Of a log that were nothing but the syncs, each for all that are in flight. */
    private static final double OF_BARE_SYNCS = 0.25;

    @Override
    public String name() {
        return "audit";
    }

    @Override
    public String about() {
        return "durable appends to the audit log, against the bare fdatasync, and a million entries verified";
    }

    private record Appended(double perSecond, double p99) {}

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        try (Scratch scratch = Scratch.onDisk()) {
            Path folder = scratch.folder();
            progress.accept("%d in flight, %d bytes each, %d s".formatted(IN_FLIGHT, ENTRY_BYTES, SECONDS));
            Appended appended = new Appended(0, 0);
            for (int round = 0; round <= WARM_UP; round++) {
                appended = appends(folder.resolve("log" + round));
            }
            double syncs = syncs(folder.resolve("bare"));
            progress.accept(
                    "%.0f appends/s, %.0f bare fdatasyncs/s; a million entries".formatted(appended.perSecond(), syncs));
            double verified = verify(folder.resolve("million"));
            return List.of(
                    new Figure("audit/appends-per-second", appended.perSecond(), APPENDS_LIMIT, 1),
                    new Figure(
                            "audit/appends-beside-bare-syncs-per-second",
                            appended.perSecond(),
                            IN_FLIGHT * syncs,
                            OF_BARE_SYNCS),
                    new Figure("audit/ack-p99-seconds", appended.p99(), ACK_LIMIT, 1),
                    new Figure("audit/verify-a-million-seconds", verified, VERIFY_LIMIT, 1));
        }
    }

    private static Appended appends(Path folder) throws Exception {
        try (var log = FileAuditLog.open(folder, NoteKey.generate("bench.example"))) {
            long[][] waits = new long[IN_FLIGHT][];
            var done = new CountDownLatch(IN_FLIGHT);
            long start = System.nanoTime();
            long end = start + TimeUnit.SECONDS.toNanos(SECONDS);
            for (int t = 0; t < IN_FLIGHT; t++) {
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
            return new Appended(all.length / seconds, all[(int) (all.length * 0.99)] / 1e9);
        }
    }

    private static long[] appendUntil(long end, AuditLog log) {
        byte[] entry = new byte[ENTRY_BYTES];
        long[] waits = new long[1 << 12];
        int count = 0;
        for (long now = System.nanoTime(); now < end; ) {
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

    /** Syncs a batch's worth of bytes again and again; returns how often a second. */
    private static double syncs(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long start = System.nanoTime();
            for (int i = 0; i < SYNCS; i++) {
                channel.write(ByteBuffer.allocate(IN_FLIGHT * ENTRY_BYTES));
                channel.force(false);
            }
            return SYNCS / ((System.nanoTime() - start) / 1e9);
        }
    }

    private static double verify(Path folder) throws Exception {
        NoteKey key = NoteKey.generate("bench.example");
        try (var log = FileAuditLog.open(folder, key)) {
            List<byte[]> entries = new ArrayList<>(Collections.nCopies(10_000, new byte[ENTRY_BYTES]));
            for (int i = 0; i < MILLION; i += entries.size()) {
                log.append(entries);
            }
        }
        return Rounds.seconds(() -> {
            if (!new Verifier(key.verifierKey()).verify(folder).holds()) {
                throw new IllegalStateException("the benchmark's own log does not verify");
            }
        });
    }
}
