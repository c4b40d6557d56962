package org.computehive.server.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.AnvilOptions;
import org.computehive.chain.EscrowDeployment;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.RentalJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A development chain that is kept in a folder and goes on after a restart. Its node is the wallet of a lender and a
 * renter: it signs and sends for two well-known accounts, so that this process holds no key of theirs.
 *
 * <p>Thread-safe.
 */
final class DevNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DevNode.class);
    private static final Amount POCKET_MONEY = Amount.of(1_000_000_000);
    private static final Amount GAS_MONEY = new Amount(BigInteger.TEN.pow(22));
    private static final Duration BLOCK_TIME = Duration.ofSeconds(1);
    private static final int CONFIRMATIONS = 2;

    private final AnvilNode node;
    private final EscrowSettings settings;
    private final Path state;
    private final List<Account> accounts;

    /** What is on the chain, kept beside its state. */
    record Deployed(long chainId, Account contract, long block, Token token) {}

    private DevNode(AnvilNode node, EscrowSettings settings, Path state) {
        this.node = node;
        this.settings = settings;
        this.state = state;
        this.accounts = node.unlockedAccounts();
    }

    /**
     * Starts the node from what the folder holds, or begins a chain there.
     *
     * @throws IllegalStateException if the node can't be started, such as for a busy port
     */
    static DevNode open(Path program, int port, Path folder) {
        Path state = folder.resolve("state.json");
        Path deployedFile = folder.resolve("deployed.json");
        Path operatorFile = folder.resolve("operator.key");
        AnvilOptions options = AnvilOptions.of(program)
                .withPort(port)
                .withBlockTime(BLOCK_TIME)
                .withUnlocked(2);
        try {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (Files.isReadable(state) && Files.isReadable(deployedFile)) {
                Deployed deployed = RentalJson.read(Deployed.class, Files.readString(deployedFile));
                EvmWallet operator = EvmWallet.load(operatorFile);
                return connect(AnvilNode.start(options.withState(state)), state, deployed, operator);
            }
            Files.deleteIfExists(operatorFile);
            Files.deleteIfExists(folder.resolve("anchor"));
            EvmWallet operator = EvmWallet.random();
            operator.save(operatorFile);
            AnvilNode node = AnvilNode.start(options);
            try {
                Deployed deployed = deploy(node, operator);
                Files.writeString(deployedFile, RentalJson.write(deployed));
                DevNode begun = connect(node, state, deployed, operator);
                begun.checkpoint();
                return begun;
            } catch (RuntimeException e) {
                node.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the development chain can't be kept in " + folder, e);
        }
    }

    private static Deployed deploy(AnvilNode node, EvmWallet operator) {
        node.fund(operator, GAS_MONEY);
        Token token = EscrowDeployment.devToken(node.url(), operator);
        EscrowDeployment.mint(
                node.url(), operator, token, node.unlockedAccounts().get(1), POCKET_MONEY);
        EscrowDeployment escrow = EscrowDeployment.escrow(node.url(), operator);
        return new Deployed(escrow.chainId(), escrow.contract(), escrow.block(), token);
    }

    private static DevNode connect(AnvilNode node, Path state, Deployed deployed, EvmWallet operator) {
        EscrowSettings settings = new EscrowDeployment(deployed.chainId(), deployed.contract(), deployed.block())
                .settings(node.url(), deployed.token())
                .withOperator(operator)
                .withConfirmations(CONFIRMATIONS);
        // The server keeps the chain's state before it ends the node.
        node.leaveToOwner();
        return new DevNode(node, settings, state);
    }

    EscrowSettings settings() {
        return settings;
    }

    URI url() {
        return node.url();
    }

    Account lender() {
        return accounts.get(0);
    }

    Account renter() {
        return accounts.get(1);
    }

    /** Returns the contract that anchors are written to; the first call puts it there. */
    synchronized Account anchorContract() {
        Path file = state.resolveSibling("anchor");
        try {
            if (Files.isReadable(file)) {
                return new Account(Files.readString(file).strip());
            }
            EvmWallet operator = Objects.requireNonNull(settings.operator());
            Account contract = EscrowDeployment.anchor(node.url(), operator).contract();
            // Kept first, so that a contract that the file names is on the chain after a crash, too.
            node.dumpState(state);
            Files.writeString(file, contract.address());
            return contract;
        } catch (IOException e) {
            throw new UncheckedIOException("the anchor's address can't be kept in " + file, e);
        }
    }

    /** Keeps what the chain knows now; after a crash it goes on from there. */
    synchronized void checkpoint() {
        try {
            node.dumpState(state);
        } catch (RuntimeException e) {
            LOG.info("the development chain could not be kept: {}", e.getMessage());
        }
    }

    @Override
    public void close() {
        try {
            checkpoint();
        } finally {
            node.close();
        }
    }
}
