package org.computehive.server.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.AnvilOptions;
import org.computehive.chain.EscrowDeployment;
import org.computehive.chain.EvmEscrow;
import org.computehive.chain.EvmParty;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer.Hash32;
import org.web3j.crypto.Credentials;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.TransactionEncoder;
import org.web3j.utils.Numeric;

/**
 * A hundred transactions of one account, sent by a hundred threads at once, against the same calls signed beforehand and
 * handed in one after the other by bare {@code eth_sendRawTransaction}; each until its receipt is read, on a node that
 * makes a block at once.
 *
 * <p>Ours simulates, estimates, numbers and signs within the measured time, and looks who took the number. By hand numbers,
 * gas and fees are known beforehand, and whatever goes wrong is not noticed.
 */
final class Sends implements Benchmark {
    private static final int COUNT = 100;
    private static final int WARM_UP = 2;
    private static final int ROUNDS = 5;
    private static final int LOOKS = 10_000;
    private static final BigInteger GAS = BigInteger.valueOf(100_000);
    private static final BigInteger GWEI = BigInteger.TEN.pow(9);
    private static final BigInteger MOST = GWEI.multiply(BigInteger.valueOf(100));

    /** By hand two calls are needed for each; ours makes eight, but a hundred threads share the time that they wait. */
    private static final double GOAL = 2;

    private long lane;

    @Override
    public String name() {
        return "sends";
    }

    @Override
    public String about() {
        return "%d transactions of one account at once, against bare eth_sendRawTransaction".formatted(COUNT);
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        Path program = AnvilNode.find(Path.of("").toAbsolutePath());
        try (AnvilNode chain = AnvilNode.start(AnvilOptions.of(program));
                var node = new JsonRpc(chain.url())) {
            EvmWallet ours = chain.fundedWallet();
            String key = "0x" + "42".repeat(32);
            EvmWallet byHand = EvmWallet.fromHex(key);
            chain.fund(byHand, new Amount(BigInteger.TEN.pow(20)));
            EscrowDeployment deployed = EscrowDeployment.escrow(chain.url(), ours);
            var coin = new Token(Account.ZERO, "ETH", 18, false);
            try (EvmEscrow escrow = EvmEscrow.connect(deployed.settings(chain.url(), coin))) {
                EvmParty party = escrow.party(ours);
                String call = node.input(
                        party.cancelOffers(BigInteger.valueOf(lane++)).hex());
                String selector = call.substring(0, 10);
                progress.accept(
                        "%d transactions a round, %d rounds after %d to warm up".formatted(COUNT, ROUNDS, WARM_UP));
                Rounds.Medians medians = Rounds.of(
                        WARM_UP,
                        ROUNDS,
                        () -> ours(party),
                        () -> byHand(node, Credentials.create(key), deployed, selector));
                return List.of(new Figure(name() + "/hundred-seconds", medians.ours(), medians.peer(), GOAL));
            }
        }
    }

    private double ours(EvmParty party) throws Exception {
        var tasks = new ArrayList<Callable<Hash32>>();
        for (int i = 0; i < COUNT; i++) {
            BigInteger mine = BigInteger.valueOf(lane++);
            tasks.add(() -> party.cancelOffers(mine));
        }
        return Rounds.seconds(() -> {
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (Future<Hash32> sent : threads.invokeAll(tasks)) {
                    sent.get();
                }
            }
        });
    }

    private double byHand(JsonRpc node, Credentials key, EscrowDeployment deployed, String selector) throws Exception {
        BigInteger first = Numeric.toBigInt(
                node.call("eth_getTransactionCount", key.getAddress(), "latest").asText());
        var signed = new ArrayList<String>();
        for (int i = 0; i < COUNT; i++) {
            var transaction = RawTransaction.createTransaction(
                    deployed.chainId(),
                    first.add(BigInteger.valueOf(i)),
                    GAS,
                    deployed.contract().address(),
                    BigInteger.ZERO,
                    selector + "%064x".formatted(lane++),
                    GWEI,
                    MOST);
            signed.add(Numeric.toHexString(TransactionEncoder.signMessage(transaction, key)));
        }
        return Rounds.seconds(() -> {
            for (String raw : signed) {
                requireMined(node, node.call("eth_sendRawTransaction", raw).asText());
            }
        });
    }

    /** Looks again and again: the node makes the block at once, beside its answer. */
    private static void requireMined(JsonRpc node, String hash) throws Exception {
        for (int look = 0; look < LOOKS; look++) {
            JsonNode receipt = node.call("eth_getTransactionReceipt", hash);
            if (!receipt.isNull()) {
                if (!receipt.path("status").asText().equals("0x1")) {
                    throw new IllegalStateException("transaction %s by hand failed".formatted(hash));
                }
                return;
            }
        }
        throw new IllegalStateException("no block took transaction %s by hand".formatted(hash));
    }
}
