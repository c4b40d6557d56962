package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/** What every {@link Escrow} does. A subclass brings the escrow, its parties, its clock, and a way to cut it off. */
public abstract class EscrowContract {
    private static final Duration LENGTH = Duration.ofSeconds(600);
    private static final Duration GRACE = Duration.ofSeconds(30);
    private static final Duration DISPUTE_WINDOW = Duration.ofSeconds(60);
    private static final Rate RATE = Rate.of(1_000_003);
    private static final Cancellation TERMS =
            new Cancellation(Duration.ofSeconds(120), 2_500, Duration.ofSeconds(100), 5_000);
    private static final Amount BOND = Amount.of(7_001);
    private static final Amount DISPUTE_BOND = Amount.of(900);
    private static final Hash32 SPEC = new Hash32("0x" + "5e".repeat(32));

    /** A lender or renter with a key of its own and money enough for a few rentals. */
    public interface Party {
        /** Returns its account. */
        Account account();

        /** Signs a digest. */
        Signature sign(Hash32 digest);

        /** Opens an escrow as the renter. */
        Hash32 open(EscrowOffer offer, Signature lenderSignature);

        /** Ends a rental as the renter. */
        Reading.Closed end(EscrowOffer offer);

        /** Ends a rental as the lender. */
        Reading endAsLender(EscrowOffer offer);

        /** Reports that the other party is absent. */
        Reading reportNoShow(EscrowOffer offer);

        /** Disputes. */
        Reading dispute(EscrowOffer offer, Hash32 evidence, BigInteger entry);

        /** Decides a dispute as the arbiter. */
        Reading.Closed resolve(EscrowOffer offer, Duration used, Amount slash, Amount forfeit);

        /** Settles by its own hand. */
        Reading.Closed settle(EscrowOffer offer, Settlement settlement);

        /** Puts an amount of what it owns into the escrow's ledger. */
        void deposit(Amount amount);

        /** Returns all it owns of the token, the ledger's part included; not what is locked. */
        Amount worth();
    }

    /** Returns the escrow under test, the same throughout one test. */
    protected abstract Escrow escrow();

    /** Makes a party that nobody used before. */
    protected abstract Party party();

    /** Returns the chain's time. */
    protected abstract Instant now();

    /** Moves the chain's time to an instant or a few seconds past it. */
    protected abstract void advanceTo(Instant instant);

    /** Makes everything that was sent final. */
    protected abstract void confirm();

    /** Makes the chain unreadable, or readable again with all it knew. */
    protected abstract void setReachable(boolean yes);

    private EscrowOffer offer(Party lender, Party renter) {
        return escrow().offer(terms(lender, renter, Window.of(soon(), LENGTH)));
    }

    private static Terms terms(Party lender, Party renter, Window window) {
        return new Terms(
                lender.account(),
                BigInteger.valueOf(7),
                renter.account(),
                RATE,
                window,
                GRACE,
                DISPUTE_WINDOW,
                window.start(),
                SPEC);
    }

    private Instant soon() {
        return Instant.ofEpochSecond(now().getEpochSecond() + 300);
    }

    private EscrowOffer opened(Party lender, Party renter) {
        EscrowOffer offer = offer(lender, renter);
        renter.open(offer, lender.sign(offer.digest()));
        confirm();
        return offer;
    }

    private static void assertPaid(EscrowOffer offer, Reading.Closed closed, Amount paid) {
        assertEquals(paid, closed.paid());
        assertEquals(offer.deposit(), closed.paid().plus(closed.refunded()));
    }

    @Test
    void offer_ofTerms_namesThemAndTheLanesFirstSequence() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = offer(lender, renter);

