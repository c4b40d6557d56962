package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.computehive.chain.Chain.Receipt;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer.Hash32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sending on a real chain node, with everything that goes wrong there: none is lost, none is doubled. */
@Timeout(120)
class SenderIT {
    private static final String KEY = "0x" + "5a".repeat(32);
    private static final BigInteger GWEI = BigInteger.TEN.pow(9);
    private static final BigInteger CAP = GWEI.multiply(BigInteger.valueOf(500));
    private static final BigInteger PAYMENT = BigInteger.valueOf(1_000_003);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private AnvilNode node;
    private Chain chain;
    private EvmWallet wallet;
    private Account sink;

    @BeforeEach
    void start() {
        node = AnvilNode.start(DevChain.options());
        chain = connect(node.url());
        wallet = EvmWallet.fromHex(KEY);
        node.fund(wallet, new Amount(BigInteger.TEN.pow(22)));
        sink = EvmWallet.random().account();
    }

    @AfterEach
    void stop() {
        chain.close();
        node.close();
    }

    private static Chain connect(URI... nodes) {
        return Chain.connect(List.of(nodes), 31337, null, Duration.ofSeconds(3), Duration.ofMillis(20));
    }

    private Sender sender(Chain over, BigInteger cap, Duration patience, int confirmations) {
        return new Sender(over, wallet, new Reverts(), cap, patience, confirmations);
    }

    private Sender sender() {
        return sender(chain, CAP, PATIENCE, 1);
    }

    private SendRequest payment() {
        return new SendRequest("paying", sink, "0x", PAYMENT);
    }

    private void assertPaid(int times) {
        assertEquals(PAYMENT.multiply(BigInteger.valueOf(times)), chain.balance(sink));
        assertEquals(BigInteger.valueOf(times), chain.transactionCount(wallet.account(), Chain.LATEST));
    }

    private void setAutomine(boolean on) {
        node.call("evm_setAutomine", on);
    }

    /** Waits until the node holds some number of the wallet's transactions, those in blocks included. */
    private void awaitHeld(int count) throws Exception {
        while (chain.transactionCount(wallet.account(), Chain.PENDING).intValueExact() < count) {
            Thread.onSpinWait();
        }
    }

    /** Makes blocks, one at each look of the watcher, until something is done. */
    private <T> T mineUntilDone(Future<T> future) throws Exception {
        while (!future.isDone()) {
            long seen = chain.watcher().version();
            node.call("evm_mine");
            chain.watcher().await(seen, Deadline.in(Duration.ofSeconds(5)));
        }
        return future.get();
    }

    private static <T> List<Future<T>> together(int count, Callable<T> task) throws InterruptedException {
        try (var threads = Executors.newFixedThreadPool(count)) {
            return threads.invokeAll(Collections.nCopies(count, task));
        }
    }

    private JsonNode transaction(Receipt receipt) {
        return chain.call("eth_getTransactionByHash", receipt.transaction().hex());
    }

    @Test
    void send_byAHundredThreadsAtOnce_losesAndDoublesNone() throws Exception {
        var hashes = new HashSet<Hash32>();
        for (Future<Receipt> sent : together(100, () -> sender().send(payment()))) {
            hashes.add(sent.get().transaction());
        }

        assertEquals(100, hashes.size());
        assertPaid(100);
    }

