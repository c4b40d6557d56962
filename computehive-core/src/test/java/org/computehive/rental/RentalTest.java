package org.computehive.rental;

import static org.computehive.rental.Sample.HASH;
import static org.computehive.rental.Sample.NOW;
import static org.computehive.rental.Sample.POLICY;
import static org.computehive.rental.Sample.SIGNATURE;
import static org.computehive.rental.Sample.WINDOW;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

class RentalTest {

    private static List<Step> steps(Rental rental) {
        return rental.effects(POLICY).stream().map(RentalEffect::step).toList();
    }

    @Test
    void reserved_asksForAnOffer_thenWatchesItsFunding() {
        Rental rental = Sample.reserved();
        assertEquals(List.of(Step.WRITE_OFFER), steps(rental));
        assertEquals(
                List.of(Step.WATCH_FUNDING),
                steps(rental.after(new RentalEvent.OfferWritten(NOW, Sample.offer(rental.id())))));
    }

    @Test
    void funded_withoutTheLendersSignature_isRefused() {
        Rental rental = Sample.reserved();
        assertThrows(
                RentalException.WrongState.class,
                () -> rental.after(new RentalEvent.Funded(NOW, rental.terms().deposit(), HASH)));
    }

    @Test
    void funded_withAnotherDeposit_isRefused() {
        assertThrows(
                RentalException.WrongState.class,
                () -> Sample.signed().after(new RentalEvent.Funded(NOW, Amount.of(1), HASH)));
    }

    @Test
    void funded_invitesBothParties_thenStartsAtTheLeadTime() {
        Rental rental = Sample.funded();
        assertEquals(List.of(Step.NOTIFY, Step.START, Step.WATCH_ESCROW), steps(rental));
        Rental invited = rental.after(new RentalEvent.Invited(NOW, "REQUEST", 0));
        assertEquals(
                new RentalEffect(Step.START, WINDOW.start().minus(POLICY.lead())),
                invited.effects(POLICY).getFirst());
    }

    @Test
    void invitation_thatStillHolds_isNotRepeated() {
        Rental rental = Sample.funded();
        assertEquals(Optional.of(CalendarMessage.Method.REQUEST), rental.invitationDue());
        for (Optional<Told> told : List.of(Optional.<Told>empty(), rental.toTell())) {
            Rental invited = rental.after(new RentalEvent.Invited(NOW, "REQUEST", 0, told));
            assertEquals(Optional.empty(), invited.invitationDue());
            assertEquals(rental.toTell(), invited.told());
            assertFalse(steps(invited).contains(Step.NOTIFY));
        }
    }

    @Test
    void invitation_thatNoLongerHolds_isFollowedByANewer() {
        Told now = Told.of(Sample.terms());
        for (Told stale : List.of(
                new Told(WINDOW.extendedBy(Duration.ofSeconds(1)), now.listing(), now.host()),
                new Told(now.window(), new ListingId("listing-2"), now.host()),
                new Told(now.window(), now.listing(), new HostId("host-2")))) {
            Rental told = Sample.active().after(new RentalEvent.Invited(NOW, "REQUEST", 1, Optional.of(stale)));
            assertEquals(Optional.of(CalendarMessage.Method.REQUEST), told.invitationDue());
            assertEquals(List.of(Step.END, Step.WATCH_ESCROW, Step.NOTIFY), steps(told));
            Rental corrected = told.after(new RentalEvent.Invited(NOW, "REQUEST", 2, Optional.of(now)));
            assertEquals(List.of(Step.END, Step.WATCH_ESCROW), steps(corrected));
        }
    }

    @Test
    void session_endedEarly_tellsUntilWhenItRan_onceItIsTakenDown() {
        Instant at = WINDOW.start().plusSeconds(100).plusMillis(7);
        Rental ending = Sample.active().after(new RentalEvent.Ending(at, EndCause.BY_RENTER));
        assertEquals(Optional.empty(), ending.invitationDue());
        Rental ended = Sample.tornDown(ending, at);
        assertEquals(List.of(Step.NOTIFY, Step.SETTLE), steps(ended));
        assertEquals(
                Optional.of(new Window(WINDOW.start(), WINDOW.start().plusSeconds(100))),
                ended.toTell().map(Told::window));
        Rental ranToTheEnd = Sample.tornDown(
                Sample.active().after(new RentalEvent.Ending(WINDOW.end().plusMillis(3), EndCause.WINDOW_OVER)),
                WINDOW.end());
        assertEquals(List.of(Step.SETTLE), steps(ranToTheEnd));
    }

