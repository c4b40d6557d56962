package org.computehive.server.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.AnvilOptions;
import org.computehive.chain.EscrowDeployment;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmEscrow;
import org.computehive.chain.EvmParty;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;

/**
 * A chain of one's own for demo and development: a local node with the real escrow contract, a worthless dollar token, and
 * wallets for a lender and a renter.
 *
 * <p>Thread-safe.
 */
public final class DevChain implements AutoCloseable {
    /** What the renter has to spend, in units of the token. */
    public static final Amount POCKET_MONEY = Amount.of(1_000_000_000);

    private static final Duration BLOCK_TIME = Duration.ofSeconds(1);
    private static final int CONFIRMATIONS = 2;

    private final AnvilOptions options;
    private final EvmWallet lender;
    private final EvmWallet renter;
    private final EscrowSettings settings;
    private volatile AnvilNode node;

    private DevChain(
            AnvilOptions options, AnvilNode node, EvmWallet lender, EvmWallet renter, EscrowSettings settings) {
        this.options = options;
        this.node = node;
        this.lender = lender;
        this.renter = renter;
        this.settings = settings;
    }

    /**
     * Starts a node and deploys the contract.
     *
     * @param program the anvil program
     * @param port the port on loopback, 0 for a free one
     * @param folder an existing folder for what the node keeps on disk
     * @throws IllegalStateException if the node can't be started, such as for a busy port
     */
    public static DevChain start(Path program, int port, Path folder) {
        AnvilOptions options = AnvilOptions.of(program)
                .withPort(port)
                .withBlockTime(BLOCK_TIME)
                .withFolder(folder);
        AnvilNode node = start(options);
        try {
            EvmWallet operator = node.fundedWallet();
            EvmWallet lender = node.fundedWallet();
            EvmWallet renter = node.fundedWallet();
            Token token = EscrowDeployment.devToken(node.url(), operator);
            EscrowDeployment.mint(node.url(), operator, token, renter.account(), POCKET_MONEY);
            EscrowSettings settings = EscrowDeployment.escrow(node.url(), operator)
                    .settings(node.url(), token)
                    .withOperator(operator)
                    .withConfirmations(CONFIRMATIONS);
            return new DevChain(options.withPort(node.url().getPort()), node, lender, renter, settings);
        } catch (RuntimeException e) {
            node.close();
            throw e;
        }
    }

    private static AnvilNode start(AnvilOptions options) {
        try {
            return AnvilNode.start(options);
        } catch (IllegalStateException e) {
            if (String.valueOf(e.getMessage()).contains("Address already in use")) {
                throw new IllegalStateException(
                        "port %d on loopback is taken, so the chain node can't listen there: give another, or 0 for a free one"
                                .formatted(options.port()),
                        e);
            }
            throw e;
        }
    }

    /** Returns how a client reaches the escrow. */
    public EscrowSettings settings() {
        return settings;
    }

    /** Returns the lender's wallet. */
    public EvmWallet lender() {
        return lender;
    }

    /** Returns the renter's wallet. */
    public EvmWallet renter() {
        return renter;
    }

    /** Gives an account units of the token out of nothing. */
    public void mint(Account to, Amount amount) {
        EscrowDeployment.mint(node.url(), payer(), settings.token(), to, amount);
    }

    /** Puts a new {@code AuditAnchor} on the chain and returns its address. */
    public Account deployAnchor() {
        return EscrowDeployment.anchor(node.url(), payer()).contract();
    }

    /** Returns the account that pays for what the platform does. */
    public Account operator() {
        return payer().account();
    }

    private EvmWallet payer() {
        return Objects.requireNonNull(settings.operator());
    }

    /** Connects a client of the escrow's. */
    public EvmEscrow connect() {
        return EvmEscrow.connect(settings);
    }

    /** Returns a party's hand on a client's chain. */
    public static EvmParty party(EvmEscrow escrow, EvmWallet wallet) {
        return escrow.party(wallet);
    }

    /** Completes when the node's process ends, with its exit code. */
    public CompletableFuture<Integer> onExit() {
        return node.onExit();
    }

    /** Returns the node's process id. */
    public long pid() {
        return node.pid();
    }

    /** Writes the whole state of the chain to a file, from which {@link #restart} goes on. */
    public void checkpoint(Path file) {
        node.dumpState(file);
    }

    /**
     * Starts the node again at the same port, from a checkpoint.
     *
     * @throws IllegalStateException if there is no checkpoint or the node can't be started
     */
    public void restart(Path checkpoint) {
        if (!Files.isReadable(checkpoint)) {
            throw new IllegalStateException("there is no checkpoint of the chain at %s".formatted(checkpoint));
        }
        node.close();
        node = AnvilNode.start(options.withState(checkpoint));
    }

    @Override
    public void close() {
        node.close();
    }
}
