package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.util.Optional;

/**
 * How renters reach their sessions.
 *
 * @param bind the address that the gateway listens at
 * @param port its port, 0 for a free one
 * @param publicHost the host name or address under which renters reach it; else the address it listens at
 */
@ConfigurationProperties("computehive.gateway")
public record GatewaySettings(
        @Bindable(defaultValue = "127.0.0.1") String bind,
        @Bindable(defaultValue = "2222") int port,
        Optional<String> publicHost) {}
