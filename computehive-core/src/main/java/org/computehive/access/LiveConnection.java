package org.computehive.access;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.session.Session;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One authenticated connection: it ends when its time is over or when it is cut, whichever comes first.
 *
 * <p>Thread-safe.
 */
final class LiveConnection {
    static final AttributeKey<LiveConnection> KEY = new AttributeKey<>();
    private static final Logger LOG = LoggerFactory.getLogger(LiveConnection.class);

    /**
     * A peer that doesn't read gets no longer than this to take the message that says why, and with it what was passed on
     * before: less than the 100 ms after which no byte may come.
     */
    private static final Duration FAREWELL = Duration.ofMillis(90);

    /** The wall clock may be set while a timer runs, so no timer trusts it for longer. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);

    private final Session session;
    private final Admission admission;
    private final OpenSshCertificate certificate;
    private final Instant certified;
    private final InstantSource clock;
    private final ScheduledExecutorService timer;
    private final Set<IoSession> targets = ConcurrentHashMap.newKeySet();
    private final AtomicReference<@Nullable String> cut = new AtomicReference<>();
    private final CompletableFuture<String> closed = new CompletableFuture<>();
    private volatile @Nullable Future<?> alarm;

    LiveConnection(
            Session session,
            Admission admission,
            OpenSshCertificate certificate,
            Instant certified,
            InstantSource clock,
            ScheduledExecutorService timer) {
        this.session = session;
        this.admission = admission;
        this.certificate = certificate;
        this.certified = certified;
        this.clock = clock;
        this.timer = timer;
    }

    Lease lease() {
        return admission.lease();
    }

    OpenSshCertificate certificate() {
        return certificate;
    }

    /** Completes with the reason when the connection has ended. */
    CompletableFuture<String> closed() {
        return closed;
    }

    /** When the certificate or the lease ends, whichever is first; the lease's end may move. */
    private Instant end() {
        Instant leased = lease().notAfter();
        return certified.isBefore(leased) ? certified : leased;
    }

    /** Looks at the clock anew, since the lease's end moved. */
    void windowMoved() {
        Future<?> pending = alarm;
        if (pending != null) {
            pending.cancel(false);
            watch();
        }
    }

    /** Starts the clock that ends this connection. */
    void watch() {
        Duration left = Duration.between(clock.instant(), end());
        if (!left.isPositive()) {
            cut(windowOver());
        } else if (!closed.isDone() && cut.get() == null) {
            Duration wait = left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT;
            schedule(this::watch, wait);
        }
    }

    private String windowOver() {
        return "%s ended: its window is over".formatted(lease().principal());
    }

    private void schedule(Runnable task, Duration wait) {
        try {
            alarm = timer.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            session.close(true); // the gateway is closing
        }
    }

    /** Returns whether the connection may still be used. */
    boolean usable() {
        return cut.get() == null && clock.instant().isBefore(end()) && admission.closedBecause(clock.instant()) == null;
    }

    /**
     * Returns whether a byte may pass now, in either direction. Once it returned false it always does: what was held back
     * leaves a gap in what the peer gets.
     */
    boolean passes() {
        if (cut.get() != null || admission.ended().isDone()) {
            return false;
        }
        if (clock.instant().isBefore(end())) {
            return true;
        }
        cut(windowOver());
        return false;
    }

    /**
     * Counts bytes that flowed and does something once the next may flow.
     *
     * @return whether that is at once, and was not done here
     */
    boolean flowed(long bytes, Runnable next) {
        long wait = admission.charge(bytes);
        String usedUp = admission.usedUp();
        if (usedUp != null) {
            cut("%s ended: %s".formatted(lease().principal(), usedUp));
            return true;
        }
        if (wait == 0) {
            return true;
        }
        try {
            var unused = timer.schedule(next, wait, TimeUnit.NANOSECONDS);
            return false;
        } catch (RejectedExecutionException e) {
            session.close(true); // the gateway is closing
            return true;
        }
    }

    /** Takes a connection to the VM; returns false and closes it if this connection is over. */
    boolean add(IoSession target) {
        targets.add(target);
        target.addCloseFutureListener(future -> targets.remove(target));
        if (!usable()) {
            target.close(true);
            return false;
        }
        return true;
    }

    /**
     * Ends connections at once: from the first moment on no byte passes on any of them, however long it then takes to tell
     * each peer why and to close. Returns once all are told.
     *
     * @param reason what each is told
     */
    static void cut(List<LiveConnection> connections, Function<LiveConnection, String> reason) {
        List<LiveConnection> stopped = connections.stream()
                .filter(connection -> connection.stop(reason.apply(connection)))
                .toList();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            stopped.forEach(connection -> threads.execute(() -> connection.farewell(reason.apply(connection))));
        }
    }

    /** Ends the connection at once; the peer is told why. Only the first call counts. */
    void cut(String reason) {
        if (stop(reason)) {
            farewell(reason);
        }
    }

    /** Lets no byte pass any more. Returns whether this was the first time. */
    private boolean stop(String reason) {
        return cut.compareAndSet(null, reason);
    }

    private void farewell(String reason) {
        schedule(() -> session.close(true), FAREWELL);
        try {
            session.disconnect(SshConstants.SSH2_DISCONNECT_BY_APPLICATION, reason);
        } catch (IOException | RuntimeException e) {
            LOG.debug(
                    "could not say farewell to {}: {}",
                    lease().principal(),
                    e.getClass().getSimpleName());
            session.close(true);
        } finally {
            targets.forEach(target -> target.close(true));
        }
    }

    /** Frees what the connection held; safe to repeat. Returns whether this was the first time. */
    boolean release() {
        admission.leave(this);
        Future<?> pending = alarm;
        if (pending != null) {
            pending.cancel(false);
        }
        targets.forEach(target -> target.close(true));
        String reason = cut.get();
        return closed.complete(reason == null ? "the renter left" : reason);
    }
}
