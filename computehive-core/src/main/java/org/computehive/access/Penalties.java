package org.computehive.access;

import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Shuts out addresses that are refused again and again, as OpenSSH's {@code PerSourcePenalties} do.
 *
 * <p>Remembers a bounded number of addresses: those that it heard of longest ago are forgotten. By the monotonic clock.
 * Thread-safe.
 */
final class Penalties {
    private static final int REMEMBERED = 10_000;

    private final GatewayLimits.Penalty penalty;
    private final Map<ByteBuffer, Tally> tallies = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Tally> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** Refusals since an instant, in nanoseconds. */
    private record Tally(int refusals, long since) {}

    Penalties(GatewayLimits.Penalty penalty) {
        this.penalty = penalty;
    }

    /** Counts a refused login; returns whether its address is shut out from now on. */
    synchronized boolean refused(@Nullable SocketAddress remote) {
        long now = System.nanoTime();
        Tally known = tallies.get(network(remote));
        Tally tally = known == null || now - known.since() > penalty.within().toNanos()
                ? new Tally(1, now)
                : new Tally(known.refusals() + 1, known.refusals() + 1 == penalty.refusals() ? now : known.since());
        tallies.put(network(remote), tally);
        return tally.refusals() == penalty.refusals();
    }

    /** Returns whether an address is shut out now. */
    synchronized boolean shutOut(@Nullable SocketAddress remote) {
        Tally tally = tallies.get(network(remote));
        return tally != null
                && tally.refusals() >= penalty.refusals()
                && System.nanoTime() - tally.since() < penalty.shutOut().toNanos();
    }

    Duration length() {
        return penalty.shutOut();
    }

    /** One household or server usually has a whole IPv6 /64. */
    static ByteBuffer network(@Nullable SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress inet) || inet.getAddress() == null) {
            return ByteBuffer.allocate(0);
        }
        byte[] bytes = inet.getAddress().getAddress();
        return ByteBuffer.wrap(inet.getAddress() instanceof Inet6Address ? Arrays.copyOf(bytes, 8) : bytes);
    }
}
