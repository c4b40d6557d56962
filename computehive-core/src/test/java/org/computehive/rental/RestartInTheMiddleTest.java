package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Maintenance;
import org.computehive.rental.DurableWorld.Killed;
import org.computehive.rental.DurableWorld.When;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** An engine that dies or is closed in the middle of something: the next one finishes it, and nothing happens twice. */
@Timeout(120)
class RestartInTheMiddleTest {
    private static final HostId SECOND = new HostId("host-2");

    @TempDir
    Path folder;

    private static Stream<Arguments> momentsOfAMove() {
        return Stream.of(
                        RentalEvent.Interrupted.class,
                        RentalEvent.Placed.class,
                        RentalEvent.MachineStarted.class,
                        RentalEvent.Activated.class)
                .flatMap(event -> Stream.of(When.values()).map(when -> Arguments.of(when, event)));
    }

    @ParameterizedTest
    @MethodSource("momentsOfAMove")
    void deathInAMove_theSessionGoesOnAtOneOtherPlace(When when, Class<? extends RentalEvent> event) {
        try (var world = new DurableWorld(folder, 2)) {
            RentalId id = world.active().id();
            world.dieAt(when, event);
            world.host(1).crash(id);
            world.restartOnceDead();

            Rental moved = world.await(
                    id,
                    rental -> rental.state() == RentalState.ACTIVE
                            && rental.host().equals(SECOND));
            assertEquals(1, moved.interruptions().size());
            assertEquals(1, world.host(2).list().size());
            assertEquals(List.of(), world.host(1).list());
            assertTrue(world.access.enter(id).isPresent(), "the new gateway lets the renter in");
            world.engine.end(id, world.renter.account());
            world.settle(id);
            world.checkSettled(id);
            assertEquals(1, world.events(id, RentalEvent.Interrupted.class).size());
            assertEquals(1, world.events(id, RentalEvent.Placed.class).size());
            assertEquals(2, world.events(id, RentalEvent.MachineStarted.class).size());
            assertEquals(2, world.events(id, RentalEvent.Activated.class).size());
        }
    }

    @Test
    void closedWhileNoOtherPlaceIsFree_theNextGoesThereOnceOneIs() {
        try (var world = new DurableWorld(folder, 2)) {
            RentalId id = world.active().id();
            var gpu = new GpuId(SECOND, InMemoryHypervisor.GPU);
            world.engine.block(
                    world.lender.account(), new Maintenance(SECOND, "fans", List.of(gpu), world.window(), "new fans"));
            world.host(1).crash(id);
            world.await(id, Rental::isLeaving);
            world.restart();
            assertTrue(world.of(id).isLeaving());
            world.engine.unblock(world.lender.account(), SECOND, "fans");

            world.await(
                    id,
                    rental -> rental.state() == RentalState.ACTIVE
                            && rental.host().equals(SECOND));
            world.engine.end(id, world.renter.account());
            world.settle(id);
            world.checkSettled(id);
            assertEquals(1, world.events(id, RentalEvent.Placed.class).size());
        }
    }

    @ParameterizedTest
    @EnumSource(When.class)
    void deathAtAReclaim_isAnnouncedOnce_andEndsAsItSays(When when) {
        try (var world = new DurableWorld(folder, 1)) {
            RentalId id = world.active().id();
            Instant at = world.clock.instant().truncatedTo(ChronoUnit.SECONDS).plus(Duration.ofHours(2));
            world.dieAt(when, RentalEvent.ReclaimAnnounced.class);
            assertThrows(Killed.class, () -> world.asLender("reclaim").reclaim(id, world.lender.account(), at));
            world.restartOnceDead();
            assertEquals(
                    when == When.AFTER ? Optional.of(at) : Optional.empty(),
                    world.of(id).reclaimedAt());
            Rental announced = world.asLender("reclaim").reclaim(id, world.lender.account(), at);
            world.await(id, told -> told.invitationDue().isEmpty());
            world.restart();
            assertEquals(announced, world.asLender("reclaim").reclaim(id, world.lender.account(), at));
            // It comes about while no engine runs.
            world.restartAfter(() -> world.passTo(at.plusSeconds(1)));

            Rental ended = world.await(id, RentalState.ENDED);
            assertEquals(Optional.of(EndCause.RECLAIMED), ended.endCause());
            world.settle(id);
            Rental settled = world.checkSettled(id);
            assertEquals(1, world.events(id, RentalEvent.ReclaimAnnounced.class).size());
            assertEquals(1, world.events(id, RentalEvent.Ending.class).size());
            Duration most = Duration.between(world.window().start(), at);
            assertTrue(settled.used().compareTo(most) <= 0, settled.used() + " of " + most);
        }
    }

