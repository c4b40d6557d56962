package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.computehive.chain.WalletRequests.Transaction;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.Escrow.Closing;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.Escrow.Reading;
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
import org.web3j.crypto.StructuredDataEncoder;

/** Wallets outside this process, which for the tests are accounts that the node itself signs and sends for. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WalletRequestsIT {
    private static final Hash32 HASH = new Hash32("0x" + "5e".repeat(32));

    private DevChain chain;
    private EvmEscrow escrow;
    private WalletRequests requests;
    private Account lender;
    private Account renter;
    private Account arbiter;

    @BeforeAll
    void start() {
        chain = new DevChain(false, DevChain.options().withUnlocked(3));
        escrow = EvmEscrow.connect(chain.settings());
        requests = escrow.walletRequests();
        List<Account> accounts = chain.node.unlockedAccounts();
        lender = accounts.get(0);
        renter = accounts.get(1);
        arbiter = accounts.get(2);
        EscrowDeployment.mint(chain.node.url(), chain.operator, chain.token, renter, DevChain.WEALTH);
    }

    @AfterAll
    void stop() {
        escrow.close();
        chain.close();
    }

    private EscrowOffer offer(long lane, Duration untilStart) {
        var start = chain.now().plus(untilStart);
        return escrow.offer(new Terms(
                lender,
                BigInteger.valueOf(lane),
                renter,
                Rate.of(277),
                Window.of(start, Duration.ofHours(1)),
                Duration.ofSeconds(60),
                Duration.ofDays(1),
                start,
                new Hash32("0x" + "5e".repeat(32))));
    }

    private Signature signed(Account account, String typedData) throws Exception {
        return new Signature(chain.node
                .call("eth_signTypedData_v4", account.address(), new ObjectMapper().readTree(typedData))
                .asText());
    }

    private void send(Transaction transaction) {
        chain.node.call(
                "eth_sendTransaction",
                Map.of(
                        "from", transaction.from().address(),
                        "to", transaction.to().address(),
                        "data", transaction.data(),
                        "value", Chain.hex(transaction.value())));
        chain.mine(1);
    }

    private void open(EscrowOffer offer, int transactions) throws Exception {
        List<Transaction> needed = requests.open(offer, signed(lender, requests.offer(offer)));
        assertEquals(transactions, needed.size());
        needed.forEach(this::send);
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
    }

    private static Hash32 hash(String typedData) throws Exception {
        return Hash32.of(new StructuredDataEncoder(typedData).hashStructuredData());
    }

    @Test
    void typedData_hasTheDigestsThatTheEscrowChecks() throws Exception {
        EscrowOffer offer = offer(1, Duration.ofHours(1));
        var used = Duration.ofSeconds(30);

        assertEquals(offer.digest(), hash(requests.offer(offer)));
        assertEquals(escrow.receiptDigest(offer, used), hash(requests.receipt(offer, used)));
        assertEquals(escrow.releaseDigest(offer), hash(requests.release(offer)));
    }

    @Test
    void signaturesOfAnotherPrograms_areTheAccounts() throws Exception {
        EscrowOffer offer = offer(2, Duration.ofHours(1));
        var used = Duration.ofSeconds(30);

        escrow.checkSignature(lender, offer.digest(), signed(lender, requests.offer(offer)));
        escrow.checkSignature(renter, escrow.receiptDigest(offer, used), signed(renter, requests.receipt(offer, used)));
        assertThrows(
                EscrowException.Refused.class,
                () -> escrow.checkSignature(lender, offer.digest(), signed(renter, requests.offer(offer))));
    }

    @Test
    void transactions_openEndAndWithdraw() throws Exception {
        EscrowOffer offer = offer(3, Duration.ofHours(1));
        open(offer, 2);

        send(requests.end(offer));
        var closed = assertInstanceOf(Reading.Closed.class, escrow.read(offer));
        assertEquals(Amount.ZERO, closed.paid());
        assertEquals(offer.deposit(), requests.balance(renter));

        // What lies in the ledger needs no approval.
        EscrowOffer next = offer(4, Duration.ofHours(1));
        open(next, 1);
        send(requests.end(next));

        send(requests.withdraw(renter, requests.balance(renter)));
        assertEquals(Amount.ZERO, requests.balance(renter));
    }

    private EscrowOffer staked(long lane, Duration untilStart, Account decides) {
        var start = chain.now().plus(untilStart);
        return escrow.offer(new Terms(
                lender,
                BigInteger.valueOf(lane),
                renter,
                new Stakes(decides, Amount.of(1_000), Amount.of(70)),
                Rate.of(277),
                Window.of(start, Duration.ofHours(1)),
                Duration.ofSeconds(60),
                Duration.ofDays(1),
                new Cancellation(Duration.ofMinutes(10), 2_500, Duration.ofMinutes(30), 5_000),
                start,
                HASH));
    }

    private void giveBond() {
        EscrowDeployment.mint(chain.node.url(), chain.operator, chain.token, lender, Amount.of(1_000));
        requests.deposit(lender, Amount.of(1_000)).forEach(this::send);
    }

    @Test
    void deposit_isApprovedAndThenInTheLedger() {
        Amount before = requests.balance(lender);
        EscrowDeployment.mint(chain.node.url(), chain.operator, chain.token, lender, Amount.of(7));

        List<Transaction> deposit = requests.deposit(lender, Amount.of(7));

        assertEquals(2, deposit.size());
        deposit.forEach(this::send);
        assertEquals(before.plus(Amount.of(7)), requests.balance(lender));
        assertThrows(IllegalArgumentException.class, () -> requests.deposit(lender, Amount.ZERO));
    }

    @Test
    void disputeAndResolve_freezeAndDecide() throws Exception {
        giveBond();
        EscrowOffer offer = staked(5, Duration.ofHours(1), arbiter);
        requests.open(offer, signed(lender, requests.offer(offer))).forEach(this::send);
        assertThrows(
                EscrowException.Refused.class,
                () -> requests.resolve(offer, Duration.ZERO, Amount.ZERO, Amount.ZERO),
                "nobody disputes yet");
        assertThrows(
                EscrowException.Refused.class,
                () -> requests.dispute(offer, lender, HASH, BigInteger.ONE).forEach(this::send),
                "the lender can't dispute what is not held against it");

        requests.dispute(offer, renter, HASH, BigInteger.ONE).forEach(this::send);
        var open = assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(
                renter, assertInstanceOf(Phase.Disputed.class, open.phase()).by());
        assertThrows(EscrowException.NotYet.class, () -> requests.settle(offer, lender));
        assertThrows(
                EscrowException.Refused.class,
                () -> requests.resolve(offer, Duration.ZERO, Amount.of(1_001), Amount.ZERO),
                "more than the bond");

        send(requests.resolve(offer, Duration.ofSeconds(9), Amount.of(400), Amount.of(30)));
        var closed = assertInstanceOf(Reading.Closed.class, escrow.read(offer));
        assertEquals(offer.rate().cost(Duration.ofSeconds(9)), closed.paid());
        assertEquals(Amount.of(400), closed.slashed());
        assertEquals(Amount.of(30), closed.forfeited());
        assertThrows(EscrowException.Refused.class, () -> requests.settle(offer, lender), "it is closed");
    }

    @Test
    void endAsLender_andSettle_byItsWord() throws Exception {
        giveBond();
        EscrowOffer offer = staked(6, Duration.ofSeconds(5), arbiter);
        requests.open(offer, signed(lender, requests.offer(offer))).forEach(this::send);
        assertThrows(EscrowException.NotYet.class, () -> requests.settle(offer, arbiter));
        chain.node.advance(Duration.ofMinutes(2));
        chain.mine(1);

        send(requests.endAsLender(offer));
        var open = assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(lender, assertInstanceOf(Phase.Ended.class, open.phase()).by());
        assertThrows(EscrowException.NotYet.class, () -> requests.settle(offer, lender), "the renter may object");
        // Whom it is held against may agree at once.
        send(requests.settle(offer, renter));
        assertEquals(
                Closing.LENDERS_WORD,
                assertInstanceOf(Reading.Closed.class, escrow.read(offer)).how());
    }

    @Test
    void reportNoShow_andSettleAfterTheTimeLock() throws Exception {
        giveBond();
        EscrowOffer offer = staked(7, Duration.ofSeconds(5), arbiter);
        requests.open(offer, signed(lender, requests.offer(offer))).forEach(this::send);
        assertThrows(EscrowException.NotYet.class, () -> requests.reportNoShow(offer, lender));
        chain.node.advance(Duration.ofMinutes(31));
        chain.mine(1);

        send(requests.reportNoShow(offer, lender));
        chain.node.advance(offer.disputeWindow());
        chain.mine(1);
        send(requests.settle(offer, arbiter));
        var closed = assertInstanceOf(Reading.Closed.class, escrow.read(offer));
        assertEquals(Closing.LENDERS_WORD, closed.how());
        assertTrue(closed.paid().compareTo(offer.rate().cost(Duration.ofMinutes(30))) >= 0, "half of the window");
    }

    @Test
    void extend_isSignedAsAPair_andOpensBesideTheFirst() throws Exception {
        EscrowOffer first = offer(8, Duration.ofHours(1));
        requests.open(first, signed(lender, requests.offer(first))).forEach(this::send);
        EscrowOffer further = escrow.offer(new Terms(
                lender,
                BigInteger.valueOf(9),
                renter,
                first.rate(),
                Window.of(first.window().end(), Duration.ofSeconds(60)),
                Duration.ZERO,
                Duration.ofDays(1),
                first.window().end(),
                first.digest()));
        assertEquals(escrow.extensionDigest(first, further), hash(requests.extension(first, further)));
        assertEquals(escrow.consentDigest(further), hash(requests.consent(further)));

        requests.extend(first, further, signed(lender, requests.extension(first, further)))
                .forEach(this::send);

        assertInstanceOf(Reading.Open.class, escrow.read(first));
        assertInstanceOf(Reading.Open.class, escrow.read(further));
    }

    @Test
    void cancelOffers_makesWhatWasSignedWorthless() throws Exception {
        EscrowOffer offer = offer(10, Duration.ofHours(1));
        Signature signature = signed(lender, requests.offer(offer));

        send(requests.cancelOffers(lender, BigInteger.TEN));

        assertEquals(BigInteger.ONE, offer(10, Duration.ofHours(1)).sequence());
        assertThrows(
                EscrowException.OfferUsed.class,
                () -> chain.party(escrow).openFor(offer, signature, signed(renter, requests.consent(offer))));
    }
}
