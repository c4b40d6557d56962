package org.computehive.chain;

import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.jspecify.annotations.Nullable;

/**
 * Where an escrow lives and how it is used.
 *
 * <p>Immutable and thread-safe.
 *
 * @param nodes HTTP addresses of nodes of the same chain, the preferred one first
 * @param chainId the chain that the nodes must serve
 * @param contract the {@code RentalEscrow}
 * @param deployedAt the block that created the contract, where searching begins
 * @param token what rent is paid in
 * @param confirmations how many blocks, its own included, make an event final; at least 1
 * @param operator pays for the settlements that this side sends; null to only read
 * @param pollInterval between two looks for a new block
 * @param rpcTimeout for one call to a node
 * @param patience how long to wait for a transaction and its confirmations
 * @param feeCap the most wei per gas that is ever paid
 * @param progress a file that keeps how far the chain was read, so that a restart need not read it all again; null for
 *     none
 */
public record EscrowSettings(
        List<URI> nodes,
        long chainId,
        Account contract,
        long deployedAt,
        Token token,
        int confirmations,
        @Nullable EvmWallet operator,
        Duration pollInterval,
        Duration rpcTimeout,
        Duration patience,
        BigInteger feeCap,
        @Nullable Path progress) {
    private static final Duration POLL_INTERVAL = Duration.ofMillis(250);
    private static final Duration RPC_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int MOST_CONFIRMATIONS = 10_000;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if there is no node, or a value is out of range
     */
    public EscrowSettings {
        nodes = List.copyOf(nodes);
        Objects.requireNonNull(contract, "contract");
        Objects.requireNonNull(token, "token");
        if (nodes.isEmpty()) {
            throw new IllegalArgumentException("no chain node is named: give at least one HTTP address");
        }
        for (URI node : nodes) {
            if (node.getHost() == null || !String.valueOf(node.getScheme()).matches("https?")) {
                throw new IllegalArgumentException("a chain node's address must begin with http:// or https://");
            }
        }
        if (chainId < 1 || deployedAt < 0) {
            throw new IllegalArgumentException(
                    "chain id %d or block %d is out of range".formatted(chainId, deployedAt));
        }
        if (confirmations < 1 || confirmations > MOST_CONFIRMATIONS) {
            throw new IllegalArgumentException(
                    "confirmations %d out of range: 1 to %d".formatted(confirmations, MOST_CONFIRMATIONS));
        }
        for (Duration time : List.of(pollInterval, rpcTimeout, patience)) {
            if (time.toMillis() < 1) {
                throw new IllegalArgumentException("time %s is too short: at least 1 ms".formatted(time));
            }
        }
        if (feeCap.signum() <= 0) {
            throw new IllegalArgumentException("fee cap %s wei is not positive".formatted(feeCap));
        }
        Path folder = progress == null ? null : progress.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new IllegalArgumentException("there is no folder for file %s: make it".formatted(progress));
        }
    }

    /**
     * Returns settings with the defaults: 1 confirmation, no operator, a look every 250 ms, 10 s for a call, 3 minutes
     * for a transaction, at most 500 gwei per gas.
     */
    public static EscrowSettings of(URI node, long chainId, Account contract, Token token) {
        return new EscrowSettings(
                List.of(node),
                chainId,
                contract,
                0,
                token,
                1,
                null,
                POLL_INTERVAL,
                RPC_TIMEOUT,
                PATIENCE,
                Sender.defaultFeeCap(),
                null);
    }

    /** Returns these settings with other nodes. */
    public EscrowSettings withNodes(List<URI> others) {
        return new EscrowSettings(
                others,
                chainId,
                contract,
                deployedAt,
                token,
                confirmations,
                operator,
                pollInterval,
                rpcTimeout,
                patience,
                feeCap,
                progress);
    }

    /** Returns these settings with the block that created the contract. */
    public EscrowSettings withDeployedAt(long block) {
        return new EscrowSettings(
                nodes,
                chainId,
                contract,
                block,
                token,
                confirmations,
                operator,
                pollInterval,
                rpcTimeout,
                patience,
                feeCap,
                progress);
    }

    /** Returns these settings with a number of confirmations. */
    public EscrowSettings withConfirmations(int count) {
        return new EscrowSettings(
                nodes,
                chainId,
                contract,
                deployedAt,
                token,
                count,
                operator,
                pollInterval,
                rpcTimeout,
                patience,
                feeCap,
                progress);
    }

    /** Returns these settings with a wallet that pays for settlements. */
    public EscrowSettings withOperator(EvmWallet wallet) {
        return new EscrowSettings(
                nodes,
                chainId,
                contract,
                deployedAt,
                token,
                confirmations,
                wallet,
                pollInterval,
                rpcTimeout,
                patience,
                feeCap,
                progress);
    }

    /** Returns these settings with other times; see the components. */
    public EscrowSettings withTimes(Duration pollEvery, Duration perCall, Duration perTransaction) {
        return new EscrowSettings(
                nodes,
                chainId,
                contract,
                deployedAt,
                token,
                confirmations,
                operator,
                pollEvery,
                perCall,
                perTransaction,
                feeCap,
                progress);
    }

    /** Returns these settings with a cap on fees, in wei per gas. */
    public EscrowSettings withFeeCap(BigInteger wei) {
        return new EscrowSettings(
                nodes,
                chainId,
                contract,
                deployedAt,
                token,
                confirmations,
                operator,
                pollInterval,
                rpcTimeout,
                patience,
                wei,
                progress);
    }

    /** Returns these settings with a file, in an existing folder, that keeps how far the chain was read. */
    public EscrowSettings withProgress(Path file) {
        return new EscrowSettings(
                nodes,
                chainId,
                contract,
                deployedAt,
                token,
                confirmations,
                operator,
                pollInterval,
                rpcTimeout,
                patience,
                feeCap,
                file);
    }

    /** Leaves out addresses, which may hold a provider's key. */
    @Override
    public String toString() {
        return "escrow %s on chain %d, paid in %s".formatted(contract, chainId, token.symbol());
    }
}