    @Test
    void session_endedBeforeItsWindow_isCancelled() {
        Instant before = WINDOW.start().minusSeconds(5);
        Rental ended =
                Sample.tornDown(Sample.starting().after(new RentalEvent.Ending(before, EndCause.BY_RENTER)), before);
        assertEquals(Optional.of(CalendarMessage.Method.CANCEL), ended.invitationDue());
    }

    @Test
    void cancellation_isStillDueOnceSettled_untilItWasSent() {
        for (RentalEvent callsOff :
                List.of(new RentalEvent.Cancelled(NOW, Sample.RENTER), new RentalEvent.ReleaseSigned(NOW, SIGNATURE))) {
            Rental cancelled = Sample.funded().after(callsOff);
            Rental settled = cancelled.after(
                    new RentalEvent.Settled(NOW, Amount.ZERO, cancelled.terms().deposit(), HASH));
            assertEquals(List.of(Step.NOTIFY), steps(settled));
            Rental told = settled.after(new RentalEvent.Invited(NOW, "CANCEL", 1, settled.told()));
            assertEquals(List.of(), steps(told));
        }
    }

    @Test
    void starting_bootsAtOnce_butProvesNotBeforeTheWindow() {
        Rental rental = Sample.starting();
        assertEquals(List.of(Step.BOOT), steps(rental));
        Rental booted = rental.after(new RentalEvent.MachineStarted(NOW, Map.of()));
        assertEquals(List.of(new RentalEffect(Step.PROVE, WINDOW.start())), booted.effects(POLICY));
    }

    @Test
    void activated_outsideTheWindow_isRefused() {
        Rental booted = Sample.starting().after(new RentalEvent.MachineStarted(NOW, Map.of()));
        for (Instant outside : List.of(WINDOW.start().minusMillis(1), WINDOW.end())) {
            assertThrows(
                    RentalException.WrongState.class,
                    () -> booted.after(new RentalEvent.Activated(outside, "SSH-2.0-test")));
        }
    }

    @Test
    void ending_takesDownInOrder_accessFirst() {
        Instant at = WINDOW.start().plusSeconds(100);
        Rental rental = Sample.active().after(new RentalEvent.Ending(at, EndCause.BY_RENTER));
        assertEquals(List.of(Step.CUT_ACCESS), steps(rental));
        Rental beforeCut = rental;
        assertThrows(
                RentalException.WrongState.class,
                () -> beforeCut.after(new RentalEvent.MachineDestroyed(at, Map.of())));
        rental = rental.after(new RentalEvent.AccessCut(at, 1));
        assertEquals(List.of(Step.DESTROY), steps(rental));
        rental = rental.after(new RentalEvent.MachineDestroyed(at, Map.of()));
        assertEquals(List.of(Step.ERASE), steps(rental));
        rental = rental.after(new RentalEvent.DiskErased(at, Map.of()));
        assertEquals(List.of(Step.TURN_OVER), steps(rental));
        assertEquals(
                RentalState.ENDED,
                rental.after(new RentalEvent.TurnedOver(at, List.of())).state());
    }

    @Test
    void used_countsWholeSecondsFromProofToEnd() {
        Instant from = WINDOW.start().plusSeconds(2);
        Rental rental = Sample.active().after(new RentalEvent.Ending(from.plusMillis(61_999), EndCause.BY_RENTER));
        assertEquals(Duration.ofSeconds(61), rental.used());
        assertEquals(Amount.of(6_100), rental.due());
    }

    @Test
    void used_neverPassesTheWindow() {
        Rental rental =
                Sample.active().after(new RentalEvent.Ending(WINDOW.end().plusSeconds(50), EndCause.WINDOW_OVER));
        assertEquals(Duration.ofSeconds(3598), rental.used());
    }

