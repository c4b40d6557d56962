package org.computehive.access;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a gateway starts with.
 *
 * @param bind where it listens; port 0 takes a free one
 * @param hostKey its key
 * @param hostCertificate the certificate of that key
 * @param userAuthorities the keys whose renters' certificates count; several while keys rotate
 * @param limits how much it puts up with
 * @param feedLimit how old the newest {@link Gateway#revocations revocation list} may be; while it is older, or there is
 *     none, nobody is let in. Null where the gateway is told of every revocation by {@link Gateway#revoke}
 * @param breakGlass whether {@link Gateway#breakGlass} may let operators in
 */
public record GatewayConfig(
        InetSocketAddress bind,
        HostKeyPair hostKey,
        HostCertificate hostCertificate,
        List<SshPublicKey> userAuthorities,
        GatewayLimits limits,
        @Nullable Duration feedLimit,
        boolean breakGlass) {
    /** Needs no revocation list, and lets no operator in. */
    public GatewayConfig(
            InetSocketAddress bind,
            HostKeyPair hostKey,
            HostCertificate hostCertificate,
            List<SshPublicKey> userAuthorities,
            GatewayLimits limits) {
        this(bind, hostKey, hostCertificate, userAuthorities, limits, null, false);
    }

    /** Returns the same with a limit to the revocation list's age. */
    public GatewayConfig withFeedLimit(Duration limit) {
        return new GatewayConfig(bind, hostKey, hostCertificate, userAuthorities, limits, limit, breakGlass);
    }

    /** Returns the same with break-glass access possible. */
    public GatewayConfig withBreakGlass() {
        return new GatewayConfig(bind, hostKey, hostCertificate, userAuthorities, limits, feedLimit, true);
    }

    /**
     * Copies the list and checks that the parts fit.
     *
     * @throws IllegalArgumentException if the certificate is of another key or there is no authority
     */
    public GatewayConfig {
        Objects.requireNonNull(bind, "bind");
        Objects.requireNonNull(limits, "limits");
        userAuthorities = List.copyOf(userAuthorities);
        if (!hostCertificate.key().equals(hostKey.publicKey())) {
            throw new IllegalArgumentException("the gateway's certificate is of %s, its key is %s: certify that key"
                    .formatted(hostCertificate.key(), hostKey.publicKey()));
        }
        if (userAuthorities.isEmpty()) {
            throw new IllegalArgumentException("the gateway trusts no user authority: name at least one");
        }
        if (feedLimit != null && !feedLimit.isPositive()) {
            throw new IllegalArgumentException(
                    "a revocation list can't be at most %s old: give a positive time".formatted(feedLimit));
        }
    }
}
