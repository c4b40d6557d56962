package org.computehive.server.bench;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.computehive.chain.EvmParty;
import org.computehive.market.Rate;
import org.computehive.rental.Escrow;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;

/**
 * Opening and settling an escrow against the same transactions by raw JSON-RPC: approve and open, then the lender's
 * release; each until it has its confirmations, as the walk awaits them.
 *
 * <p>The raw call data is written here by hand and compared with what ours sent. By hand nothing is simulated, numbered or
 * signed: the node does that for an account it may speak for.
 */
final class ChainSteps {
    private static final int ROUNDS = 3;
    private static final Duration WINDOW = Duration.ofMinutes(10);
    private static final String APPROVE = "0x095ea7b3"; // ERC-20: approve(address,uint256)

    /**
     * Both wait for the same next block. What ours does more (it simulates, estimates, signs, numbers and reads back) must
     * not cost more than a quarter of that.
     */
    private static final double GOAL = 1.25;

    private final Stage stage;
    private final EvmParty lender;
    private final EvmParty renter;
    private final String contract;
    private final int confirmations;
    private final List<EscrowOffer> openedOurs = new ArrayList<>();
    private final List<EscrowOffer> openedByHand = new ArrayList<>();
    private String openSelector = "";
    private String releaseSelector = "";
    private long lane;

    ChainSteps(Stage stage) {
        this.stage = stage;
        this.lender = stage.escrow().party(stage.chain().lender());
        this.renter = stage.escrow().party(stage.chain().renter());
        this.contract = stage.chain().settings().contract().address();
        this.confirmations = stage.chain().settings().confirmations();
    }

    List<Figure> run(Consumer<String> progress) throws Exception {
        try (var node = new JsonRpc(stage.chain().settings().nodes().getFirst())) {
            node.call("anvil_impersonateAccount", renter.account().address());
            Rounds.Medians open = Rounds.of(0, ROUNDS, () -> openOurs(node), () -> openByHand(node));
            progress.accept("escrows opened; settling them");
            Rounds.Medians settle = Rounds.of(0, ROUNDS, () -> settleOurs(node), () -> settleByHand(node));
            return List.of(
                    DemoSteps.figure("escrow-open-seconds", open, GOAL),
                    DemoSteps.figure("escrow-settle-seconds", settle, GOAL));
        }
    }

    private EscrowOffer newOffer() {
        Window window = Window.of(Stage.anHour().start().plusSeconds(3_600), WINDOW);
        return stage.escrow()
                .offer(new Escrow.Terms(
                        lender.account(),
                        BigInteger.valueOf(lane++),
                        renter.account(),
                        Rate.of(100),
                        window,
                        Duration.ofMinutes(1),
                        Duration.ofMinutes(1),
                        window.start(),
                        new Hash32("0x" + "11".repeat(32))));
    }

    private double openOurs(JsonRpc node) throws Exception {
        EscrowOffer offer = newOffer();
        Signature signature = lender.sign(offer.digest());
        var transaction = new ArrayList<Hash32>();
        double seconds = Rounds.seconds(() -> {
            transaction.add(renter.open(offer, signature));
            awaitFinal(offer);
        });
        openedOurs.add(offer);
        String sent = node.input(transaction.getFirst().hex());
        openSelector = sent.substring(0, 10);
        requireSame(sent, call(openSelector, words(offer), signature));
        return seconds;
    }

    /** Looks at each change of the chain, as the engine does, until the opening has its confirmations. */
    private void awaitFinal(EscrowOffer offer) throws Exception {
        var open = new CompletableFuture<Escrow.Reading.Open>();
        Runnable look = () -> {
            if (stage.escrow().read(offer) instanceof Escrow.Reading.Open reading) {
                open.complete(reading);
            }
        };
        try (AutoCloseable watching = stage.escrow().onChange(() -> Thread.startVirtualThread(look))) {
            look.run();
            open.get(60, TimeUnit.SECONDS);
        }
    }

    private double openByHand(JsonRpc node) throws Exception {
        EscrowOffer offer = newOffer();
        Signature signature = lender.sign(offer.digest());
        String approve = APPROVE + word(contract) + word(offer.deposit().units());
        String open = call(openSelector, words(offer), signature);
        double seconds = Rounds.seconds(() -> {
            node.send(renter.account().address(), offer.token().address(), approve);
            long block = node.send(renter.account().address(), contract, open);
            node.reach(block + confirmations - 1);
        });
        openedByHand.add(offer);
        return seconds;
    }

    private double settleOurs(JsonRpc node) throws Exception {
        EscrowOffer offer = openedOurs.removeFirst();
        Signature release = lender.sign(stage.escrow().releaseDigest(offer));
        var closed = new ArrayList<Escrow.Reading.Closed>();
        double seconds = Rounds.seconds(
                () -> closed.add(stage.escrow().settle(offer, new Escrow.Settlement.ByRelease(release))));
        String sent = node.input(closed.getFirst().transaction().hex());
        releaseSelector = sent.substring(0, 10);
        requireSame(sent, call(releaseSelector, released(offer), release));
        return seconds;
    }

    private double settleByHand(JsonRpc node) throws Exception {
        EscrowOffer offer = openedByHand.removeFirst();
        Signature release = lender.sign(stage.escrow().releaseDigest(offer));
        return Rounds.seconds(() -> {
            long block =
                    node.send(renter.account().address(), contract, call(releaseSelector, released(offer), release));
            node.reach(block + confirmations - 1);
        });
    }

    private static void requireSame(String sent, String byHand) {
        if (!sent.equals(byHand)) {
            throw new IllegalStateException("the call data by hand is not what was sent: the contract's offer changed");
        }
    }

    /** A call with an offer and a signature: its words, where the bytes begin, how many, and they themselves. */
    private static String call(String selector, List<String> offer, Signature signature) {
        String bytes = signature.hex().substring(2);
        int padded = (bytes.length() + 63) / 64 * 64;
        return selector
                + String.join("", offer)
                + word(BigInteger.valueOf((offer.size() + 1) * 32L))
                + word(BigInteger.valueOf(bytes.length() / 2))
                + bytes
                + "0".repeat(padded - bytes.length());
    }

    /** What a release begins with: the offer, and that it is running. */
    private static List<String> released(EscrowOffer offer) {
        return Stream.concat(words(offer).stream(), Stream.of(word(BigInteger.ZERO)))
                .toList();
    }

    private static List<String> words(EscrowOffer offer) {
        String times = hex(10, offer.window().start().getEpochSecond())
                + hex(8, offer.window().length().toSeconds())
                + hex(10, offer.expiry().getEpochSecond())
                + hex(6, offer.grace().toSeconds())
                + hex(6, offer.disputeWindow().toSeconds());
        return List.of(
                offer.lender().address().substring(2)
                        + hex(16, offer.lane().longValue())
                        + hex(8, offer.sequence().longValue()),
                offer.renter().address().substring(2)
                        + "%024x".formatted(offer.rate().unitsPerSecond()),
                offer.token().address().substring(2) + "0".repeat(24),
                offer.stakes().arbiter().address().substring(2) + "0".repeat(24),
                times + "0".repeat(24),
                offer.spec().hex().substring(2));
    }

    private static String hex(int digits, long value) {
        return ("%0" + digits + "x").formatted(value);
    }

    private static String word(String address) {
        return "0".repeat(24) + address.substring(2);
    }

    private static String word(BigInteger value) {
        return "%064x".formatted(value);
    }
}
