package org.computehive.server.demo;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns the process's being told to end ({@code Ctrl-C}, {@code SIGTERM}) into an interrupt of the thread that walks, and
 * keeps the process until that thread has cleaned up: only one thread ever starts and ends things. Thread-safe.
 */
final class Interruption {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Thread walker;
    private final CountDownLatch unwound = new CountDownLatch(1);
    private boolean requested;
    private boolean held;

    private Interruption(Thread walker) {
        this.walker = walker;
    }

    /** Watches for the process's end on behalf of a thread. */
    static Interruption watch(Thread walker) {
        var interruption = new Interruption(walker);
        Runtime.getRuntime().addShutdownHook(new Thread(interruption::request, "demo-interrupted"));
        return interruption;
    }

    private void request() {
        if (unwound.getCount() == 0) {
            return;
        }
        synchronized (this) {
            requested = true;
            if (!held) {
                walker.interrupt();
            }
        }
        try {
            if (!unwound.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                System.err.println("demo: cleaning up takes more than %d s; the next demo ends what is left"
                        .formatted(LIMIT.toSeconds()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether the process was told to end. */
    synchronized boolean requested() {
        return requested;
    }

    /** From here on the thread isn't interrupted: it cleans up. */
    synchronized void hold() {
        held = true;
        Thread.interrupted();
    }

    /** Lets the process end. */
    void unwound() {
        unwound.countDown();
    }
}