    @Test
    void used_ofASessionThatNeverStarted_isZero() {
        Rental rental = Sample.starting()
                .after(new RentalEvent.StartFailed(NOW, new Fault(Fault.Blame.LENDER, "no disk space")));
        assertEquals(Duration.ZERO, rental.used());
        assertEquals(Optional.of(Fault.Blame.LENDER), rental.fault().map(Fault::blame));
    }

    @Test
    void failed_isTakenDownToo_andThenOwesARefund() {
        Rental failed = Sample.starting()
                .after(new RentalEvent.StartFailed(NOW, new Fault(Fault.Blame.LENDER, "no disk space")));
        assertEquals(List.of(Step.CUT_ACCESS), steps(failed));
        Rental ended = Sample.tornDown(failed, NOW);
        assertEquals(RentalState.ENDED, ended.state());
        assertEquals(List.of(Step.NOTIFY, Step.SETTLE), steps(ended));
        assertEquals(Optional.empty(), ended.signedSettlement());
        Rental released = ended.after(new RentalEvent.ReleaseSigned(NOW, SIGNATURE));
        assertEquals(Optional.of(new Escrow.Settlement.ByRelease(SIGNATURE)), released.signedSettlement());
    }

    @Test
    void receipt_forOtherThanTheMeteredTime_isRefused() {
        Rental ending =
                Sample.active().after(new RentalEvent.Ending(WINDOW.start().plusSeconds(12), EndCause.BY_RENTER));
        assertThrows(
                RentalException.WrongState.class,
                () -> ending.after(new RentalEvent.ReceiptSigned(NOW, Duration.ofSeconds(9), SIGNATURE)));
    }

    @Test
    void receipt_settlesOnlyWithBothSignatures_renterFirst_lenderOnceTheVmIsGone() {
        Instant at = WINDOW.start().plusSeconds(12);
        Rental ending = Sample.active().after(new RentalEvent.Ending(at, EndCause.BY_RENTER));
        Rental signed = ending.after(new RentalEvent.ReceiptSigned(NOW, Duration.ofSeconds(10), SIGNATURE));
        assertThrows(
                RentalException.WrongState.class,
                () -> signed.after(new RentalEvent.ReceiptCountersigned(NOW, SIGNATURE)));
        assertThrows(
                RentalException.WrongState.class,
                () -> signed.after(new RentalEvent.ReceiptSigned(NOW, Duration.ofSeconds(10), SIGNATURE)));
        Rental ended = Sample.tornDown(signed, at);
        assertEquals(Optional.empty(), ended.signedSettlement());
        assertEquals(
                Optional.of(new Escrow.Settlement.ByReceipt(Duration.ofSeconds(10), SIGNATURE, SIGNATURE)),
                ended.after(new RentalEvent.ReceiptCountersigned(NOW, SIGNATURE))
                        .signedSettlement());
    }

    @Test
    void receipt_ofTheLenderAlone_isRefused() {
        Rental ended = Sample.tornDown(
                Sample.active().after(new RentalEvent.Ending(WINDOW.end(), EndCause.WINDOW_OVER)), WINDOW.end());
        assertThrows(
                RentalException.WrongState.class,
                () -> ended.after(new RentalEvent.ReceiptCountersigned(NOW, SIGNATURE)));
    }

    @Test
    void settled_mustAddUpToTheDeposit() {
        Rental ended = Sample.tornDown(
                Sample.active().after(new RentalEvent.Ending(WINDOW.end(), EndCause.WINDOW_OVER)), WINDOW.end());
        Amount deposit = ended.terms().deposit();
        assertThrows(
                RentalException.WrongState.class,
                () -> ended.after(new RentalEvent.Settled(NOW, deposit, Amount.of(1), HASH)));
        Rental settled = ended.after(new RentalEvent.Settled(NOW, ended.due(), deposit.minus(ended.due()), HASH));
        assertEquals(RentalState.SETTLED, settled.state());
        assertTrue(settled.state().isOver());
        assertEquals(List.of(), settled.effects(POLICY));
    }

