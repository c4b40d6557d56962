package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link EvmEscrow} does beyond the contract of every escrow, on a real chain node, paid in its native coin. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class EvmEscrowIT {
    private static final Amount GAS = new Amount(BigInteger.TEN.pow(17));

    private DevChain chain;
    private EvmEscrow escrow;

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

    private EscrowOffer offer(Account lender, long lane, Account renter) {
        Instant start = Instant.ofEpochSecond(chain.now().getEpochSecond() + 300);
        return escrow.offer(new Terms(
                lender,
                BigInteger.valueOf(lane),
                renter,
                Rate.of(12_345_678),
                Window.of(start, Duration.ofSeconds(600)),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                start,
                new Hash32("0x" + "5e".repeat(32))));
    }

    @Test
    void openFor_aRenterWhoSigned_takesItsLedgerBalance_andNothingOfTheRelays() {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EvmParty relay = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 5, renter.account());
        renter.deposit(offer.deposit());
        Signature ofLender = lender.sign(offer.digest());
        Signature ofRelay = relay.sign(escrow.consentDigest(offer));
        assertThrows(EscrowException.InvalidSignature.class, () -> relay.openFor(offer, ofLender, ofRelay));

        Signature consent = renter.sign(escrow.consentDigest(offer));
        Hash32 transaction = relay.openFor(offer, ofLender, consent);

        assertEquals(transaction, relay.openFor(offer, ofLender, consent), "again, it changes nothing");
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(Amount.ZERO, renter.ledgerBalance());
        assertEquals(offer.deposit(), renter.end(offer).refunded());
    }

    @Test
    void extend_opensWhileTheFirstRuns_byTheLendersSignatureOfThePairAlone() {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EscrowOffer first = offer(lender.account(), 6, renter.account());
        EscrowOffer further = escrow.offer(new Terms(
                lender.account(),
                BigInteger.valueOf(7),
                renter.account(),
                first.rate(),
                Window.of(first.window().end(), Duration.ofSeconds(60)),
                Duration.ZERO,
                Duration.ofSeconds(60),
                first.window().end(),
                first.digest()));
        Signature pair = lender.sign(escrow.extensionDigest(first, further));
        assertThrows(EscrowException.Refused.class, () -> renter.extend(first, further, pair));

        renter.open(first, lender.sign(first.digest()));
        assertThrows(EscrowException.InvalidSignature.class, () -> renter.open(further, pair));
        renter.extend(first, further, pair);

        assertInstanceOf(Reading.Open.class, escrow.read(first));
        assertInstanceOf(Reading.Open.class, escrow.read(further));
    }

    @Test
    void digests_ofOffersWithRandomTerms_equalTheContracts() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        for (int i = 0; i < 20; i++) {
            EscrowOffer offer = escrow.offer(anyTerms(random));
            assertEquals(escrow.contractsDigest(offer), offer.digest(), () -> "seed " + seed + ": " + offer);
        }
    }

    /** Terms anywhere in what an offer can hold, with both ends of each range among them. */
    private static Terms anyTerms(Random random) {
        Instant start = Instant.ofEpochSecond(any(random, (1L << 40) - 1));
        Duration noShowAfter = Duration.ofSeconds(any(random, 366 * 86_400));
        boolean decided = random.nextBoolean();
        return new Terms(
                EvmWallet.random().account(),
                new BigInteger(64, random),
                EvmWallet.random().account(),
                new Stakes(
                        decided ? EvmWallet.random().account() : Account.ZERO,
                        amount(random),
                        decided ? amount(random) : Amount.ZERO),
                new Rate(amount(random).units()),
                Window.of(start, Duration.ofSeconds(1 + any(random, (1L << 32) - 2))),
                Duration.ofSeconds(any(random, (1 << 24) - 1)),
                Duration.ofSeconds(any(random, (1 << 24) - 1)),
                new Cancellation(
                        Duration.ofSeconds(any(random, 366 * 86_400)),
                        (int) any(random, Cancellation.WHOLE),
                        noShowAfter,
                        noShowAfter.isZero() ? 0 : (int) any(random, Cancellation.WHOLE)),
                Instant.ofEpochSecond(any(random, (1L << 40) - 1)),
                new Hash32("0x%064x".formatted(new BigInteger(256, random))));
    }

    private static long any(Random random, long most) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> most;
            default -> random.nextLong(most + 1);
        };
    }

    private static Amount amount(Random random) {
        return new Amount(random.nextInt(4) == 0 ? Rate.MAX : new BigInteger(96, random));
    }

    @Test
    void digests_ofAnOfferAndAReceipt_equalTheContracts() {
        EscrowOffer offer =
                offer(EvmWallet.random().account(), 3, EvmWallet.random().account());

        assertEquals(escrow.contractsDigest(offer), offer.digest());
        assertEquals(
                escrow.contractsReceiptDigest(offer, Duration.ofSeconds(77)),
                escrow.receiptDigest(offer, Duration.ofSeconds(77)));
    }

    @Test
    void withdraw_afterASettlement_movesExactlyWhatTheLedgerOwes() {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 1, renter.account());
        renter.open(offer, lender.sign(offer.digest()));
        Duration used = Duration.ofSeconds(250);
        Hash32 digest = escrow.receiptDigest(offer, used);
        var receipt = new Settlement.ByReceipt(used, renter.sign(digest), lender.sign(digest));
        Reading.Closed closed = renter.settle(offer, receipt);
        Amount before = lender.nativeBalance();

        assertEquals(closed.refunded(), renter.withdraw());
        assertEquals(closed.paid(), lender.withdraw());
        assertEquals(Amount.ZERO, lender.withdraw());
        assertEquals(Amount.ZERO, lender.ledgerBalance());
        assertEquals(Amount.ZERO, renter.ledgerBalance());
        assertEquals(offer.deposit(), closed.paid().plus(closed.refunded()));
        Amount most = before.plus(closed.paid());
        assertTrue(lender.nativeBalance().compareTo(most) < 0, "gas was paid");
        assertTrue(lender.nativeBalance().plus(GAS).compareTo(most) > 0, "and little else");
    }

    @Test
    void open_withMoneyInTheLedger_takesItFirst() {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 1, renter.account());
        Amount kept = Amount.of(5);
        renter.deposit(offer.deposit().plus(kept));

        renter.open(offer, lender.sign(offer.digest()));

        assertEquals(kept, renter.ledgerBalance());
        lender.settle(offer, new Settlement.ByRelease(lender.sign(escrow.releaseDigest(offer))));
    }

    @Test
    void open_withoutTheMoney_isRefusedAndSendsNothing() {
        EvmWallet poor = EvmWallet.random();
        chain.node.fund(poor, Amount.of(1000));
        EvmParty lender = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 1, poor.account());

        var e = assertThrows(
                EscrowException.Refused.class, () -> escrow.party(poor).open(offer, lender.sign(offer.digest())));
        assertTrue(e.getMessage().toLowerCase(Locale.ROOT).contains("insufficient"), e.getMessage());
        assertInstanceOf(Reading.Absent.class, escrow.read(offer));
    }

    @Test
    void open_ofACancelledOffer_isRefusedWithTheContractsReason() {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 9, renter.account());
        lender.cancelOffers(BigInteger.valueOf(9));

        var e = assertThrows(EscrowException.Refused.class, () -> renter.open(offer, lender.sign(offer.digest())));
        assertTrue(e.getMessage().contains("SequenceMismatch("), e.getMessage());
        assertTrue(e.getMessage().contains("expected=1, offered=0"), e.getMessage());
    }

    @Test
    void settle_byAReceiptOfTheRenterAlone_isRefusedWithTheContractsReason() {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 1, renter.account());
        renter.open(offer, lender.sign(offer.digest()));
        Signature own = renter.sign(escrow.receiptDigest(offer, Duration.ZERO));

        var e = assertThrows(
                EscrowException.Refused.class,
                () -> renter.settle(offer, new Settlement.ByReceipt(Duration.ZERO, own, own)));
        assertTrue(e.getMessage().contains("InvalidSignature("), e.getMessage());
        assertTrue(e.getMessage().contains(lender.account().address()), e.getMessage());
    }

    @Test
    void settle_byTwentyThreadsAtOnce_closesOnce() throws Exception {
        EvmParty lender = chain.party(escrow);
        EvmParty renter = chain.party(escrow);
        EscrowOffer offer = offer(lender.account(), 1, renter.account());
        renter.open(offer, lender.sign(offer.digest()));
        var release = new Settlement.ByRelease(lender.sign(escrow.releaseDigest(offer)));

        var results = new HashSet<>(together(20, () -> escrow.settle(offer, release)));

        assertEquals(1, results.size(), results.toString());
        assertEquals(offer.deposit(), renter.ledgerBalance());
    }

    @Test
    void deposit_byTwentyThreadsAtOnce_losesAndDoublesNone() throws Exception {
        EvmWallet wallet = chain.node.fundedWallet();
        EvmParty renter = escrow.party(wallet);

        // Each through a sender of its own: only the wallet and the node number them.
        var hashes = new HashSet<>(together(20, () -> escrow.party(wallet).deposit(Amount.of(1_000_001))));

        assertEquals(20, hashes.size());
        assertEquals(Amount.of(20_000_020), renter.ledgerBalance());
    }

    @Test
    void deposit_byTwoWalletObjectsOfOneKey_losesAndDoublesNone() throws Exception {
        String key = "0x" + "01".repeat(31) + "77";
        List<EvmWallet> wallets = List.of(EvmWallet.fromHex(key), EvmWallet.fromHex(key));
        chain.node.fund(wallets.getFirst(), new Amount(BigInteger.TEN.pow(20)));
        var turn = new AtomicInteger();

        var hashes = new HashSet<>(together(
                20, () -> escrow.party(wallets.get(turn.getAndIncrement() % 2)).deposit(Amount.of(3))));

        assertEquals(20, hashes.size());
        assertEquals(Amount.of(60), escrow.party(wallets.getFirst()).ledgerBalance());
    }

    private static <T> List<T> together(int count, Callable<T> task) throws Exception {
        try (var threads = Executors.newFixedThreadPool(count)) {
            var results = new ArrayList<T>();
            for (var future : threads.invokeAll(Collections.nCopies(count, task))) {
                results.add(future.get());
            }
            return results;
        }
    }

    @Test
    void connect_toAnotherChain_isRefused() {
        EscrowSettings s = chain.settings();
        var other = EscrowSettings.of(chain.node.url(), 1, s.contract(), s.token());

        var e = assertThrows(EscrowException.Refused.class, () -> EvmEscrow.connect(other));
        assertTrue(e.getMessage().contains("31337"), e.getMessage());
    }

    @Test
    void connect_toNoContractOrAnother_isRefused() {
        Token token = EscrowDeployment.devToken(chain.node.url(), chain.operator);
        for (Account wrong : List.of(EvmWallet.random().account(), token.contract())) {
            var settings = EscrowSettings.of(chain.node.url(), 31337, wrong, chain.token);
            assertThrows(EscrowException.Refused.class, () -> EvmEscrow.connect(settings));
        }
    }

    @Test
    void connect_withATokenOfOtherDecimals_isRefused() {
        Token token = EscrowDeployment.devToken(chain.node.url(), chain.operator);
        var wrong = new Token(token.contract(), "dUSD", 18, true);
        var settings = EscrowSettings.of(chain.node.url(), 31337, chain.deployment.contract(), wrong);

        assertThrows(EscrowException.Refused.class, () -> EvmEscrow.connect(settings));
    }

    @Test
    void connect_toNothing_isUnreachable() {
        var settings = chain.settings(URI.create("http://127.0.0.1:1"));

        var e = assertThrows(EscrowException.Unreachable.class, () -> EvmEscrow.connect(settings));
        assertTrue(e.getMessage().contains("127.0.0.1:1"), e.getMessage());
    }

    @Test
    void connect_withADeadNodeFirst_usesTheNext() {
        var settings = chain.settings().withNodes(List.of(URI.create("http://127.0.0.1:1"), chain.node.url()));
        try (var other = EvmEscrow.connect(settings)) {
            EscrowOffer offer =
                    offer(EvmWallet.random().account(), 3, EvmWallet.random().account());
            assertInstanceOf(Reading.Absent.class, other.read(offer));
        }
    }

    @Test
    void read_overASilentLine_isUnknownWithinTheTimeLimit() throws Exception {
        try (var line = new CuttableLine(chain.node.url());
                var other = EvmEscrow.connect(chain.settings(line.url())
                        .withTimes(Duration.ofMillis(50), Duration.ofMillis(300), Duration.ofSeconds(1)))) {
            EscrowOffer offer =
                    offer(EvmWallet.random().account(), 3, EvmWallet.random().account());
            line.set(CuttableLine.State.SILENT);

            long before = System.nanoTime();
            assertInstanceOf(Reading.Unknown.class, other.read(offer));
            assertTrue(Duration.ofNanos(System.nanoTime() - before).toMillis() < 5000);
        }
    }

    @Test
    void connect_toAServerThatSpeaksNonsense_isUnreachable() throws Exception {
        for (String answer :
                List.of("", "hello", "[]", "{\"result\":null}", "{\"id\":1,\"result\":\"zz\"}", "[".repeat(100_000))) {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                byte[] body = answer.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.start();
            try {
                var settings = chain.settings(
                        URI.create("http://127.0.0.1:" + server.getAddress().getPort()));
                assertThrows(EscrowException.Unreachable.class, () -> EvmEscrow.connect(settings), answer);
            } finally {
                server.stop(0);
            }
        }
    }

    @Test
    void read_afterAReorganisation_fallsBackFromPendingToAbsent() {
        chain.mine(5);
        try (var careful = EvmEscrow.connect(chain.settings().withConfirmations(4))) {
            EvmParty lender = chain.party(careful);
            // With one confirmation a sender does not look after what a reorganisation throws out.
            EvmParty renter = chain.party(escrow);
            EscrowOffer offer = offer(lender.account(), 1, renter.account());
            String snapshot = chain.node.call("evm_snapshot").asText();
            renter.open(offer, lender.sign(offer.digest()));
            chain.mine(1);

            assertEquals(new Reading.Pending(2, 4), careful.read(offer));

            chain.node.call("evm_revert", snapshot);
            assertInstanceOf(Reading.Absent.class, careful.read(offer));
            chain.mine(8);
            assertInstanceOf(Reading.Absent.class, careful.read(offer));
        }
    }

    @Test
    void read_fromANodeThatLostFinalBlocks_isUnknownUntilItHasThemAgain() {
        try (var other = EvmEscrow.connect(chain.settings())) {
            EscrowOffer offer =
                    offer(EvmWallet.random().account(), 3, EvmWallet.random().account());
            String snapshot = chain.node.call("evm_snapshot").asText();
            chain.mine(3);
            assertInstanceOf(Reading.Absent.class, other.read(offer));

            chain.node.call("evm_revert", snapshot);
            assertInstanceOf(Reading.Unknown.class, other.read(offer));
            chain.mine(3);
            assertInstanceOf(Reading.Absent.class, other.read(offer));
        }
    }

    @Test
    void settle_whoseBlockIsReplaced_isSentAgainAndClosesOnce() throws Exception {
        chain.mine(5);
        try (var careful = EvmEscrow.connect(chain.settings().withConfirmations(3));
                var threads = Executors.newSingleThreadExecutor()) {
            EvmParty lender = chain.party(careful);
            EvmParty renter = chain.party(careful);
            EscrowOffer offer = offer(lender.account(), 1, renter.account());
            renter.open(offer, lender.sign(offer.digest()));
            chain.mine(3);
            var release = new Settlement.ByRelease(lender.sign(careful.releaseDigest(offer)));
            var closed = threads.submit(() -> careful.settle(offer, release));
            String replaced = awaitSettlement(careful, offer);

            chain.node.call("anvil_reorg", 1, List.of());
            assertNotEquals(replaced, awaitSettlement(careful, offer));
            chain.mine(3);

            assertEquals(offer.deposit(), closed.get(20, TimeUnit.SECONDS).refunded());
            assertEquals(offer.deposit(), renter.ledgerBalance());
        }
    }

    /** Returns the hash of the block that holds the settlement. */
    private static String awaitSettlement(EvmEscrow escrow, EscrowOffer offer) throws Exception {
        var changes = new Semaphore(1);
        try (AutoCloseable subscription = escrow.onChange(changes::release)) {
            assertTrue(subscription != null);
            while (true) {
                assertTrue(changes.tryAcquire(20, TimeUnit.SECONDS), "no block came");
                Chain.Log settled = escrow.look("testing", offer).settled();
                if (settled != null) {
                    return settled.blockHash();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void deposit_whoseSendingIsAnsweredBySilence_happensOnce(boolean requestArrives) throws Exception {
        var toLose = new AtomicBoolean(true);
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        var node = HttpClient.newHttpClient();
        proxy.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            boolean lose = body.contains("eth_sendRawTransaction") && toLose.getAndSet(false);
            try (exchange) {
                if (lose && !requestArrives) {
                    return;
                }
                var request = HttpRequest.newBuilder(chain.node.url())
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
                byte[] answer = node.send(request, HttpResponse.BodyHandlers.ofByteArray())
                        .body();
                if (!lose) {
                    exchange.sendResponseHeaders(200, answer.length);
                    exchange.getResponseBody().write(answer);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        proxy.start();
        try (var lossy = EvmEscrow.connect(chain.settings(
                URI.create("http://127.0.0.1:" + proxy.getAddress().getPort())))) {
            EvmParty renter = chain.party(lossy);
            renter.deposit(Amount.of(7));

            assertFalse(toLose.get(), "nothing was lost");
            assertEquals(Amount.of(7), renter.ledgerBalance());
        } finally {
            proxy.stop(0);
        }
    }

    @Test
    void settle_withoutAnOperator_isRefused() {
        EscrowSettings s = chain.settings();
        try (var reader = EvmEscrow.connect(EscrowSettings.of(chain.node.url(), 31337, s.contract(), s.token()))) {
            EscrowOffer offer =
                    offer(EvmWallet.random().account(), 3, EvmWallet.random().account());
            assertThrows(EscrowException.Refused.class, () -> reader.settle(offer, new Settlement.ByTimeLock()));
        }
    }

    @Test
    void open_whileFeesAreOverTheCap_isNotYet() {
        try (var thrifty = EvmEscrow.connect(chain.settings().withFeeCap(BigInteger.ONE))) {
            EvmParty renter = chain.party(thrifty);
            assertThrows(EscrowException.NotYet.class, () -> renter.deposit(Amount.of(1)));
        }
    }
}