        assertEquals(lender.account(), offer.lender());
        assertEquals(renter.account(), offer.renter());
        assertEquals(BigInteger.valueOf(7), offer.lane());
        assertEquals(BigInteger.ZERO, offer.sequence());
        assertEquals(escrow().token().contract(), offer.token());
        assertEquals(RATE.cost(LENGTH), offer.deposit());
        assertEquals(SPEC, offer.spec());
    }

    @Test
    void offer_ofOtherTerms_hasAnotherDigest() {
        Party lender = party();
        Party renter = party();
        Window window = Window.of(soon(), LENGTH);
        EscrowOffer one = escrow().offer(terms(lender, renter, window));
        EscrowOffer other = escrow().offer(terms(lender, renter, window.extendedBy(Duration.ofSeconds(1))));

        assertNotEquals(one.digest(), other.digest());
        assertEquals(one, escrow().offer(terms(lender, renter, window)));
    }

    @Test
    void offer_inFractionsOfSeconds_isRefused() {
        Party lender = party();
        Terms terms = terms(lender, party(), Window.of(soon().plusMillis(1), LENGTH));

        assertThrows(IllegalArgumentException.class, () -> escrow().offer(terms));
    }

    @Test
    void offer_onATakenLane_isRefused() {
        Party lender = party();
        Party renter = party();
        opened(lender, renter);

        assertThrows(EscrowException.Refused.class, () -> offer(lender, renter));
    }

    @Test
    void offer_whileUnreachable_saysSo() {
        Party lender = party();
        Terms terms = terms(lender, party(), Window.of(soon(), LENGTH));
        setReachable(false);

        assertThrows(EscrowException.Unreachable.class, () -> escrow().offer(terms));
    }

    @Test
    void checkSignature_ofTheSigner_passes() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = offer(lender, renter);
        Hash32 receipt = escrow().receiptDigest(offer, LENGTH);

        escrow().checkSignature(lender.account(), offer.digest(), lender.sign(offer.digest()));
        escrow().checkSignature(renter.account(), receipt, renter.sign(receipt));
    }

    @Test
    void checkSignature_ofAnybodyElseOrOverAnythingElse_isRefused() {
        Party lender = party();
        Party renter = party();
        Hash32 digest = offer(lender, renter).digest();

        for (Signature bad : new Signature[] {
            renter.sign(digest), lender.sign(SPEC), new Signature("0x00"), new Signature("0x" + "ff".repeat(65))
        }) {
            var e = assertThrows(
                    EscrowException.InvalidSignature.class,
                    () -> escrow().checkSignature(lender.account(), digest, bad));
            assertTrue(e.getMessage().contains(lender.account().address()), e.getMessage());
        }
    }

    @Test
    void read_beforeTheOpening_isAbsentAsOfTheChainsTime() {
        Instant before = now();
        EscrowOffer offer = offer(party(), party());
        confirm();

        var absent = assertInstanceOf(Reading.Absent.class, escrow().read(offer));
        assertFalse(absent.chainTime().isBefore(before.minusSeconds(60)), absent.toString());
    }

    @Test
    void read_afterTheOpening_isOpenWithTheWholeDeposit() {
        Party lender = party();
        Party renter = party();
        Amount before = renter.worth();
        EscrowOffer offer = offer(lender, renter);
        Hash32 transaction = renter.open(offer, lender.sign(offer.digest()));
        confirm();

        var open = assertInstanceOf(Reading.Open.class, escrow().read(offer));
        assertEquals(offer.deposit(), open.deposit());
        assertEquals(transaction, open.transaction());
        assertEquals(before.minus(offer.deposit()), renter.worth());
    }

    @Test
    void read_whileUnreachable_isUnknownAndNeverAbsent() {
        EscrowOffer unopened = offer(party(), party());
        EscrowOffer open = opened(party(), party());

        setReachable(false);
        assertInstanceOf(Reading.Unknown.class, escrow().read(unopened));
        assertInstanceOf(Reading.Unknown.class, escrow().read(open));

        setReachable(true);
        confirm();
        assertInstanceOf(Reading.Absent.class, escrow().read(unopened));
        assertInstanceOf(Reading.Open.class, escrow().read(open));
    }

    @Test
    void read_ofAChangedOffer_isUnknown() {
        EscrowOffer offer = opened(party(), party());
        var changed = new EscrowOffer(
                offer.lender(),
                offer.lane(),
                offer.sequence(),
                offer.renter(),
                offer.token(),
                offer.stakes(),
                Rate.of(1),
                offer.window(),
                offer.grace(),
                offer.disputeWindow(),
                offer.cancellation(),
                offer.expiry(),
                offer.spec(),
                offer.digest());

        assertInstanceOf(Reading.Unknown.class, escrow().read(changed));
    }

    @Test
    void open_twice_locksOnce() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Amount left = renter.worth();
        Signature signature = lender.sign(offer.digest());

        assertEquals(renter.open(offer, signature), renter.open(offer, signature));
        assertEquals(left, renter.worth());
    }

    @Test
    void open_byAnotherThanTheRenter_isRefused() {
        Party lender = party();
        Party other = party();
        EscrowOffer offer = offer(lender, party());
        Signature signature = lender.sign(offer.digest());

        assertThrows(EscrowException.Refused.class, () -> other.open(offer, signature));
    }

    @Test
    void open_withoutTheLendersSignature_isRefused() {
        Party renter = party();
        EscrowOffer offer = offer(party(), renter);
        Signature own = renter.sign(offer.digest());

        assertThrows(EscrowException.InvalidSignature.class, () -> renter.open(offer, own));
    }

    @Test
    void open_afterTheExpiry_isRefusedAndLocksNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = offer(lender, renter);
        Signature signature = lender.sign(offer.digest());
        advanceTo(offer.expiry().plusSeconds(1));
        Amount before = renter.worth();

        assertThrows(EscrowException.OfferExpired.class, () -> renter.open(offer, signature));
        assertEquals(before, renter.worth());
    }

    @Test
    void open_ofAnOfferWhoseSequenceIsUsed_isRefused() {
        Party lender = party();
        Party renter = party();
        EscrowOffer rival = escrow().offer(terms(lender, renter, Window.of(soon().plusSeconds(9), LENGTH)));
        EscrowOffer offer = opened(lender, renter);
        escrow().settle(offer, new Settlement.ByRelease(lender.sign(escrow().releaseDigest(offer))));
        confirm();

        Signature signature = lender.sign(rival.digest());
        assertThrows(EscrowException.OfferUsed.class, () -> renter.open(rival, signature));
        assertEquals(BigInteger.ONE, offer(lender, renter).sequence());
    }

    private Settlement.ByReceipt receipt(EscrowOffer offer, Duration used, Party renter, Party lender) {
        Hash32 digest = escrow().receiptDigest(offer, used);
        return new Settlement.ByReceipt(used, renter.sign(digest), lender.sign(digest));
    }

    private void assertRefusedAndPaysNothing(EscrowOffer offer, Settlement settlement, Party renter, Party lender) {
        Amount ofRenter = renter.worth();
        Amount ofLender = lender.worth();

        assertThrows(EscrowException.Refused.class, () -> escrow().settle(offer, settlement));
        assertEquals(ofRenter, renter.worth());
        assertEquals(ofLender, lender.worth());
        confirm();
        assertInstanceOf(Reading.Open.class, escrow().read(offer));
    }

    @Test
    void settle_byAReceipt_paysTheSecondsUsedAndRefundsTheRest() {
        Party lender = party();
        Party renter = party();
        Amount lenderBefore = lender.worth();
        Amount renterBefore = renter.worth();
        EscrowOffer offer = opened(lender, renter);
        Duration used = Duration.ofSeconds(123);

        Reading.Closed closed = escrow().settle(offer, receipt(offer, used, renter, lender));

        assertPaid(offer, closed, RATE.cost(used));
        assertEquals(closed, escrow().read(offer));
        assertEquals(lenderBefore.plus(closed.paid()), lender.worth());
        assertEquals(renterBefore.minus(closed.paid()), renter.worth());
    }

    @Test
    void settle_byAReceiptOverNothingOrTheWholeWindow_paysNothingOrAll() {
        Party lender = party();
        Party renter = party();
        EscrowOffer first = opened(lender, renter);
        assertPaid(first, escrow().settle(first, receipt(first, Duration.ZERO, renter, lender)), Amount.ZERO);

        EscrowOffer second = opened(lender, renter);
        assertPaid(second, escrow().settle(second, receipt(second, LENGTH, renter, lender)), second.deposit());
    }

    @Test
    void settle_byAReceiptBelowWhatTheRenterOwes_paysWhatBothSigned() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Duration used = Duration.ofSeconds(100);
        var receipt = receipt(offer, used, renter, lender);
        advanceTo(offer.window().start().plus(used.multipliedBy(4)));

        assertPaid(offer, escrow().settle(offer, receipt), RATE.cost(used));
    }

    @Test
    void settle_byAReceiptAfterTheTimeLock_paysWhatBothSigned() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Duration used = Duration.ofSeconds(100);
        var receipt = receipt(offer, used, renter, lender);
        advanceTo(offer.window().end().plus(DISPUTE_WINDOW).plusSeconds(1));

        assertPaid(offer, escrow().settle(offer, receipt), RATE.cost(used));
    }

    @Test
    void settle_byAReceiptOfTheRenterAlone_isRefusedAndPaysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Hash32 digest = escrow().receiptDigest(offer, Duration.ZERO);
        Signature own = renter.sign(digest);
        advanceTo(offer.window().end());

        for (Signature bad : new Signature[] {
            own,
            party().sign(digest),
            lender.sign(offer.digest()),
            new Signature("0x00"),
            new Signature("0x" + "ff".repeat(65))
        }) {
            assertRefusedAndPaysNothing(offer, new Settlement.ByReceipt(Duration.ZERO, own, bad), renter, lender);
        }
    }

    @Test
    void settle_byAReceiptOfTheRenterAloneOverAllTheTime_isRefusedAndPaysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Signature own = renter.sign(escrow().receiptDigest(offer, LENGTH));

        assertRefusedAndPaysNothing(offer, new Settlement.ByReceipt(LENGTH, own, own), renter, lender);
    }

    @Test
    void settle_byAReceiptOfTheLenderAlone_isRefusedAndPaysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Signature own = lender.sign(escrow().receiptDigest(offer, LENGTH));

        assertRefusedAndPaysNothing(offer, new Settlement.ByReceipt(LENGTH, own, own), renter, lender);
    }

    @Test
    void settle_byAReceiptWithSwappedSignatures_isRefusedAndPaysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);

        assertRefusedAndPaysNothing(offer, receipt(offer, Duration.ofSeconds(123), lender, renter), renter, lender);
    }

    @Test
    void settle_byAReceiptOverAnotherTime_isRefusedAndPaysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        var signed = receipt(offer, Duration.ofSeconds(123), renter, lender);

        for (long other : new long[] {122, 124}) {
            var changed = new Settlement.ByReceipt(
                    Duration.ofSeconds(other), signed.renterSignature(), signed.lenderSignature());
            assertRefusedAndPaysNothing(offer, changed, renter, lender);
        }
    }

    @Test
    void settle_byTheReceiptOfAnEarlierRental_isRefusedAndPaysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer earlier = opened(lender, renter);
        var receipt = receipt(earlier, Duration.ofSeconds(1), renter, lender);
        escrow().settle(earlier, receipt);
        EscrowOffer later = opened(lender, renter);

        assertRefusedAndPaysNothing(later, receipt, renter, lender);
    }

    @Test
    void settle_byAReceiptOverTheWindow_isRefused() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Hash32 digest = escrow().receiptDigest(offer, LENGTH);
        var over = new Settlement.ByReceipt(LENGTH.plusSeconds(1), renter.sign(digest), lender.sign(digest));

        assertThrows(IllegalArgumentException.class, () -> escrow().settle(offer, over));
    }

    @Test
    void receiptDigest_overTheWindowOrNotInSeconds_isRefused() {
        EscrowOffer offer = offer(party(), party());

        for (Duration bad : new Duration[] {LENGTH.plusSeconds(1), Duration.ofMillis(1500), Duration.ofSeconds(-1)}) {
            assertThrows(IllegalArgumentException.class, () -> escrow().receiptDigest(offer, bad));
        }
    }

    @Test
    void settle_byARelease_givesEverythingBack() {
        Party lender = party();
        Party renter = party();
        Amount before = renter.worth();
        EscrowOffer offer = opened(lender, renter);
        Signature release = lender.sign(escrow().releaseDigest(offer));

        Reading.Closed closed = escrow().settle(offer, new Settlement.ByRelease(release));

        assertPaid(offer, closed, Amount.ZERO);
        assertEquals(before, renter.worth());
    }

    @Test
    void settle_byTheTimeLock_isNotYetBeforeItAndPaysAllAfterIt() {
        Party lender = party();
        Party renter = party();
        Amount before = lender.worth();
        EscrowOffer offer = opened(lender, renter);

        var early =
                assertThrows(EscrowException.NotYet.class, () -> escrow().settle(offer, new Settlement.ByTimeLock()));
        Instant from = offer.window().end().plus(DISPUTE_WINDOW);
        assertTrue(early.getMessage().contains(from.toString()), early.getMessage());

        advanceTo(from);
        assertPaid(offer, escrow().settle(offer, new Settlement.ByTimeLock()), offer.deposit());
        assertEquals(before.plus(offer.deposit()), lender.worth());
    }

    @Test
    void settle_again_changesNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        var release = new Settlement.ByRelease(lender.sign(escrow().releaseDigest(offer)));

        Reading.Closed first = escrow().settle(offer, release);
        Amount after = renter.worth();

        assertEquals(first, escrow().settle(offer, release));
        assertEquals(first, escrow().settle(offer, new Settlement.ByTimeLock()));
        assertEquals(after, renter.worth());
    }

    @Test
    void settle_ofWhatWasNeverOpened_isRefused() {
        Party lender = party();
        EscrowOffer offer = offer(lender, party());
        var release = new Settlement.ByRelease(lender.sign(escrow().releaseDigest(offer)));

        assertThrows(EscrowException.Refused.class, () -> escrow().settle(offer, release));
    }

    @Test
    void settle_whileUnreachable_saysSoAndCanBeRepeated() {
        Party lender = party();
        EscrowOffer offer = opened(lender, party());
        var release = new Settlement.ByRelease(lender.sign(escrow().releaseDigest(offer)));

        setReachable(false);
        assertThrows(EscrowException.Unreachable.class, () -> escrow().settle(offer, release));
        setReachable(true);
        assertPaid(offer, escrow().settle(offer, release), Amount.ZERO);
    }

    @Test
    void end_byTheRenterWithinTheGrace_paysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        advanceTo(offer.window().start());

        assertPaid(offer, renter.end(offer), Amount.ZERO);
    }

    @Test
    void end_byTheRenterLater_paysTheSecondsSinceTheStart() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = opened(lender, renter);
        Duration used = Duration.ofSeconds(200);
        advanceTo(offer.window().start().plus(used));

        Reading.Closed closed = renter.end(offer);

        assertTrue(closed.paid().compareTo(RATE.cost(used)) >= 0, closed.toString());
        assertTrue(closed.paid().compareTo(RATE.cost(used.plusSeconds(20))) <= 0, closed.toString());
        assertPaid(offer, closed, closed.paid());
        assertEquals(closed, escrow().read(offer));
    }

    @Test
    void onChange_afterAnOpening_callsUntilClosed() throws Exception {
        Party lender = party();
        Party renter = party();
        var called = new CountDownLatch(1);
        try (AutoCloseable subscription = escrow().onChange(called::countDown)) {
            assertTrue(subscription != null);
            opened(lender, renter);
            assertTrue(called.await(20, TimeUnit.SECONDS), "nobody called");
        }
    }

    /** What more time rests on: a second offer on a lane of its own, beside the first, without a grace. */
    private EscrowOffer further(Party lender, Party renter, EscrowOffer first) {
        Window window = Window.of(first.window().end(), LENGTH);
        EscrowOffer offer = escrow().offer(new Terms(
                lender.account(),
                BigInteger.valueOf(8),
                renter.account(),
                Rate.of(2_000_003),
                window,
                Duration.ZERO,
                DISPUTE_WINDOW,
                first.window().end().minusSeconds(10),
                first.digest()));
        renter.open(offer, lender.sign(offer.digest()));
        confirm();
        return offer;
    }

    @Test
    void chainedOffer_isOpenBesideTheFirst_andEachIsSettledByItsOwnReceipt() {
        Party lender = party();
        Party renter = party();
        Amount money = lender.worth().plus(renter.worth());
        EscrowOffer first = opened(lender, renter);
        EscrowOffer second = further(lender, renter, first);
        assertInstanceOf(Reading.Open.class, escrow().read(first));
        assertInstanceOf(Reading.Open.class, escrow().read(second));

        Duration used = Duration.ofSeconds(11);
        assertPaid(first, byReceipt(lender, renter, first, LENGTH), first.deposit());
        assertPaid(
                second, byReceipt(lender, renter, second, used), second.rate().cost(used));
        confirm();
        assertEquals(money, lender.worth().plus(renter.worth()), "nothing is lost between two legs");
    }

    private Reading.Closed byReceipt(Party lender, Party renter, EscrowOffer offer, Duration used) {
        Hash32 receipt = escrow().receiptDigest(offer, used);
        return escrow().settle(
                        offer, new Escrow.Settlement.ByReceipt(used, renter.sign(receipt), lender.sign(receipt)));
    }

    @Test
    void chainedOffer_takenBackBeforeItsTime_refundsAll_andLeavesTheFirst() {
        Party lender = party();
        Party renter = party();
        EscrowOffer first = opened(lender, renter);
        EscrowOffer second = further(lender, renter, first);
        assertPaid(second, renter.end(second), Amount.ZERO);
        confirm();
        assertInstanceOf(Reading.Closed.class, escrow().read(second));
        assertInstanceOf(Reading.Open.class, escrow().read(first));
    }

    @Test
    void chainedOffer_hasNoGrace_itsFirstSecondsArePaid() {
        Party lender = party();
        Party renter = party();
        EscrowOffer first = opened(lender, renter);
        EscrowOffer second = further(lender, renter, first);
        advanceTo(second.window().start().plusSeconds(2));
        assertTrue(renter.end(second).paid().compareTo(Amount.ZERO) > 0);
    }

    private EscrowOffer staked(Party lender, Party renter, Account arbiter, Cancellation cancellation) {
        Window window = Window.of(soon(), LENGTH);
        EscrowOffer offer = escrow().offer(new Terms(
                lender.account(),
                BigInteger.valueOf(7),
                renter.account(),
                new Stakes(arbiter, BOND, arbiter.equals(Account.ZERO) ? Amount.ZERO : DISPUTE_BOND),
                RATE,
                window,
                GRACE,
                DISPUTE_WINDOW,
                cancellation,
                window.start(),
                SPEC));
        lender.deposit(BOND);
        renter.open(offer, lender.sign(offer.digest()));
        confirm();
        return offer;
    }

    private Phase phase(EscrowOffer offer) {
        confirm();
        return assertInstanceOf(Reading.Open.class, escrow().read(offer)).phase();
    }

    @Test
    void open_ofAnOfferWithABondThatTheLedgerLacks_isRefusedAndLocksNothing() {
        Party lender = party();
        Party renter = party();
        Window window = Window.of(soon(), LENGTH);
        EscrowOffer offer = escrow().offer(new Terms(
                lender.account(),
                BigInteger.valueOf(7),
                renter.account(),
                new Stakes(Account.ZERO, new Amount(Amount.MAX_UNITS.shiftRight(32)), Amount.ZERO),
                RATE,
                window,
                GRACE,
                DISPUTE_WINDOW,
                Cancellation.FREE,
                window.start(),
                SPEC));
        Amount before = renter.worth();
        Signature signature = lender.sign(offer.digest());

        assertThrows(EscrowException.InsufficientFunds.class, () -> renter.open(offer, signature));
        assertEquals(before, renter.worth());
    }

    @Test
    void end_byTheRenterUntilTheNotice_paysNothing() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);

        assertPaid(offer, renter.end(offer), Amount.ZERO);
    }

    @Test
    void end_byTheRenterAfterTheNotice_paysTheShareToTheUnit() {
        Party lender = party();
        Party renter = party();
        Amount before = lender.worth();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(offer.window().start().minusSeconds(60));

        Reading.Closed closed = renter.end(offer);

        assertPaid(offer, closed, RATE.cost(TERMS.lateCharge(offer.window())));
        assertEquals(Amount.ZERO, closed.slashed());
        assertEquals(Escrow.Closing.END, closed.how());
        assertEquals(before.plus(closed.paid()), lender.worth(), "with the bond");
    }

    @Test
    void end_byTheRenterSoonAfterTheStart_paysTheShareAtLeast() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(offer.window().start().plusSeconds(100));

        assertPaid(offer, renter.end(offer), RATE.cost(TERMS.lateCharge(offer.window())));
    }

    @Test
    void endAsLender_afterTheNotice_givesAllBackAndLosesTheShareOfTheBond() {
        Party lender = party();
        Party renter = party();
        Amount ofLender = lender.worth();
        Amount ofRenter = renter.worth();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(offer.window().start().minusSeconds(60));

        var closed = assertInstanceOf(Reading.Closed.class, lender.endAsLender(offer));

        assertPaid(offer, closed, Amount.ZERO);
        assertEquals(Amount.of(1_750), closed.slashed(), "a quarter of the bond, rounded down");
        assertEquals(Escrow.Closing.LENDERS_END, closed.how());
        assertEquals(ofLender.minus(closed.slashed()), lender.worth());
        assertEquals(ofRenter.plus(closed.slashed()), renter.worth());
        assertEquals(closed, escrow().read(offer));
    }

    @Test
    void endAsLender_withinTheGrace_losesTheBond() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(offer.window().start().plusSeconds(1));

        var closed = assertInstanceOf(Reading.Closed.class, lender.endAsLender(offer));

        assertPaid(offer, closed, Amount.ZERO);
        assertEquals(BOND, closed.slashed());
        assertEquals(Escrow.Closing.LENDERS_END, closed.how());
    }

    @Test
    void endAsLender_afterTheGrace_isPaidToThenUnlessTheRenterObjects() {
        Party lender = party();
        Party renter = party();
        Amount before = lender.worth();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(offer.window().start().plusSeconds(200));

        var open = assertInstanceOf(Reading.Open.class, lender.endAsLender(offer));
        assertEquals(open, lender.endAsLender(offer), "again, it changes nothing");
        var ended = assertInstanceOf(Phase.Ended.class, open.phase());
        assertEquals(lender.account(), ended.by());
        assertEquals(Duration.between(offer.window().start(), ended.at()), ended.used());
        assertTrue(ended.used().compareTo(Duration.ofSeconds(200)) >= 0, ended.toString());
        assertEquals(ended.at().plus(DISPUTE_WINDOW), ended.from());
        assertEquals(ended, phase(offer));
        assertThrows(EscrowException.NotYet.class, () -> escrow().settle(offer, new Settlement.ByWord()));

        advanceTo(ended.from());
        Reading.Closed closed = escrow().settle(offer, new Settlement.ByWord());

        assertPaid(offer, closed, RATE.cost(ended.used()));
        assertEquals(Escrow.Closing.LENDERS_WORD, closed.how());
        assertEquals(before.plus(closed.paid()), lender.worth());
    }

    @Test
    void endAsLender_afterTheGrace_theRenterMayAgreeAtOnce() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(offer.window().start().plusSeconds(200));
        lender.endAsLender(offer);
        var ended = assertInstanceOf(Phase.Ended.class, phase(offer));

        assertPaid(offer, renter.settle(offer, new Settlement.ByWord()), RATE.cost(ended.used()));
    }

    @Test
    void settle_byAReceiptOrARelease_afterTheLenderEnded_paysWhatWasSigned() {
        Party lender = party();
        Party renter = party();
        EscrowOffer first = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(first.window().start().plusSeconds(200));
        lender.endAsLender(first);
        confirm();
        Duration used = Duration.ofSeconds(10);
        assertPaid(first, escrow().settle(first, receipt(first, used, renter, lender)), RATE.cost(used));

        EscrowOffer second = staked(lender, renter, Account.ZERO, TERMS);
        advanceTo(second.window().start().plusSeconds(200));
        lender.endAsLender(second);
        confirm();
        var release = new Settlement.ByRelease(lender.sign(escrow().releaseDigest(second)));
        assertPaid(second, escrow().settle(second, release), Amount.ZERO);
    }

    @Test
    void settle_byAWordThatNobodySaid_isRefused() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);

        assertRefusedAndPaysNothing(offer, new Settlement.ByWord(), renter, lender);
        assertRefusedAndPaysNothing(offer, new Settlement.BySilence(), renter, lender);
    }

    @Test
    void reportNoShow_byTheLender_isPaidTheShareUnlessTheRenterObjects() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, party().account(), TERMS);
        assertThrows(EscrowException.NotYet.class, () -> lender.reportNoShow(offer));
        advanceTo(offer.window().start().plus(TERMS.noShowAfter()));

        lender.reportNoShow(offer);
        var ended = assertInstanceOf(Phase.Ended.class, phase(offer));
        assertEquals(lender.account(), ended.by());
        assertEquals(TERMS.noShowCharge(offer.window()), ended.used());

        advanceTo(ended.from());
        assertPaid(offer, escrow().settle(offer, new Settlement.ByWord()), RATE.cost(ended.used()));
    }

    @Test
    void reportNoShow_byTheRenter_refundsAllAndTheBondUnlessTheLenderObjects() {
        Party lender = party();
        Party renter = party();
        Amount before = renter.worth();
        EscrowOffer offer = staked(lender, renter, party().account(), TERMS);
        advanceTo(offer.window().start());

        renter.reportNoShow(offer);
        var ended = assertInstanceOf(Phase.Ended.class, phase(offer));
        assertEquals(renter.account(), ended.by());
        assertEquals(Duration.ZERO, ended.used());

        advanceTo(ended.from());
        Reading.Closed closed = escrow().settle(offer, new Settlement.ByWord());
        assertPaid(offer, closed, Amount.ZERO);
        assertEquals(BOND, closed.slashed());
        assertEquals(Escrow.Closing.RENTERS_WORD, closed.how());
        assertEquals(before.plus(BOND), renter.worth());
    }

    @Test
    void reportNoShow_byTheRenterAfterTheGrace_isTooLate() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, party().account(), TERMS);
        advanceTo(offer.window().start().plus(GRACE).plusSeconds(1));

        assertThrows(EscrowException.TooLate.class, () -> renter.reportNoShow(offer));
    }

    @Test
    void dispute_andReportNoShow_withoutAnArbiter_areRefused() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, Account.ZERO, TERMS);

        assertThrows(EscrowException.Refused.class, () -> renter.dispute(offer, SPEC, BigInteger.ONE));
        assertThrows(EscrowException.Refused.class, () -> renter.reportNoShow(offer));
    }

    @Test
    void dispute_byTheRenter_freezesUntilTheArbiterDecides() {
        Party lender = party();
        Party renter = party();
        Party arbiter = party();
        Amount ofLender = lender.worth();
        Amount ofRenter = renter.worth();
        EscrowOffer offer = staked(lender, renter, arbiter.account(), TERMS);
        BigInteger entry = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

        Reading open = renter.dispute(offer, SPEC, entry);
        assertEquals(open, renter.dispute(offer, SPEC, entry), "again, it changes nothing");
        var disputed = assertInstanceOf(Phase.Disputed.class, phase(offer));
        assertEquals(renter.account(), disputed.by());
        assertEquals(SPEC, disputed.evidence());
        assertEquals(entry, disputed.entry());
        assertEquals(Duration.ZERO, disputed.used(), "before the notice nothing is owed");

        assertThrows(
                EscrowException.Refused.class,
                () -> escrow().settle(offer, receipt(offer, Duration.ZERO, renter, lender)));
        var release = new Settlement.ByRelease(lender.sign(escrow().releaseDigest(offer)));
        assertThrows(EscrowException.Refused.class, () -> escrow().settle(offer, release));
        assertThrows(EscrowException.Refused.class, () -> lender.resolve(offer, LENGTH, Amount.ZERO, Amount.ZERO));
        assertThrows(
                EscrowException.Refused.class,
                () -> arbiter.resolve(offer, LENGTH, BOND.plus(Amount.of(1)), Amount.ZERO));

        Duration used = Duration.ofSeconds(100);
        Reading.Closed closed = arbiter.resolve(offer, used, Amount.of(3_000), Amount.of(100));

        assertPaid(offer, closed, RATE.cost(used));
        assertEquals(Amount.of(3_000), closed.slashed());
        assertEquals(Amount.of(100), closed.forfeited());
        assertEquals(Escrow.Closing.ARBITER, closed.how());
        assertEquals(closed, escrow().read(offer));
        assertEquals(ofLender.plus(closed.paid()).minus(Amount.of(2_900)), lender.worth());
        assertEquals(ofRenter.minus(closed.paid()).plus(Amount.of(2_900)), renter.worth());
    }

    @Test
    void dispute_byTheLenderOfANoShowReport_keepsItsBondIfTheArbiterSaysSo() {
        Party lender = party();
        Party renter = party();
        Party arbiter = party();
        Amount before = lender.worth();
        EscrowOffer offer = staked(lender, renter, arbiter.account(), TERMS);
        advanceTo(offer.window().start());
        renter.reportNoShow(offer);
        assertThrows(EscrowException.Refused.class, () -> renter.dispute(offer, SPEC, BigInteger.ZERO));

        lender.dispute(offer, SPEC, BigInteger.ZERO);
        assertEquals(
                lender.account(),
                assertInstanceOf(Phase.Disputed.class, phase(offer)).by());

        assertPaid(offer, arbiter.resolve(offer, LENGTH, Amount.ZERO, Amount.ZERO), offer.deposit());
        assertEquals(before.plus(offer.deposit()), lender.worth(), "with both bonds");
    }

    @Test
    void dispute_whoseArbiterIsSilent_isSettledByAnybodyAfterAWeek() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, party().account(), TERMS);
        advanceTo(offer.window().start().plusSeconds(200));
        renter.dispute(offer, SPEC, BigInteger.ZERO);
        var disputed = assertInstanceOf(Phase.Disputed.class, phase(offer));
        assertEquals(Duration.between(offer.window().start(), disputed.at()), disputed.used());
        assertThrows(EscrowException.NotYet.class, () -> escrow().settle(offer, new Settlement.BySilence()));

        advanceTo(disputed.from());
        Reading.Closed closed = escrow().settle(offer, new Settlement.BySilence());

        assertPaid(offer, closed, RATE.cost(disputed.used()));
        assertEquals(Escrow.Closing.SILENCE, closed.how());
        assertEquals(Amount.ZERO, closed.slashed());
        assertEquals(Amount.ZERO, closed.forfeited());
    }

    @Test
    void dispute_afterTheLendersWordStands_isTooLate() {
        Party lender = party();
        Party renter = party();
        EscrowOffer offer = staked(lender, renter, party().account(), TERMS);
        advanceTo(offer.window().start().plusSeconds(200));
        lender.endAsLender(offer);
        advanceTo(assertInstanceOf(Phase.Ended.class, phase(offer)).from());

        assertThrows(EscrowException.TooLate.class, () -> renter.dispute(offer, SPEC, BigInteger.ZERO));
    }
}
