package org.computehive.access;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the greeting of a lease's SSH server, in a thread of its own.
 *
 * <p>There is no event for "the port is open now": a refused connection is tried again after a moment. A connection that
 * was taken but stays silent (a port forwarder answers for a VM that still boots) is given up after a while and made
 * anew.
 */
final class Probe {
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration SILENCE = Duration.ofSeconds(10);
    /** RFC 4253 allows lines before the greeting; a VM is the renter's and may send anything. */
    private static final int BYTES_LIMIT = 8 * 1024;

    private static final String GREETING = "SSH-2.0-";

    private final Admission admission;
    private final InstantSource clock;
    private final CompletableFuture<Banner> result = new CompletableFuture<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicReference<@Nullable Socket> open = new AtomicReference<>();
    private volatile String last = "no answer yet";

    Probe(Admission admission, InstantSource clock) {
        this.admission = admission;
        this.clock = clock;
    }

    CompletableFuture<Banner> start(Duration timeout) {
        long deadline = System.nanoTime() + Math.max(0, timeout.toNanos());
        result.whenComplete((banner, problem) -> stop());
        admission.ended().thenAccept(reason -> fail("the rental was ended: " + reason));
        Thread.ofVirtual().name("computehive-probe").start(() -> run(deadline, timeout));
        return result;
    }

    private void run(long deadline, Duration timeout) {
        try {
            while (!result.isDone()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    fail(
                            "no SSH banner within %s (last: %s); look at the VM's console and give it longer if it still boots"
                                    .formatted(timeout, last));
                    return;
                }
                attempt(left);
                if (over.await(Math.min(left, PAUSE.toNanos()), TimeUnit.NANOSECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail("interrupted");
        } catch (RuntimeException e) {
            result.completeExceptionally(e);
        }
    }

    private void attempt(long leftNanos) {
        int wait = (int) Math.max(1, Math.min(Duration.ofNanos(leftNanos).toMillis(), SILENCE.toMillis()));
        // A silent VM is bounded by this watchdog in all, not by each read, so that one byte a second gains nothing.
        try (var socket = new Socket()) {
            open.set(socket);
            if (result.isDone()) {
                return;
            }
            CompletableFuture<Void> watchdog =
                    new CompletableFuture<Void>().completeOnTimeout(null, wait, TimeUnit.MILLISECONDS);
            watchdog.thenRun(() -> close(socket));
            try {
                socket.connect(admission.lease().target(), wait);
                String line = greeting(socket.getInputStream());
                result.complete(new Banner(Names.shown(line), clock.instant()));
            } finally {
                watchdog.cancel(false);
            }
        } catch (IOException e) {
            last = e.getClass().getSimpleName() + ": " + Names.shown(String.valueOf(e.getMessage()));
        } finally {
            open.set(null);
        }
    }

    private static String greeting(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int count = 0; count < BYTES_LIMIT; count++) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("closed without an SSH banner");
            }
            if (next != '\n') {
                line.append((char) next);
            } else if (line.toString().startsWith(GREETING)) {
                return line.toString().stripTrailing();
            } else {
                line.setLength(0);
            }
        }
        throw new IOException("sent %d bytes without an SSH banner".formatted(BYTES_LIMIT));
    }

    private void fail(String why) {
        Lease lease = admission.lease();
        result.completeExceptionally(new AccessException.NotUsable(
                "VM %s of %s can't be used: %s".formatted(lease.vmName(), lease.principal(), why), null));
    }

    private void stop() {
        over.countDown();
        Socket socket = open.get();
        if (socket != null) {
            close(socket);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is of no use any more.
        }
    }
}
