package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Listing;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.schedule.Window;
import org.computehive.usage.Invoice;
import org.computehive.usage.UsageRecord;
import org.junit.jupiter.api.Test;

/** What the engine makes of what the parties do on the chain by the terms of an offer: late ends, words and disputes. */
class StakesTest {
    private static final Cancellation TERMS =
            new Cancellation(Duration.ofHours(1), 2_500, Duration.ofMinutes(30), 5_000);

    private final World world = World.ofHosts(1);
    private final InMemoryEscrow.Party arbiter = world.escrow.party(Amount.ZERO);
    private final Stakes stakes = new Stakes(arbiter.account(), Amount.ZERO, Amount.of(50));

    {
        list(stakes);
    }

    private void list(Stakes asked) {
        Listing listing = world.engine.listing(world.lot(1));
        Listing.Rules rules = listing.rules();
        world.engine.list(listing.with(new Listing.Rules(
                rules.shortest(),
                rules.longest(),
                rules.turnover(),
                rules.grace(),
                rules.disputeWindow(),
                TERMS,
                rules.reclaimNotice(),
                asked)));
    }

    private static EscrowOffer offer(Rental rental) {
        return rental.offer().orElseThrow();
    }

    private void assertPaidWhatIsDue(Rental rental, Amount expected) {
        Rental settled = world.await(rental.id(), RentalState.SETTLED);
        assertEquals(expected, settled.settlement().orElseThrow().paid());
        assertEquals(expected, settled.due());
        assertEquals(expected, world.lender.balance());
        assertEquals(World.MONEY.minus(expected), world.renter.balance());
    }

    private Amount late(Rental rental) {
        return rental.terms().rate().cost(TERMS.lateCharge(world.window()));
    }

    @Test
    void rental_ofAListingWithStakes_carriesThemInItsTermsItsOfferAndItsManifest() {
        try (world) {
            Rental rental = world.funded();
            assertEquals(stakes, rental.terms().stakes());
            assertEquals(stakes, offer(rental).stakes());
            assertEquals(TERMS, offer(rental).cancellation());
            assertEquals(
                    arbiter.account().address(),
                    rental.terms().manifest(rental.id()).terms().get("arbiter"));
            assertEquals("50", rental.terms().manifest(rental.id()).terms().get("dispute_bond"));
            assertFalse(Sample.terms().manifest(rental.id()).terms().containsKey("bond"), "what others hashed stays");
        }
    }

    @Test
    void lateCancellation_endedOnTheChainByTheRenter_paysWhatIsDue() {
        try (world) {
            Rental rental = world.funded();
            world.passTo(world.window().start().minus(Duration.ofMinutes(6)));
            world.engine.cancel(rental.id(), world.renter.account());
            world.renter.end(offer(rental));
            assertPaidWhatIsDue(rental, late(rental));
        }
    }

    @Test
    void sessionEndedSoonByTheRenter_owesTheShareOfOneWhoCallsOffLate_asTheChainCharges() {
        try (world) {
            Rental rental = world.active();
            world.pass(Duration.ofMinutes(1));
            world.engine.end(rental.id(), world.renter.account());
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(Duration.ofMinutes(1), ended.used());
            assertEquals(
                    TERMS.lateCharge(world.window()),
                    world.engine.receiptsToSign(rental.id()).getFirst().used());
            world.renter.end(offer(rental));
            assertPaidWhatIsDue(rental, late(rental));
        }
    }

    @Test
    void cancelByTheLender_onceFunded_takesItsReleaseAndLeavesTheRental() {
        try (world) {
            Rental rental = world.funded();
            assertThrows(
                    RentalException.WrongState.class, () -> world.engine.cancel(rental.id(), world.lender.account()));
            assertEquals(RentalState.FUNDED, world.of(rental.id()).state());
        }
    }

    @Test
    void endOnTheChainByTheLender_beforeTheStart_callsOffAndGivesAllBack() {
        try (world) {
            Rental rental = world.funded();
            world.lender.endAsLender(offer(rental));
            assertPaidWhatIsDue(rental, Amount.ZERO);
            assertEquals(
                    Optional.of(world.lender.account()),
                    world.of(rental.id()).calledOffBy(),
                    "the escrow tells whose end it was, also where nothing was lost by it");
        }
    }