    private static Stream<Arguments> momentsOfAnExtension() {
        return Stream.of(
                        OfLeg.Held.class,
                        OfLeg.OfferWritten.class,
                        OfLeg.OfferSigned.class,
                        OfLeg.Funded.class,
                        RentalEvent.EndMoved.class)
                .flatMap(event -> Stream.of(When.values()).map(when -> Arguments.of(when, event)));
    }

    @ParameterizedTest
    @MethodSource("momentsOfAnExtension")
    void deathInAnExtension_theSessionIsExtendedOnce_andEachLegIsPaidOnce(
            When when, Class<? extends RentalEvent> event) {
        try (var world = new DurableWorld(folder, 1)) {
            RentalId id = world.active().id();
            Instant end = world.window().end().plus(Duration.ofHours(1));
            Quote more = world.engine.quoteExtension(id, world.renter.account(), end);
            world.dieAt(when, event);
            world.survive(() -> world.asRenter("more").extend(id, world.renter.account(), more.id()));
            EscrowOffer offer = world.survive(id, rental -> rental.offerToSign().isPresent())
                    .offerToSign()
                    .orElseThrow();
            world.survive(() -> world.asLender("sign").signOffer(id, world.lender.sign(offer.digest())));
            world.open(offer);
            world.survive(
                    id,
                    rental -> rental.window().end().equals(end)
                            && rental.find(RentalEvent.EndMoved.class).isPresent());
            assertEquals(1, world.deaths);
            for (Class<? extends RentalEvent> each :
                    List.of(OfLeg.Held.class, OfLeg.OfferWritten.class, OfLeg.OfferSigned.class, OfLeg.Funded.class)) {
                assertEquals(1, world.events(id, each).size(), each::getSimpleName);
            }
            world.passTo(world.window().end().plusSeconds(60));
            assertTrue(world.access.enter(id).isPresent(), "beyond what was booked");
            world.engine.end(id, world.renter.account());
            world.settle(id);
            Rental settled = world.checkSettled(id);
            assertEquals(2, settled.legs().size());
            assertTrue(settled.used().compareTo(world.window().length()) >= 0, settled.used()::toString);
        }
    }

    @Test
    void extensionFundedWhileNoEngineRuns_isFoundByTheNext() {
        try (var world = new DurableWorld(folder, 1)) {
            RentalId id = world.active().id();
            Instant end = world.window().end().plus(Duration.ofHours(1));
            Quote more = world.engine.quoteExtension(id, world.renter.account(), end);
            world.engine.extend(id, world.renter.account(), more.id());
            EscrowOffer offer = world.signed(id);
            world.restartAfter(() -> world.open(offer));
            world.await(id, rental -> rental.window().end().equals(end));
            world.engine.end(id, world.renter.account());
            world.settle(id);
            world.checkSettled(id);
            assertEquals(1, world.events(id, OfLeg.Funded.class).size());
        }
    }

    @ParameterizedTest
    @EnumSource(When.class)
    void deathAtAStuckStep_itIsShownOnce_andTriedAnewOnceResumed(When when) throws Exception {
        try (var world = new DurableWorld(folder, 1)) {
            RentalId id = world.active().id();
            world.calendarDown = true;
            world.engine.end(id, world.renter.account());
            world.await(id, RentalState.ENDED);
            world.dieAt(when, RentalEvent.Stuck.class);
            world.awaitUndelivered();
            world.pass(DurableWorld.POLICY.recovery().stuckAfter());
            world.restartOnceDead();
            if (when == When.BEFORE) {
                // The next one counts from when it first saw it fail.
                world.awaitUndelivered();
                world.pass(DurableWorld.POLICY.recovery().stuckAfter());
            }
            Rental stuck = world.await(id, rental -> !rental.stuck().isEmpty());
            assertEquals(Set.of(Step.NOTIFY), stuck.stuck().keySet());
            assertEquals(
                    List.of(id), world.engine.stuck().stream().map(Rental::id).toList());
            world.settle(id);
            world.await(id, RentalState.SETTLED);

            world.calendarDown = false;
            world.restart();
            assertEquals(Set.of(Step.NOTIFY), world.of(id).stuck().keySet(), "it waits for the operator");
            world.dieAt(when, RentalEvent.Resumed.class);
            assertThrows(Killed.class, () -> world.asLender("resume").resume(id, "the calendar is up again"));
            world.restartOnceDead();
            Rental resumed = world.asLender("resume").resume(id, "the calendar is up again");
            assertEquals(Map.of(), resumed.stuck());
            world.checkSettled(id);
            assertEquals(List.of(), world.engine.stuck());
            assertEquals(1, world.events(id, RentalEvent.Stuck.class).size());
            assertEquals(1, world.events(id, RentalEvent.Resumed.class).size());
        }
    }
}
