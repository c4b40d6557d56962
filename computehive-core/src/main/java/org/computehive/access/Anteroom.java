package org.computehive.access;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.apache.sshd.common.io.IoSession;

/**
 * Connections that have not shown a certificate yet. MINA limits neither their number nor, since a client may begin its
 * login anew, their time.
 *
 * <p>Thread-safe.
 */
final class Anteroom {
    private final GatewayLimits limits;
    private final ScheduledExecutorService timer;
    private final BiConsumer<IoSession, String> dropped;
    private final Penalties penalties;
    private final Map<IoSession, Future<?>> waiting = new LinkedHashMap<>();
    private final Map<ByteBuffer, Integer> perAddress = new HashMap<>();

    Anteroom(GatewayLimits limits, ScheduledExecutorService timer, BiConsumer<IoSession, String> dropped) {
        this.limits = limits;
        this.timer = timer;
        this.dropped = dropped;
        this.penalties = new Penalties(limits.penalty());
    }

    /** Counts a refused login against its address. */
    void refused(IoSession connection) {
        if (penalties.refused(connection.getRemoteAddress())) {
            dropped.accept(
                    connection,
                    "its address is shut out for %s after %d refused logins"
                            .formatted(penalties.length(), limits.penalty().refusals()));
        }
    }

    /** Takes a connection in; returns false and closes it if its address has too many or is shut out. */
    @SuppressWarnings("ReferenceEquality") // the very same connection is meant
    boolean enter(IoSession connection) {
        if (penalties.shutOut(connection.getRemoteAddress())) {
            connection.close(true); // not told each time, or guessing would fill the listener's log
            return false;
        }
        IoSession oldest = null;
        synchronized (this) {
            ByteBuffer address = Penalties.network(connection.getRemoteAddress());
            if (perAddress.getOrDefault(address, 0) < limits.unauthenticatedPerAddress()) {
                Iterator<IoSession> inOrder = waiting.keySet().iterator();
                oldest = waiting.size() >= limits.unauthenticated() ? inOrder.next() : null;
                try {
                    waiting.put(
                            connection,
                            timer.schedule(
                                    () -> drop(connection, "no certificate within " + limits.loginGrace()),
                                    limits.loginGrace().toNanos(),
                                    TimeUnit.NANOSECONDS));
                } catch (RejectedExecutionException e) {
                    connection.close(true); // the gateway is closing
                    return false;
                }
                perAddress.merge(address, 1, Integer::sum);
            } else {
                address = null;
            }
            if (address == null) {
                oldest = connection;
            }
        }
        if (oldest == connection) {
            dropped.accept(
                    connection,
                    "its address has %d unauthenticated connections already"
                            .formatted(limits.unauthenticatedPerAddress()));
            connection.close(true);
            return false;
        }
        if (oldest != null) {
            drop(oldest, "the oldest of more than %d unauthenticated connections".formatted(limits.unauthenticated()));
        }
        return true;
    }

    private void drop(IoSession connection, String reason) {
        if (leave(connection)) {
            dropped.accept(connection, reason);
            connection.close(true);
        }
    }

    /** A connection has left by itself. */
    void gone(IoSession connection) {
        if (leave(connection)) {
            dropped.accept(connection, "left without a login");
        }
    }

    /** Lets a connection out; returns whether it was here. */
    synchronized boolean leave(IoSession connection) {
        Future<?> alarm = waiting.remove(connection);
        if (alarm == null) {
            return false;
        }
        alarm.cancel(false);
        perAddress.computeIfPresent(
                Penalties.network(connection.getRemoteAddress()), (address, count) -> count == 1 ? null : count - 1);
        return true;
    }

    synchronized int size() {
        return waiting.size();
    }
}