    @Test
    void endOnTheChainByTheLender_afterTheNoticeWithABond_isTheLendersDoingAndCostsIt() {
        try (world) {
            Rental first = world.funded();
            world.passTo(world.window().start().minus(Duration.ofMinutes(6)));
            world.renter.end(offer(first));
            Amount earned = world.await(first.id(), RentalState.SETTLED)
                    .settlement()
                    .orElseThrow()
                    .paid();
            list(new Stakes(arbiter.account(), earned, Amount.ZERO));
            var later = new Window(
                    world.window().start().plusSeconds(600), world.window().end());
            Rental rental = world.funded(world.lot(1), later);
            assertEquals(Amount.ZERO, world.lender.balance(), "the bond is locked");

            world.lender.endAsLender(offer(rental));
            Rental settled = world.await(rental.id(), RentalState.SETTLED);

            assertEquals(Optional.of(world.lender.account()), settled.calledOffBy());
            assertEquals(
                    earned.units().multiply(BigInteger.valueOf(3)).divide(BigInteger.valueOf(4)),
                    world.lender.balance().units());
            Amount slashed = earned.minus(world.lender.balance());
            assertEquals(slashed, settled.settlement().orElseThrow().slashed());
            assertEquals(slashed, UsageRecord.of(settled).charges().getFirst().slashed());
        }
    }

    @Test
    void endOnTheChainByTheLender_inTheSession_endsItAndIsPaidOnceTheRenterMayObjectNoMore() {
        try (world) {
            Rental rental = world.active();
            world.pass(Duration.ofMinutes(20));
            world.lender.endAsLender(offer(rental));
            world.pass(Sample.POLICY.watch());
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(Optional.of(EndCause.BY_LENDER), ended.endCause());
            assertEquals(Fault.Blame.LENDER, ended.fault().orElseThrow().blame());

            Duration objection = rental.terms().disputeWindow();
            world.pass(objection.minusSeconds(30));
            assertEquals(RentalState.ENDED, world.of(rental.id()).state());
            world.pass(Duration.ofSeconds(40));
            assertEquals(
                    rental.terms().rate().cost(Duration.ofMinutes(20)),
                    world.await(rental.id(), RentalState.SETTLED)
                            .settlement()
                            .orElseThrow()
                            .paid());
        }
    }

    @Test
    void noShow_reportedOnTheChainByTheLender_paysWhatIsDue() {
        try (world) {
            Rental rental = world.active();
            world.pass(TERMS.noShowAfter());
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(Optional.of(EndCause.NO_SHOW), ended.endCause());
            world.lender.reportNoShow(offer(rental));
            world.pass(rental.terms().disputeWindow());
            world.pass(Duration.ofSeconds(20));
            assertPaidWhatIsDue(rental, rental.terms().rate().cost(TERMS.noShowCharge(world.window())));
        }
    }

    @Test
    void noShow_reportedOnTheChainByTheRenter_endsTheSessionAndGivesAllBack() {
        try (world) {
            Rental rental = world.active();
            world.renter.reportNoShow(offer(rental));
            world.pass(Sample.POLICY.watch());
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(Optional.of(EndCause.ESCROW_CLOSED), ended.endCause());
            world.pass(rental.terms().disputeWindow());
            world.pass(Duration.ofSeconds(20));
            assertEquals(
                    Amount.ZERO,
                    world.await(rental.id(), RentalState.SETTLED)
                            .settlement()
                            .orElseThrow()
                            .paid());
        }
    }