    @Test
    @Tag("anvil") // the second node executes all that waits again for each simulation
    void send_byAHundredThreadsIntoFewBlocks_losesAndDoublesNone() throws Exception {
        setAutomine(false);
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<List<Future<Receipt>>> all = threads.submit(() -> together(100, () -> sender().send(payment())));
            awaitHeld(100);
            node.call("evm_mine");
            for (Future<Receipt> sent : mineUntilDone(all)) {
                assertTrue(sent.get().succeeded());
            }
        }
        assertPaid(100);
    }

    @Test
    void send_whileEveryThirdIsRejected_landsTheOthersAndLeavesNoGap() throws Exception {
        var turn = new AtomicInteger();
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url())) {
            crooked.be(
                    (call, honest) -> CrookedNode.is(call, "eth_sendRawTransaction") && turn.incrementAndGet() % 3 == 0
                            ? CrookedNode.error(call, -32003, "insufficient funds for gas * price + value")
                            : honest.ask(call));
            int refused = 0;
            for (Future<Receipt> sent :
                    together(30, () -> sender(through, CAP, PATIENCE, 1).send(payment()))) {
                try {
                    sent.get();
                } catch (ExecutionException e) {
                    assertTrue(e.getCause() instanceof EscrowException.InsufficientFunds, e.toString());
                    refused++;
                }
            }

            assertEquals(10, refused);
            assertPaid(20);
        }
    }

    @Test
    void send_whenTheBaseFeeOutgrowsIt_isReplacedUnderTheSameNumberAndMinedOnce() throws Exception {
        setAutomine(false);
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<Receipt> sent = threads.submit(() -> sender().send(payment()));
            awaitHeld(1);
            JsonNode first = node.call("eth_getBlockByNumber", "pending", true)
                    .path("transactions")
                    .path(0);
            BigInteger offered = Chain.quantity(first.path("maxFeePerGas"), "fee");
            node.call("anvil_setNextBlockBaseFeePerGas", Chain.hex(GWEI.multiply(BigInteger.valueOf(100))));

            JsonNode mined = transaction(mineUntilDone(sent));
            BigInteger paid = Chain.quantity(mined.path("maxFeePerGas"), "fee");
            assertTrue(paid.multiply(BigInteger.valueOf(8)).compareTo(offered.multiply(BigInteger.valueOf(9))) >= 0);
            assertTrue(paid.compareTo(CAP) <= 0);
            assertEquals(first.path("nonce"), mined.path("nonce"));
        }
        assertPaid(1);
    }

    @Test
    void send_whenBlocksPassItBy_isReplaced() throws Exception {
        var hidden = new ArrayList<String>();
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url());
                var threads = Executors.newSingleThreadExecutor()) {
            // A node that takes the first version, says it knows it, and never passes it on.
            crooked.be((call, honest) -> {
                if (CrookedNode.is(call, "eth_sendRawTransaction") && hidden.isEmpty()) {
                    hidden.add(call.path("params").path(0).asText());
                    return CrookedNode.error(call, -32000, "already known");
                }
                JsonNode answer = honest.ask(call);
                if (CrookedNode.is(call, "eth_getTransactionByHash")) {
                    ((ObjectNode) answer).put("result", "known");
                }
                return answer;
            });
            Future<Receipt> sent =
                    threads.submit(() -> sender(through, CAP, PATIENCE, 1).send(payment()));
            mineUntilDone(sent);
            assertEquals(1, hidden.size());
        }
        assertPaid(1);
    }

    @Test
    void send_stuckAtTheCap_isNeverOverIt_andGoesOnWhenRepeated() throws Exception {
        BigInteger cap = GWEI.multiply(BigInteger.valueOf(4));
        setAutomine(false);
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<Receipt> sent = threads.submit(
                    () -> sender(chain, cap, Duration.ofSeconds(3), 1).send(payment()));
            awaitHeld(1);
            node.call("anvil_setNextBlockBaseFeePerGas", Chain.hex(cap.shiftLeft(3)));
            node.call("evm_mine");
            var e = assertThrows(ExecutionException.class, () -> sent.get(30, TimeUnit.SECONDS));
            assertTrue(e.getCause() instanceof EscrowException.NotYet, e.toString());
            assertPaid(0);

            node.call("anvil_setNextBlockBaseFeePerGas", Chain.hex(GWEI));
            node.call("evm_mine");
            Receipt receipt = mineUntilDone(
                    threads.submit(() -> sender(chain, cap, PATIENCE, 1).send(payment())));
            BigInteger paid = Chain.quantity(transaction(receipt).path("maxFeePerGas"), "fee");
            assertTrue(paid.compareTo(cap) <= 0, paid.toString());
        }
        assertPaid(1);
    }

    @Test
    void send_thatTheNodeDrops_isHandedInAgain() throws Exception {
        setAutomine(false);
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<Receipt> sent = threads.submit(() -> sender().send(payment()));
            awaitHeld(1);
            node.call("anvil_dropAllTransactions");
            awaitHeld(1);
            mineUntilDone(sent);
        }
        assertPaid(1);
    }

    @Test
    @Tag("anvil")
    void send_throughARestartThatLosesWhatWaits_losesAndDoublesNone(@TempDir Path folder) throws Exception {
        Path state = folder.resolve("chain.json");
        sender().send(payment());
        setAutomine(false);
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<List<Future<Receipt>>> all = threads.submit(() -> together(20, () -> sender().send(payment())));
            awaitHeld(21);
            int port = node.url().getPort();
            node.dumpState(state);
            ProcessHandle.of(node.pid()).orElseThrow().destroyForcibly();
            node.onExit().get(10, TimeUnit.SECONDS);
            node.close();
            node = AnvilNode.start(DevChain.options().withPort(port).withState(state));

            for (Future<Receipt> sent : all.get(60, TimeUnit.SECONDS)) {
                assertTrue(sent.get().succeeded());
            }
            sender().send(payment());
        }
        assertPaid(22);
    }

    @Test
    void send_whoseBlockIsReplaced_isInTheNewChainOnceAndLeavesNoGap() throws Exception {
        Sender careful = sender(chain, CAP, PATIENCE, 3);
        Receipt receipt = careful.send(payment());
        node.call("anvil_reorg", 1, List.of());
        while (chain.receipt(receipt.transaction()) == null) {
            chain.watcher().await(chain.watcher().version(), Deadline.in(Duration.ofMillis(100)));
        }
        careful.send(payment());

        assertPaid(2);
    }

    @Test
    void send_whoseNumberAnotherProcessTakes_isSentUnderTheNext() throws Exception {
        var toLose = new AtomicBoolean(true);
        var lost = new CompletableFuture<Void>();
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url());
                var threads = Executors.newSingleThreadExecutor()) {
            crooked.be((call, honest) -> {
                if (CrookedNode.is(call, "eth_sendRawTransaction") && toLose.getAndSet(false)) {
                    sendAsAnotherProcess();
                    lost.complete(null);
                    return null;
                }
                return honest.ask(call);
            });
            Future<Receipt> sent =
                    threads.submit(() -> sender(through, CAP, PATIENCE, 1).send(payment()));
            lost.get(20, TimeUnit.SECONDS);
            sent.get(30, TimeUnit.SECONDS);
        }
        assertPaid(2);
    }

    private void sendAsAnotherProcess() {
        new Sender(chain, EvmWallet.fromHex(KEY), new Reverts(), CAP, PATIENCE, 1).send(payment());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8})
    void send_whileTheNodeHidesTheReceipt_isNotDoubled(int times) throws Exception {
        var toHide = new AtomicInteger(times);
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url())) {
            // As where nodes behind one address lag behind each other: the count is new, receipt and pool are old.
            crooked.be((call, honest) -> {
                JsonNode answer = honest.ask(call);
                boolean hides = CrookedNode.is(call, "eth_getTransactionReceipt") && toHide.getAndDecrement() > 0
                        || CrookedNode.is(call, "eth_getTransactionByHash") && toHide.get() > 0;
                if (hides) {
                    ((ObjectNode) answer).set("result", NullNode.getInstance());
                }
                return answer;
            });
            sender(through, CAP, PATIENCE, 1).send(payment());
            assertTrue(toHide.get() <= 0);
        }
        assertPaid(1);
    }

    @Test
    void send_ofMoreThanTheBalance_isRefusedAndSendsNothing() {
        var all = new SendRequest("paying", sink, "0x", BigInteger.TEN.pow(30));
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url())) {
            assertThrows(
                    EscrowException.InsufficientFunds.class,
                    () -> sender(through, CAP, PATIENCE, 1).send(all));
            assertEquals(0, crooked.calls("eth_sendRawTransaction"));
        }
        assertPaid(0);
    }

    @Test
    void send_toANodeThatHangsForGood_isUnreachableAndGoesOnWhenRepeated() throws Exception {
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url())) {
            crooked.be((call, honest) -> CrookedNode.is(call, "eth_sendRawTransaction") ? null : honest.ask(call));
            assertThrows(
                    EscrowException.Unreachable.class,
                    () -> sender(through, CAP, Duration.ofSeconds(5), 1).send(payment()));
            crooked.beHonest();
            sender(through, CAP, PATIENCE, 1).send(payment());
        }
        assertPaid(1);
    }

    @Test
    void send_refusedAfterSilence_leavesNoGapForThoseBehindIt() throws Exception {
        var first = new AtomicReference<String>();
        var isFollowed = new CompletableFuture<Void>();
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url());
                var threads = Executors.newFixedThreadPool(2)) {
            // The first never arrives, and is refused once another of the account's waits behind it.
            crooked.be((call, honest) -> {
                if (!CrookedNode.is(call, "eth_sendRawTransaction")) {
                    return honest.ask(call);
                }
                String raw = call.path("params").path(0).asText();
                if (first.compareAndSet(null, raw) || raw.equals(first.get()) && !isFollowed.isDone()) {
                    return null;
                }
                if (raw.equals(first.get())) {
                    return CrookedNode.error(call, -32003, "insufficient funds for gas * price + value");
                }
                JsonNode answer = honest.ask(call);
                isFollowed.complete(null);
                return answer;
            });
            Future<Receipt> refused =
                    threads.submit(() -> sender(through, CAP, PATIENCE, 1).send(payment()));
            while (first.get() == null) {
                Thread.onSpinWait();
            }
            Future<Receipt> behind =
                    threads.submit(() -> sender(through, CAP, PATIENCE, 1).send(payment()));

            var e = assertThrows(ExecutionException.class, () -> refused.get(60, TimeUnit.SECONDS));
            assertTrue(e.getCause() instanceof EscrowException.InsufficientFunds, e.toString());
            assertTrue(behind.get(60, TimeUnit.SECONDS).succeeded());
        }
        assertEquals(PAYMENT, chain.balance(sink));
        assertEquals(BigInteger.TWO, chain.transactionCount(wallet.account(), Chain.LATEST));
    }

    @Test
    void send_overTwoNodesOfWhichOneHangs_goesToTheOther() {
        try (var crooked = new CrookedNode(node.url());
                Chain through = connect(crooked.url(), node.url())) {
            crooked.be((call, honest) -> null);
            sender(through, CAP, PATIENCE, 1).send(payment());
        }
        assertPaid(1);
    }
}
