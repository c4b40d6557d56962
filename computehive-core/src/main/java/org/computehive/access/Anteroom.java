package org.computehive.access;

import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
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
import org.jspecify.annotations.Nullable;

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
    private final Map<IoSession, Future<?>> waiting = new LinkedHashMap<>();
    private final Map<ByteBuffer, Integer> perAddress = new HashMap<>();

    Anteroom(GatewayLimits limits, ScheduledExecutorService timer, BiConsumer<IoSession, String> dropped) {
        this.limits = limits;
        this.timer = timer;
        this.dropped = dropped;
    }

    /** Takes a connection in; returns false and closes it if its address has too many. */
    @SuppressWarnings("ReferenceEquality") // the very same connection is meant
    boolean enter(IoSession connection) {
        IoSession oldest = null;
        synchronized (this) {
            ByteBuffer address = network(connection.getRemoteAddress());
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
                network(connection.getRemoteAddress()), (address, count) -> count == 1 ? null : count - 1);
        return true;
    }

    synchronized int size() {
        return waiting.size();
    }

    /** One household or server usually has a whole IPv6 /64. */
    private static ByteBuffer network(@Nullable SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress inet) || inet.getAddress() == null) {
            return ByteBuffer.allocate(0);
        }
        byte[] bytes = inet.getAddress().getAddress();
        return ByteBuffer.wrap(inet.getAddress() instanceof Inet6Address ? Arrays.copyOf(bytes, 8) : bytes);
    }
}