    @Test
    void dispute_inTheSession_endsItAndWaitsForTheArbiter() {
        try (world) {
            Rental rental = world.active();
            world.pass(Duration.ofMinutes(20));
            world.renter.dispute(offer(rental), Sample.HASH, BigInteger.TWO);
            world.pass(Sample.POLICY.watch());
            Rental disputed = world.await(rental.id(), RentalState.DISPUTED);
            OfLeg.Disputed event = disputed.legs().getFirst().dispute().orElseThrow();
            assertEquals(world.renter.account(), event.by());
            assertEquals(Sample.HASH, event.evidence());
            assertEquals(
                    List.of(), world.engine.receiptsToSign(rental.id()), "what is disputed is not for the parties");

            world.pass(Duration.ofDays(2));
            assertEquals(RentalState.DISPUTED, world.of(rental.id()).state());
            Duration used = Duration.ofMinutes(7);
            arbiter.resolve(offer(rental), used, Amount.ZERO, Amount.of(50));
            Rental settled = world.await(rental.id(), RentalState.SETTLED);
            assertEquals(
                    rental.terms().rate().cost(used),
                    settled.settlement().orElseThrow().paid());
            assertEquals(settled.settlement().orElseThrow().paid().plus(Amount.of(50)), world.lender.balance());
            assertEquals(Amount.of(50), settled.settlement().orElseThrow().forfeited());
            var invoice = Invoice.of(
                    world.lender.account(),
                    Invoice.Role.LENDER,
                    YearMonth.from(world.now.atZone(ZoneOffset.UTC)),
                    Stream.of(settled),
                    world.now);
            assertEquals(
                    world.lender.balance(),
                    invoice.totals().values().stream()
                            .map(sums -> sums.paid().plus(sums.forfeited()))
                            .reduce(Amount.ZERO, Amount::plus));
            assertTrue(invoice.csv().contains(",0,50," + world.renter.account() + "\r\n"), invoice.csv());
            assertTrue(invoice.html().contains("Disputer's bond lost"), invoice.html());
        }
    }

    @Test
    void dispute_beforeTheStart_whoseArbiterIsSilent_isSettledByThePlatformAfterAWeek() {
        try (world) {
            Rental rental = world.funded();
            world.renter.dispute(offer(rental), Sample.HASH, BigInteger.ZERO);
            world.await(rental.id(), RentalState.DISPUTED);
            Instant silent = assertInstanceOf(
                            Escrow.Phase.Disputed.class,
                            assertInstanceOf(Escrow.Reading.Open.class, world.escrow.read(offer(rental)))
                                    .phase())
                    .from();
            world.passTo(silent.minusSeconds(30));
            assertEquals(RentalState.DISPUTED, world.of(rental.id()).state());
            world.passTo(silent.plusSeconds(30));
            world.await(rental.id(), RentalState.SETTLED);
            assertEquals(World.MONEY, world.renter.balance().plus(world.lender.balance()));
        }
    }

    @Test
    void listing_whoseLenderIsItsArbiter_isRefused() {
        try (world) {
            var refused = assertThrows(
                    RentalException.Unacceptable.class,
                    () -> list(new Stakes(world.lender.account(), Amount.ZERO, Amount.ZERO)));
            assertTrue(refused.getMessage().contains(world.lender.account().address()), refused.getMessage());
        }
    }

    @Test
    void listing_whoseTimesNoOfferHolds_isRefused() {
        try (world) {
            Listing listing = world.engine.listing(world.lot(1));
            Listing.Rules rules = listing.rules();
            Duration most = Duration.ofSeconds((1 << 24) - 1);
            for (Duration dispute : List.of(most, most.plusSeconds(1))) {
                Listing asked = listing.with(
                        new Listing.Rules(rules.shortest(), rules.longest(), rules.turnover(), rules.grace(), dispute));
                if (dispute.equals(most)) {
                    world.engine.list(asked);
                } else {
                    var refused = assertThrows(RentalException.Unacceptable.class, () -> world.engine.list(asked));
                    assertTrue(refused.getMessage().contains(most.toString()), refused.getMessage());
                }
            }
        }
    }

    @Test
    void stakes_outOfRangeOrNeverLocked_areRefused() {
        try (world) {
            var over = new Amount(Rate.MAX.add(BigInteger.ONE));
            Account any = arbiter.account();
            for (var refused : List.of(
                    assertThrows(IllegalArgumentException.class, () -> new Stakes(any, over, Amount.ZERO)),
                    assertThrows(IllegalArgumentException.class, () -> new Stakes(any, Amount.ZERO, over)))) {
                assertTrue(refused.getMessage().contains("2^96"), refused.getMessage());
            }
            assertThrows(IllegalArgumentException.class, () -> new Stakes(Account.ZERO, Amount.ZERO, Amount.of(1)));
        }
    }
}
