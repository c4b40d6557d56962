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
import org.computehive.market.Rate;
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
                Account.ZERO,
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
                offer.arbiter(),
                Rate.of(1),
                offer.window(),
                offer.grace(),
                offer.disputeWindow(),
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
                Account.ZERO,
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
}
