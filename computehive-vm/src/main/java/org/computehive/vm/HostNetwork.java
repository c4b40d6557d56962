package org.computehive.vm;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
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
 */
public record HostNetwork(Set<Kind> allowed, List<String> resolvers) {
    private static final int MOST_RESOLVERS = 3;
    /** Public resolvers: those of the host's own network can't be reached from a guest. */
    private static final List<String> PUBLIC = List.of("9.9.9.9", "1.1.1.1");

    /**
     * Copies both.
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

    /** Returns: every policy, public resolvers. */
    public static HostNetwork defaults() {
        return new HostNetwork(EnumSet.allOf(Kind.class), PUBLIC);
    }
}
