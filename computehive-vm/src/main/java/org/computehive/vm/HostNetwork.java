package org.computehive.vm;

import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.StringJoiner;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.NetworkPolicy.Kind;

/**
 * What a host's operator lets guests have of its network. Immutable and thread-safe.
 *
 * <p>{@link Kind#NONE} needs nothing. The others need root, the Debian packages iproute2 and nftables, and a kernel that
 * forwards IPv4 ({@code net.ipv4.ip_forward}); a start is refused where one of these is missing.
 *
 * @param allowed the kinds of policy that a VM may have here; {@link Kind#NONE} is always among them
 * @param resolvers the name servers that images with cloud-init are told, one to three IPv4 addresses; under
 *     {@link Kind#RESTRICTED} they answer only if the policy's list names them
 * @param bandwidth the most that each session may send and receive, where it has a network
 */
public record HostNetwork(Set<Kind> allowed, List<String> resolvers, Bandwidth bandwidth) {
    private static final int MOST_RESOLVERS = 3;
    /** Public resolvers: those of the host's own network can't be reached from a guest. */
    private static final List<String> PUBLIC = List.of("9.9.9.9", "1.1.1.1");

    /**
     * Copies the collections.
     *
     * @throws IllegalArgumentException if a resolver isn't an IPv4 address that a guest could be allowed to reach, or there
     *     are none or over three
     */
    public HostNetwork {
        var kinds = EnumSet.of(Kind.NONE);
        kinds.addAll(allowed);
        allowed = Set.copyOf(kinds);
        resolvers = List.copyOf(resolvers);
        if (resolvers.isEmpty() || resolvers.size() > MOST_RESOLVERS) {
            throw new IllegalArgumentException(
                    "%d resolvers: a guest is told 1 to %d".formatted(resolvers.size(), MOST_RESOLVERS));
        }
        resolvers.forEach(address -> NetworkPolicy.Destination.udp(address + "/32", 53));
    }

    /** Returns one without limits on bandwidth. */
    public HostNetwork(Set<Kind> allowed, List<String> resolvers) {
        this(allowed, resolvers, Bandwidth.unlimited());
    }

    /** Returns the same with limits on bandwidth. */
    public HostNetwork limiting(Bandwidth other) {
        return new HostNetwork(allowed, resolvers, other);
    }

    /**
     * The most that a session may send and receive over its network device; empty for no limit. What goes through the gateway
     * counts as well. Under {@link Kind#NONE} there is nothing but the gateway, whose own limits hold.
     *
     * @param inBytesPerSecond to the guest
     * @param outBytesPerSecond from the guest
     */
    public record Bandwidth(OptionalLong inBytesPerSecond, OptionalLong outBytesPerSecond) {
        private static final long LEAST = 1_024;
        private static final long MOST = 100_000_000_000L;

        /**
         * Checks the numbers.
         *
         * @throws IllegalArgumentException if one is under a KiB a second, below which SSH times out, or over 100 GB
         */
        public Bandwidth {
            for (OptionalLong limit : List.of(inBytesPerSecond, outBytesPerSecond)) {
                if (limit.isPresent() && (limit.getAsLong() < LEAST || limit.getAsLong() > MOST)) {
                    throw new IllegalArgumentException("a bandwidth of %d bytes a second: %d to %d are possible"
                            .formatted(limit.getAsLong(), LEAST, MOST));
                }
            }
        }

        /** Returns no limits. */
        public static Bandwidth unlimited() {
            return new Bandwidth(OptionalLong.empty(), OptionalLong.empty());
        }

        /** Returns limits on both. */
        public static Bandwidth of(long inBytesPerSecond, long outBytesPerSecond) {
            return new Bandwidth(OptionalLong.of(inBytesPerSecond), OptionalLong.of(outBytesPerSecond));
        }

        boolean isLimited() {
            return inBytesPerSecond.isPresent() || outBytesPerSecond.isPresent();
        }

        /** Returns the limits in words for a renter. */
        String words() {
            var words = new StringJoiner(", ");
            inBytesPerSecond.ifPresent(limit -> words.add("in at most %d bytes/s".formatted(limit)));
            outBytesPerSecond.ifPresent(limit -> words.add("out at most %d bytes/s".formatted(limit)));
            return words + ", where the network policy gives a network";
        }
    }

    /** Returns: every policy, public resolvers. */
    public static HostNetwork defaults() {
        return new HostNetwork(EnumSet.allOf(Kind.class), PUBLIC);
    }
}
