package org.computehive.access;

import java.time.Duration;
import java.util.Objects;

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
 * @param penalty what comes of guessing
 */
public record GatewayLimits(
        int unauthenticated,
        int unauthenticatedPerAddress,
        Duration loginGrace,
        int loginAttempts,
        int connectionsPerRental,
        int channelsPerConnection,
        Penalty penalty) {
    /** 256 in total, 16 per address, 20 seconds, 6 attempts, 32 connections, 16 channels, {@link Penalty#DEFAULT}. */
    public static final GatewayLimits DEFAULT = new GatewayLimits(256, 16, Duration.ofSeconds(20), 6, 32, 16);

    /**
     * What comes of guessing: an address is shut out for a while.
     *
     * @param refusals after how many refused logins of one IPv4 address or one IPv6 /64 network
     * @param within in which time
     * @param shutOut for how long
     */
    public record Penalty(int refusals, Duration within, Duration shutOut) {
        /** 60 refused logins within 5 minutes shut out for 5 minutes. */
        public static final Penalty DEFAULT = new Penalty(60, Duration.ofMinutes(5), Duration.ofMinutes(5));

        /**
         * Checks that all are positive.
         *
         * @throws IllegalArgumentException if one isn't
         */
        public Penalty {
            if (refusals < 1 || !within.isPositive() || !shutOut.isPositive()) {
                throw new IllegalArgumentException("a gateway's penalty must be positive: %d refusals within %s, %s"
                        .formatted(refusals, within, shutOut));
            }
        }
    }

    /** Has the {@link Penalty#DEFAULT default} penalty. */
    public GatewayLimits(
            int unauthenticated,
            int unauthenticatedPerAddress,
            Duration loginGrace,
            int loginAttempts,
            int connectionsPerRental,
            int channelsPerConnection) {
        this(
                unauthenticated,
                unauthenticatedPerAddress,
                loginGrace,
                loginAttempts,
                connectionsPerRental,
                channelsPerConnection,
                Penalty.DEFAULT);
    }

    /**
     * Checks that every limit is at least 1.
     *
     * @throws IllegalArgumentException if one isn't
     */
    public GatewayLimits {
        Objects.requireNonNull(penalty, "penalty");
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
