package org.computehive.market;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What a guest reaches over the network. Part of the shape of a VM that a lender lists; the gateway reaches the guest's SSH
 * server under every policy, and guests never reach each other. Immutable and thread-safe.
 *
 * @param kind how much
 * @param allowed the destinations of {@link Kind#RESTRICTED}; empty for the others
 */
public record NetworkPolicy(Kind kind, List<Destination> allowed) {
    /** Nothing at all: what a listing has that doesn't say otherwise. */
    public static final NetworkPolicy NONE = new NetworkPolicy(Kind.NONE, List.of());
    /** The internet, over NAT. */
    public static final NetworkPolicy INTERNET = new NetworkPolicy(Kind.INTERNET, List.of());
    /** How many destinations a list may have. */
    public static final int MOST_DESTINATIONS = 256;

    /** How much a guest reaches. */
    public enum Kind {
        /** Nothing. */
        NONE,
        /** What a list names. A lender may name addresses of its own network, but not the host. */
        RESTRICTED,
        /** Every public IPv4 address: never the host, its networks, private, link-local or metadata addresses. */
        INTERNET
    }

    /** What is carried to a destination. */
    public enum Protocol {
        /** TCP. */
        TCP,
        /** UDP. */
        UDP
    }

    /**
     * Addresses and ports that a guest may open connections to.
     *
     * @param addresses IPv4 addresses in CIDR notation, such as {@code 192.0.2.0/24}; a single address ends in {@code /32}
     * @param protocol TCP or UDP
     * @param firstPort the first port, 1 to 65535
     * @param lastPort the last one, not before the first
     */
    public record Destination(String addresses, Protocol protocol, int firstPort, int lastPort) {
        /**
         * Checks the form, and that no address is one that no guest ever reaches.
         *
         * @throws IllegalArgumentException if a part is malformed or out of range, or an address is the host's own
         *     loopback, link-local, a cloud's metadata service, the platform's links to guests, multicast or reserved
         */
        public Destination {
            Objects.requireNonNull(protocol, "protocol");
            Ipv4Range range = Ipv4Range.parse(addresses);
            for (Ipv4Range never : Ipv4Range.NEVER) {
                if (range.overlaps(never)) {
                    throw new IllegalArgumentException(
                            "destination %s overlaps %s, which no guest ever reaches: allow addresses outside of it"
                                    .formatted(range, never));
                }
            }
            if (firstPort < 1 || lastPort < firstPort || lastPort > 65_535) {
                throw new IllegalArgumentException(
                        "ports %d to %d are out of range: 1 to 65535, the first not over the last"
                                .formatted(firstPort, lastPort));
            }
        }

        /** Returns one TCP port of addresses in CIDR notation. */
        public static Destination tcp(String addresses, int port) {
            return new Destination(addresses, Protocol.TCP, port, port);
        }

        /** Returns one UDP port of addresses in CIDR notation. */
        public static Destination udp(String addresses, int port) {
            return new Destination(addresses, Protocol.UDP, port, port);
        }

        /** Returns it in words, such as {@code tcp 192.0.2.0/24 port 443}. */
        @Override
        public String toString() {
            String ports = firstPort == lastPort ? "port " + firstPort : "ports %d-%d".formatted(firstPort, lastPort);
            return protocol.name().toLowerCase(Locale.ROOT) + " " + addresses + " " + ports;
        }
    }

    /**
     * Copies the list and checks that it fits the kind.
     *
     * @throws IllegalArgumentException if a restricted policy has no or over {@value #MOST_DESTINATIONS} destinations, or
     *     another policy has any
     */
    public NetworkPolicy {
        Objects.requireNonNull(kind, "kind");
        allowed = List.copyOf(allowed);
        if (kind != Kind.RESTRICTED && !allowed.isEmpty()) {
            throw new IllegalArgumentException(
                    "policy %s takes no list of destinations: use RESTRICTED, or leave the list out".formatted(kind));
        }
        if (kind == Kind.RESTRICTED && (allowed.isEmpty() || allowed.size() > MOST_DESTINATIONS)) {
            throw new IllegalArgumentException("policy RESTRICTED has %d destinations: it needs 1 to %d"
                    .formatted(allowed.size(), MOST_DESTINATIONS));
        }
    }

    /**
     * Returns a policy that allows what a list names.
     *
     * @throws IllegalArgumentException if it is empty or too long
     */
    public static NetworkPolicy restricted(List<Destination> allowed) {
        return new NetworkPolicy(Kind.RESTRICTED, allowed);
    }

    /** Returns the ranges that no guest reaches under any policy, in CIDR notation. */
    public static List<String> never() {
        return Ipv4Range.NEVER.stream().map(Ipv4Range::toString).toList();
    }

    /** Returns the ranges of private and shared networks, which a guest reaches only where a list names them. */
    public static List<String> privateNetworks() {
        return Ipv4Range.PRIVATE.stream().map(Ipv4Range::toString).toList();
    }

    /** Returns it in words for a renter. */
    public String words() {
        return switch (kind) {
            case NONE -> "none but the forwarded SSH port";
            case RESTRICTED ->
                allowed.stream().map(Destination::toString).collect(Collectors.joining(", ", "only ", ""));
            case INTERNET -> "public IPv4 addresses over NAT";
        };
    }
}
