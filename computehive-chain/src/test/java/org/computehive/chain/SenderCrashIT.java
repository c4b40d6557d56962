package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A sender that is killed by {@code kill -9} between signing and knowing the outcome, and leaves no trace on disk: who
 * repeats what it did opens and settles exactly once, because the contract refuses what was done already.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class SenderCrashIT {
    private DevChain chain;
    private EvmEscrow escrow;

    /** Where the signed transaction is when its sender dies. */
    private enum Place {
        NOT_HANDED_IN,
        WAITING_FOR_A_BLOCK,
        IN_A_BLOCK
    }

    @BeforeAll
    void start() {
        chain = new DevChain(true, DevChain.options());
        escrow = EvmEscrow.connect(chain.settings());
    }

    @AfterAll
    void stop() {
        escrow.close();
        chain.close();
    }

    private static EscrowOffer offer(EvmEscrow escrow, Account lender, Account renter, long start) {
        return escrow.offer(new Terms(
                lender,
                BigInteger.ONE,
                renter,
                Rate.of(12_345),
                Window.of(Instant.ofEpochSecond(start), Duration.ofSeconds(600)),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                Instant.ofEpochSecond(start),
                new Hash32("0x" + "5e".repeat(32))));
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void open_repeatedAfterAKill_locksOnce(Place place) throws Exception {
        String lenderKey = "0x" + "%064x".formatted(0x1000 + place.ordinal());
        String renterKey = "0x" + "%064x".formatted(0x2000 + place.ordinal());
        EvmWallet lender = EvmWallet.fromHex(lenderKey);
        EvmWallet renter = EvmWallet.fromHex(renterKey);
        chain.node.fund(renter, new Amount(BigInteger.TEN.pow(20)));
        long start = chain.now().getEpochSecond() + 3_000;
        EscrowOffer offer = offer(escrow, lender.account(), renter.account(), start);
        BigInteger heldBefore = held();

        killWhileSending(place, lenderKey, renterKey, Long.toString(start));
        Hash32 opened = untilDone(() -> escrow.party(renter).open(offer, lender.sign(offer.digest())));

        var open = assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(opened, open.transaction());
        assertEquals(offer.deposit().units(), held().subtract(heldBefore));
        assertEquals("0x1", sent(renter));
    }

    private BigInteger held() {
        return Chain.quantity(
                chain.node.call("eth_getBalance", escrow.settings().contract().address(), "latest"), "balance");
    }

    private String sent(EvmWallet wallet) {
        return chain.node
                .call("eth_getTransactionCount", wallet.account().address(), "latest")
                .asText();
    }

    /** Opens in a JVM of its own, and kills it once its transaction is where it should be. */
    private void killWhileSending(Place place, String... arguments) throws Exception {
        var signed = new CompletableFuture<Void>();
        try (var crooked = new CrookedNode(chain.node.url())) {
            crooked.be((call, honest) -> {
                if (!CrookedNode.is(call, "eth_sendRawTransaction")) {
                    return honest.ask(call);
                }
                if (place != Place.NOT_HANDED_IN) {
                    honest.ask(call);
                }
                signed.complete(null);
                return null;
            });
            chain.node.call("evm_setAutomine", place == Place.IN_A_BLOCK);
            var command = new ArrayList<>(List.of(
                    ProcessHandle.current().info().command().orElseThrow(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    Opener.class.getName(),
                    crooked.url().toString(),
                    escrow.settings().contract().address()));
            command.addAll(List.of(arguments));
            Process jvm = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                CompletableFuture.anyOf(signed, jvm.onExit()).get(60, TimeUnit.SECONDS);
                assertTrue(signed.isDone(), "it ended before it sent anything");
            } finally {
                jvm.destroyForcibly().waitFor();
            }
        }
    }

    /** Does something while blocks are made, until it is done. */
    private <T> T untilDone(Callable<T> task) throws Exception {
        try (var threads = Executors.newSingleThreadExecutor();
                Chain heads = Chain.connect(chain.node.url())) {
            Future<T> future = threads.submit(task);
            while (!future.isDone()) {
                long seen = heads.watcher().version();
                chain.node.call("evm_mine");
                heads.watcher().await(seen, Deadline.in(Duration.ofSeconds(5)));
            }
            return future.get();
        }
    }

    /** Opens an escrow over a node that lets it wait for ever. */
    static final class Opener {
        public static void main(String[] arguments) {
            EvmWallet lender = EvmWallet.fromHex(arguments[2]);
            EvmWallet renter = EvmWallet.fromHex(arguments[3]);
            var settings = EscrowSettings.of(
                    URI.create(arguments[0]),
                    31337,
                    new Account(arguments[1]),
                    new Token(Account.ZERO, "ETH", 18, false));
            try (var escrow = EvmEscrow.connect(settings)) {
                EscrowOffer offer = offer(escrow, lender.account(), renter.account(), Long.parseLong(arguments[4]));
                escrow.party(renter).open(offer, lender.sign(offer.digest()));
            }
        }
    }
}
