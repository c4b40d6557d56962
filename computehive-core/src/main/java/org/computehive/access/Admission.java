package org.computehive.access;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A lease at the gateway, and the connections that live by it.
 *
 * <p>Entering and ending exclude each other, so no connection slips in while a lease is revoked. Thread-safe.
 */
final class Admission {
    private volatile Lease lease;
    private final int limit;
    private final Meter meter = new Meter();
    private final Set<LiveConnection> live = new HashSet<>();
    private final CompletableFuture<String> ended = new CompletableFuture<>();

    Admission(Lease lease, int limit) {
        this.lease = lease;
        this.limit = limit;
    }

    Lease lease() {
        return lease;
    }

    /** Counts bytes; returns how many nanoseconds to wait before the next ones. */
    long charge(long bytes) {
        return meter.charge(bytes, lease.traffic());
    }

    /** Returns why the rental's traffic ended, or null. */
    @Nullable String usedUp() {
        return meter.usedUp(lease.traffic())
                ? "its traffic of %d bytes is used up".formatted(lease.traffic().bytes())
                : null;
    }

    /** Gives the lease, for the same VM, another window; live connections follow it. Returns whether it did. */
    synchronized boolean move(Lease moved) {
        if (ended.isDone()
                || !moved.vmName().equals(lease.vmName())
                || !moved.target().equals(lease.target())) {
            return false;
        }
        lease = moved;
        live.forEach(LiveConnection::windowMoved);
        return true;
    }

    /** Completes with the reason when the lease is revoked. */
    CompletableFuture<String> ended() {
        return ended;
    }

    /** Returns why nobody may enter now, or null. */
    @Nullable String closedBecause(Instant now) {
        if (ended.isDone()) {
            return "the rental was ended: " + ended.join();
        }
        if (now.isBefore(lease.notBefore())) {
            return "the window begins at " + lease.notBefore();
        }
        if (!now.isBefore(lease.notAfter())) {
            return "the window ended at " + lease.notAfter();
        }
        return usedUp();
    }

    /** Enters a connection; returns why it may not, or null. */
    synchronized @Nullable String enter(LiveConnection connection, Instant now) {
        String closed = closedBecause(now);
        if (closed != null) {
            return closed;
        }
        if (live.size() >= limit) {
            return "the rental has %d live connections already, at most %d are allowed".formatted(live.size(), limit);
        }
        live.add(connection);
        return null;
    }

    synchronized void leave(LiveConnection connection) {
        live.remove(connection);
    }

    synchronized List<LiveConnection> live() {
        return new ArrayList<>(live);
    }

    /** Lets nobody in any more and returns those who are. */
    synchronized List<LiveConnection> end(String reason) {
        ended.complete(reason);
        return new ArrayList<>(live);
    }
}
