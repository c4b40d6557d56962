package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/** A lender takes its gpus back, with notice: the renter knows at once and pays for what it used. */
class ReclaimTest {
    private static final Duration NOTICE = Duration.ofHours(1);

    @Test
    void reclaim_ofASession_tellsTheRenterAtOnce_andEndsItThen_forTheTimeUsed() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            Instant at = world.now.plus(NOTICE);
            world.engine.reclaim(rental.id(), world.lender.account(), at);
            world.await(rental.id(), told -> told.lastInvitation() == 1);
            String told = world.notices.getLast().calendar().replace("\r\n ", "");
            assertEquals("REQUEST", world.notices.getLast().method().name());
            assertTrue(told.contains("The lender takes its gpus back"), told);
            assertEquals(at, world.of(rental.id()).told().orElseThrow().window().end());

            world.passTo(at.minusSeconds(1));
            assertEquals(RentalState.ACTIVE, world.of(rental.id()).state());
            world.passTo(at);
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(EndCause.RECLAIMED, ended.endCause().orElseThrow());
            assertEquals(Fault.Blame.LENDER, ended.fault().orElseThrow().blame());
            assertEquals(NOTICE, ended.used());
            assertFalse(ended.mayTimeLock(ended.legs().getFirst()), "the platform never has it paid in full");
            assertEquals(List.of(), world.host(1).list());
            assertEquals(1, ended.lastInvitation(), "the parties knew, so nothing more is sent");
        }
    }

    @Test
    void reclaim_freesTheGpusFromThenOn_turnoverIncluded() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            Instant at = world.now.plus(NOTICE);
            Rental reclaimed = world.engine.reclaim(rental.id(), world.lender.account(), at);
            Instant free = at.plus(reclaimed.terms().turnover());
            assertTrue(world.store.isFree(
                    rental.gpus(), new Window(free, world.window().end())));
            assertFalse(world.store.isFree(rental.gpus(), new Window(at, free)));
        }
    }

    @Test
    void reclaim_beforeTheStart_callsItOff_andTheReleaseGivesAllBack() {
        try (World world = World.ofHosts(1)) {
            Window later = Window.of(world.window().start().plus(Duration.ofHours(5)), Duration.ofHours(1));
            Rental rental = world.funded(world.lot(1), later);
            Rental off = world.engine.reclaim(
                    rental.id(), world.lender.account(), later.start().minus(Duration.ofMinutes(1)));
            assertEquals(RentalState.CANCELLED, off.state());
            assertEquals(Fault.Blame.LENDER, off.fault().orElseThrow().blame());
            assertTrue(world.store.isFree(rental.gpus(), later));
            world.await(rental.id(), told -> told.lastInvitation() == 1);
            assertEquals("CANCEL", world.notices.getLast().method().name());
            world.engine.signRelease(rental.id(), world.lender.sign(world.engine.releaseToSign(rental.id())));
            world.await(rental.id(), RentalState.SETTLED);
            assertEquals(World.MONEY, world.renter.balance());
            assertEquals(Amount.ZERO, world.lender.balance());
        }
    }

    @Test
    void reclaim_thatAllowsASessionToBegin_letsItBegin() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.funded();
            Instant at = world.window().start().plus(Duration.ofHours(1));
            assertEquals(
                    RentalState.FUNDED,
                    world.engine
                            .reclaim(rental.id(), world.lender.account(), at)
                            .state());
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            world.await(rental.id(), booted -> booted.machine().isPresent());
            world.passTo(world.window().start());
            world.await(rental.id(), RentalState.ACTIVE);
            world.passTo(at);
            assertEquals(
                    Duration.ofHours(1),
                    world.await(rental.id(), RentalState.ENDED).used());
        }
    }

    @Test
    void reclaim_tooSoonTooLateTwiceOrByOthers_isRefused_andNothingChanges() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            var lender = world.lender.account();
            long before = world.of(rental.id()).version();
            Instant earliest = world.now.plus(NOTICE);
            var soon = assertThrows(
                    RentalException.Unacceptable.class,
                    () -> world.engine.reclaim(rental.id(), lender, earliest.minusSeconds(1)));
            assertTrue(soon.getMessage().contains(earliest.toString()), soon.getMessage());
            assertThrows(
                    RentalException.Unacceptable.class,
                    () -> world.engine.reclaim(
                            rental.id(), lender, world.window().end()));
            assertThrows(
                    RentalException.Unacceptable.class,
                    () -> world.engine.reclaim(rental.id(), lender, earliest.plusMillis(1)));
            assertThrows(
                    RentalException.NotAllowed.class,
                    () -> world.engine.reclaim(rental.id(), world.renter.account(), earliest));
            assertThrows(
                    RentalException.NotFound.class,
                    () -> world.engine.reclaim(
                            rental.id(), world.escrow.party(Amount.ZERO).account(), earliest));
            assertEquals(before, world.of(rental.id()).version());

            world.engine.reclaim(rental.id(), lender, earliest);
            world.engine.reclaim(rental.id(), lender, earliest);
            assertEquals(
                    1,
                    world.events(rental.id(), RentalEvent.ReclaimAnnounced.class)
                            .size(),
                    "repeating it is no error, and no news");
            assertThrows(
                    RentalException.WrongState.class,
                    () -> world.engine.reclaim(rental.id(), lender, earliest.plusSeconds(60)));
        }
    }

    @Test
    void notice_isTheOneOfTheListingAsItWasQuoted() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            Listing listing = world.engine.listing(world.lot(1));
            world.engine.list(withNotice(listing, Duration.ZERO));
            assertThrows(
                    RentalException.Unacceptable.class,
                    () -> world.engine.reclaim(rental.id(), world.lender.account(), world.now.plusSeconds(60)));
            for (Duration wrong :
                    List.of(Duration.ofSeconds(-1), Duration.ofDays(7).plusSeconds(1))) {
                assertThrows(IllegalArgumentException.class, () -> withNotice(listing, wrong));
            }
        }
    }

    private static Listing withNotice(Listing listing, Duration notice) {
        Listing.Rules rules = listing.rules();
        return new Listing(
                listing.id(),
                listing.lender(),
                listing.host(),
                listing.gpus(),
                listing.shape(),
                listing.token(),
                listing.floor(),
                listing.ceiling(),
                listing.price(),
                listing.availability(),
                new Listing.Rules(
                        rules.shortest(),
                        rules.longest(),
                        rules.turnover(),
                        rules.grace(),
                        rules.disputeWindow(),
                        rules.cancellation(),
                        notice),
                listing.assurance(),
                listing.emulated(),
                listing.region(),
                listing.interconnect());
    }

    @Test
    void reclaim_ofWhatIsNotFundedOrIsOver_isRefused() {
        try (World world = World.ofHosts(1)) {
            RentalId id = world.engine
                    .quote(world.renter.account(), world.lot(1), world.window())
                    .id();
            world.engine.reserve(id, world.renter.account());
            Instant at = world.now.plus(NOTICE);
            assertThrows(RentalException.WrongState.class, () -> world.engine.reclaim(id, world.lender.account(), at));
        }
    }
}
