package org.computehive.access;

import java.net.SocketAddress;
import java.time.Instant;

/**
 * What happened at the gateway. Text from the peer is cut to 80 characters of printable ASCII; no key bodies.
 */
public sealed interface GatewayEvent {
    /** Returns when it happened. */
    Instant at();

    /** Returns the peer's address. */
    SocketAddress remote();

    /**
     * A renter has proved its certificate and is about to be let in.
     *
     * @param at when
     * @param remote the peer
     * @param principal the rental's principal
     * @param keyId the certificate's key id
     * @param serial the certificate's serial
     * @param key fingerprint of the renter's key
     */
    record Accepted(Instant at, SocketAddress remote, String principal, String keyId, long serial, String key)
            implements GatewayEvent {}

    /**
     * A login was refused.
     *
     * @param at when
     * @param remote the peer
     * @param user the user name that was asked for
     * @param reason exactly why; the peer is not told
     */
    record Refused(Instant at, SocketAddress remote, String user, String reason) implements GatewayEvent {}

    /**
     * A connection ended that never showed a certificate. Anybody can cause these: count them rather than audit them.
     *
     * @param at when
     * @param remote the peer
     * @param reason why
     */
    record Dropped(Instant at, SocketAddress remote, String reason) implements GatewayEvent {}

    /**
     * A connection to the VM was opened.
     *
     * @param at when
     * @param remote the peer
     * @param principal the rental's principal
     * @param vmName the VM
     */
    record ChannelOpened(Instant at, SocketAddress remote, String principal, String vmName) implements GatewayEvent {}

    /**
     * A renter asked for something else than a connection to its VM, or the VM could not be reached.
     *
     * @param at when
     * @param remote the peer
     * @param principal the rental's principal
     * @param asked what it asked for
     * @param reason why it did not get it
     */
    record ChannelRefused(Instant at, SocketAddress remote, String principal, String asked, String reason)
            implements GatewayEvent {}

    /**
     * An accepted connection ended.
     *
     * @param at when
     * @param remote the peer
     * @param principal the rental's principal
     * @param reason why
     */
    record Closed(Instant at, SocketAddress remote, String principal, String reason) implements GatewayEvent {}

    /**
     * An operator is about to be given a break-glass grant.
     *
     * @param at when
     * @param remote not a connection's: always unresolved and without port
     * @param principal the rental's principal
     * @param operator who may enter
     * @param reason why
     * @param until when the grant ends
     */
    record GlassBroken(
            Instant at, SocketAddress remote, String principal, String operator, String reason, Instant until)
            implements GatewayEvent {}
}
