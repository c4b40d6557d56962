package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.computehive.access.GatewayLimits;
import org.computehive.access.Traffic;
import org.computehive.rental.SshAccess;

/**
 * How renters reach their sessions, and what the gateway puts up with; see {@link GatewayLimits}, whose defaults these
 * are, and {@link Traffic}.
 *
 * @param bind the address that the gateway listens at
 * @param port its port, 0 for a free one
 * @param publicHost the host name or address under which renters reach it; else the address it listens at
 * @param unauthenticated connections that have not logged in
 * @param unauthenticatedPerAddress the same from one IPv4 address or one IPv6 /64 network
 * @param loginGrace how long a login may take
 * @param loginAttempts refused certificates per connection
 * @param connectionsPerRental live connections of one rental
 * @param channelsPerConnection open channels of one connection
 * @param penaltyRefusals after how many refused logins an address is shut out
 * @param penaltyWithin in which time
 * @param penaltyShutOut for how long
 * @param rentalBytes how many bytes a rental may send and receive in all; else any number
 * @param rentalBytesPerSecond how many a second; else any number
 * @param revocations a file of certificates that count no more, which somebody else keeps; without it, none
 * @param feedLimit how old that file may be; while it is older nobody is let in
 * @param breakGlass how long an operator may be let into a session at the most; without it, never
 */
@ConfigurationProperties("computehive.gateway")
public record GatewaySettings(
        @Bindable(defaultValue = "127.0.0.1") String bind,
        @Bindable(defaultValue = "2222") int port,
        Optional<String> publicHost,
        @Bindable(defaultValue = "256") int unauthenticated,
        @Bindable(defaultValue = "16") int unauthenticatedPerAddress,
        @Bindable(defaultValue = "PT20S") Duration loginGrace,
        @Bindable(defaultValue = "6") int loginAttempts,
        @Bindable(defaultValue = "32") int connectionsPerRental,
        @Bindable(defaultValue = "16") int channelsPerConnection,
        @Bindable(defaultValue = "60") int penaltyRefusals,
        @Bindable(defaultValue = "PT5M") Duration penaltyWithin,
        @Bindable(defaultValue = "PT5M") Duration penaltyShutOut,
        Optional<Long> rentalBytes,
        Optional<Long> rentalBytesPerSecond,
        Optional<String> revocations,
        @Bindable(defaultValue = "PT5M") Duration feedLimit,
        Optional<Duration> breakGlass) {

    /**
     * Returns how the gateway listens.
     *
     * @throws ConfigurationException if a value is out of range
     */
    SshAccess.Settings access() {
        GatewayLimits limits = ConfigurationException.parse(
                "computehive.gateway",
                this,
                keys -> new GatewayLimits(
                        unauthenticated,
                        unauthenticatedPerAddress,
                        loginGrace,
                        loginAttempts,
                        connectionsPerRental,
                        channelsPerConnection,
                        new GatewayLimits.Penalty(penaltyRefusals, penaltyWithin, penaltyShutOut)));
        Traffic traffic = ConfigurationException.parse(
                "computehive.gateway.rental-bytes and rental-bytes-per-second",
                this,
                keys -> new Traffic(
                        rentalBytes.orElse(Traffic.UNLIMITED.bytes()),
                        rentalBytesPerSecond.orElse(Traffic.UNLIMITED.bytesPerSecond())));
        SshAccess.Settings plain = new SshAccess.Settings(
                        new InetSocketAddress(bind, port), publicHost.orElse(bind), limits)
                .withTraffic(traffic);
        SshAccess.Settings access = revocations
                .map(file -> ConfigurationException.parse(
                        "computehive.gateway.feed-limit",
                        feedLimit,
                        limit -> new SshAccess.Settings.Revocations(Path.of(file), limit)))
                .map(plain::withRevocations)
                .orElse(plain);
        return breakGlass
                .map(most ->
                        ConfigurationException.parse("computehive.gateway.break-glass", most, access::withBreakGlass))
                .orElse(access);
    }
}
