package org.computehive.access;

import java.time.Duration;

/**
 * How much a gateway puts up with.
 *
 * @param unauthenticated connections that have not shown a certificate yet; when there is one more, the oldest of them
 *     is dropped, so that idle ones can't keep a renter out
 * @param unauthenticatedPerAddress the same from one IPv4 address or one IPv6 /64 network; one more is dropped itself
 * @param loginGrace how long a connection may take to show a certificate
 * @param loginAttempts refused certificates per connection
 * @param connectionsPerRental live connections of one rental
 * @param channelsPerConnection open channels of one connection
 */
public record GatewayLimits(
        int unauthenticated,
        int unauthenticatedPerAddress,
        Duration loginGrace,
        int loginAttempts,
        int connectionsPerRental,
        int channelsPerConnection) {
    /** 256 in total, 16 per address, 20 seconds, 6 attempts, 32 connections, 16 channels. */
    public static final GatewayLimits DEFAULT = new GatewayLimits(256, 16, Duration.ofSeconds(20), 6, 32, 16);

    /**
     * Checks that every limit is at least 1.
     *
     * @throws IllegalArgumentException if one isn't
     */
    public GatewayLimits {
        if (unauthenticated < 1
                || unauthenticatedPerAddress < 1
                || loginAttempts < 1
                || connectionsPerRental < 1
                || channelsPerConnection < 1
                || !loginGrace.isPositive()) {
            throw new IllegalArgumentException("gateway limits must be positive: %d, %d, %s, %d, %d, %d"
                    .formatted(
                            unauthenticated,
                            unauthenticatedPerAddress,
                            loginGrace,
                            loginAttempts,
                            connectionsPerRental,
                            channelsPerConnection));
        }
    }
}
