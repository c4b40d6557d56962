package org.computehive.chain;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How to run an {@link AnvilNode}.
 *
 * <p>Immutable and thread-safe.
 *
 * @param program the anvil program; see {@link AnvilNode#find}
 * @param chainId the chain's id, at least 1
 * @param port the port on the loopback interface, 0 for any free one
 * @param blockTime a block at least this often, in whole seconds, beside one at each transaction; null for only those
 * @param state what {@link AnvilNode#dumpState} wrote; null to begin anew
 * @param folder where the node makes a folder of its own for as long as it runs; null for the system's temporary folder
 * @param unlocked how many of anvil's well-known accounts the node itself signs and sends for, 0 to 10: everybody knows
 *     their keys, and whoever reaches the port spends their coins
 */
public record AnvilOptions(
        Path program,
        long chainId,
        int port,
        @Nullable Duration blockTime,
        @Nullable Path state,
        @Nullable Path folder,
        int unlocked) {
    private static final long CHAIN_ID = 31337;
    private static final int MOST_UNLOCKED = 10;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of range, or there is no such state or folder
     */
    public AnvilOptions {
        if (chainId < 1 || port < 0 || port > 0xffff) {
            throw new IllegalArgumentException("chain id %d or port %d is out of range".formatted(chainId, port));
        }
        if (unlocked < 0 || unlocked > MOST_UNLOCKED) {
            throw new IllegalArgumentException(
                    "%d unlocked accounts are out of range: 0 to %d".formatted(unlocked, MOST_UNLOCKED));
        }
        if (blockTime != null && (blockTime.toSeconds() < 1 || blockTime.toNanosPart() != 0)) {
            throw new IllegalArgumentException("block time %s is not a whole number of seconds".formatted(blockTime));
        }
        if (state != null && !Files.isReadable(state)) {
            throw new IllegalArgumentException("there is no chain state at %s to read".formatted(state));
        }
        if (folder != null && !Files.isDirectory(folder)) {
            throw new IllegalArgumentException("there is no folder %s for a chain node: make it".formatted(folder));
        }
    }

    /** Returns options for chain 31337 on a free port, with blocks only for transactions. */
    public static AnvilOptions of(Path program) {
        return new AnvilOptions(program, CHAIN_ID, 0, null, null, null, 0);
    }

    /** Returns these options with a chain id. */
    public AnvilOptions withChainId(long id) {
        return new AnvilOptions(program, id, port, blockTime, state, folder, unlocked);
    }

    /** Returns these options with a port. */
    public AnvilOptions withPort(int number) {
        return new AnvilOptions(program, chainId, number, blockTime, state, folder, unlocked);
    }

    /** Returns these options with a block at least this often. */
    public AnvilOptions withBlockTime(Duration time) {
        return new AnvilOptions(program, chainId, port, time, state, folder, unlocked);
    }

    /** Returns these options with a state to go on from. */
    public AnvilOptions withState(Path file) {
        return new AnvilOptions(program, chainId, port, blockTime, file, folder, unlocked);
    }

    /** Returns these options with an existing folder in which the node makes its own. */
    public AnvilOptions withFolder(Path parent) {
        return new AnvilOptions(program, chainId, port, blockTime, state, parent, unlocked);
    }

    /** Returns these options with accounts that the node signs and sends for; see {@link AnvilNode#unlockedAccounts}. */
    public AnvilOptions withUnlocked(int accounts) {
        return new AnvilOptions(program, chainId, port, blockTime, state, folder, accounts);
    }
}
