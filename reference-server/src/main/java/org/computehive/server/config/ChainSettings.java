package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.util.List;
import java.util.Optional;

/**
 * The chain that rent is locked on.
 *
 * @param kind {@code dev} (a local node with worthless money) or {@code external}
 * @param port the development chain's port on loopback, 0 for a free one
 * @param rpcUrls HTTP addresses of nodes of an external chain, the preferred one first
 * @param id the external chain's id
 * @param contract its {@code RentalEscrow}
 * @param deployedAt the block that created the contract
 * @param confirmations how many blocks make an event final
 * @param token the token's contract; the zero address for the native coin
 * @param tokenSymbol what people call the token
 * @param tokenDecimals its decimal places
 * @param tokenUsdPegged whether it is meant to be worth a dollar
 * @param operatorKeyFile the key that pays for settlements: 64 hexadecimal digits in a file of mode 600
 */
@ConfigurationProperties("computehive.chain")
public record ChainSettings(
        @Bindable(defaultValue = "dev") String kind,
        @Bindable(defaultValue = "8545") int port,
        @Bindable(defaultValue = "") List<String> rpcUrls,
        @Bindable(defaultValue = "0") long id,
        Optional<String> contract,
        @Bindable(defaultValue = "0") long deployedAt,
        @Bindable(defaultValue = "12") int confirmations,
        Optional<String> token,
        @Bindable(defaultValue = "USDC") String tokenSymbol,
        @Bindable(defaultValue = "6") int tokenDecimals,
        @Bindable(defaultValue = "true") boolean tokenUsdPegged,
        Optional<String> operatorKeyFile) {}