    @Test
    void cancel_betweenSigningAndFunding_isRefused() {
        assertThrows(
                RentalException.WrongState.class,
                () -> Sample.signed().after(new RentalEvent.Cancelled(NOW, Sample.RENTER)));
        assertEquals(
                RentalState.CANCELLED,
                Sample.reserved()
                        .after(new RentalEvent.Cancelled(NOW, Sample.RENTER))
                        .state());
        assertEquals(
                RentalState.CANCELLED,
                Sample.funded()
                        .after(new RentalEvent.Cancelled(NOW, Sample.RENTER))
                        .state());
    }

    @Test
    void releaseOfTheLender_onceFunded_callsOff() {
        Rental released = Sample.funded().after(new RentalEvent.ReleaseSigned(NOW, SIGNATURE));
        assertEquals(RentalState.CANCELLED, released.state());
        assertEquals(Optional.of(new Escrow.Settlement.ByRelease(SIGNATURE)), released.signedSettlement());
    }

    @Test
    void timeLock_isForSessionsThatRanToTheEnd_whoseRenterSignedNothing() {
        Rental over = Sample.active().after(new RentalEvent.Ending(WINDOW.end(), EndCause.WINDOW_OVER));
        Rental ended = Sample.tornDown(over, WINDOW.end());
        assertTrue(mayTimeLock(ended));
        assertFalse(mayTimeLock(ended.after(new RentalEvent.ReceiptSigned(NOW, over.used(), SIGNATURE))));
        Instant early = WINDOW.start().plusSeconds(60);
        for (EndCause cause : List.of(EndCause.BY_RENTER, EndCause.BY_LENDER, EndCause.MACHINE_LOST)) {
            assertFalse(
                    mayTimeLock(Sample.tornDown(Sample.active().after(new RentalEvent.Ending(early, cause)), early)),
                    cause.toString());
        }
        assertFalse(mayTimeLock(
                Sample.tornDown(Sample.starting().after(new RentalEvent.Ending(early, EndCause.BY_RENTER)), early)));
    }

    private static boolean mayTimeLock(Rental rental) {
        return rental.mayTimeLock(rental.legs().getFirst());
    }

    @Test
    void gpusAreOccupied_untilEveryTurnoverWasSeen() {
        Rental ending = Sample.active().after(new RentalEvent.Ending(WINDOW.end(), EndCause.WINDOW_OVER));
        assertEquals(Set.of(new Occupancy(Sample.GPU, WINDOW.extendedBy(Duration.ofMinutes(1)))), ending.occupied());
        assertEquals(Set.of(), Sample.tornDown(ending, WINDOW.end()).occupied());
    }

    @Test
    void lane_isHeldUntilTheEscrowIsClosed() {
        Rental cancelled = Sample.funded().after(new RentalEvent.Cancelled(NOW, Sample.RENTER));
        assertEquals(Set.of(0L), cancelled.lanes());
        Rental refunded = cancelled.after(
                new RentalEvent.Settled(NOW, Amount.ZERO, cancelled.terms().deposit(), HASH));
        assertEquals(Set.of(), refunded.lanes());
        assertEquals(
                Set.of(),
                Sample.reserved().after(new RentalEvent.HoldExpired(NOW)).lanes());
    }

    @Test
    void history_leadsToTheSameRental() {
        RentalEvent.Reserved first = new RentalEvent.Reserved(NOW, Sample.terms());
        RentalId id = RentalId.random();
        Rental rental = Rental.of(id, List.of(first, new RentalEvent.HoldExpired(NOW)));
        assertEquals(RentalState.EXPIRED, rental.state());
        assertEquals(2, rental.version());
        assertThrows(IllegalArgumentException.class, () -> Rental.of(id, List.of(new RentalEvent.HoldExpired(NOW))));
    }

    @Test
    void spec_changesWithIdAndTerms() {
        RentalTerms terms = Sample.terms();
        assertFalse(terms.spec(RentalId.random()).equals(terms.spec(RentalId.random())));
    }
}
