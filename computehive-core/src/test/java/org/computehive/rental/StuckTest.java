package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.junit.jupiter.api.Test;

/** Steps that fail are tried ever more slowly, show to an operator in the end, and hold up nothing that need not wait. */
class StuckTest {
    private static final RentalPolicy.Recovery RECOVERY = Sample.POLICY.recovery();

    @Test
    void delays_growToTheSlowest_andDifferFromRentalToRental() {
        RentalId id = RentalId.random();
        Duration before = Duration.ZERO;
        for (long seconds : List.of(0L, 30L, 120L, 400L, 3600L, 86_400L)) {
            Duration delay = Backoff.delay(Sample.POLICY, id, Step.DESTROY, Duration.ofSeconds(seconds));
            assertTrue(delay.compareTo(before) >= 0, "after %d s: %s".formatted(seconds, delay));
            assertTrue(delay.compareTo(RECOVERY.slowest().multipliedBy(5).dividedBy(4)) <= 0, delay.toString());
            before = delay;
        }
        long different = Stream.generate(RentalId::random)
                .limit(100)
                .map(other -> Backoff.delay(Sample.POLICY, other, Step.DESTROY, Duration.ofHours(1)))
                .distinct()
                .count();
        assertTrue(different > 10, different + " different delays");
    }

    @Test
    void teardown_thatCantBeDone_showsAsStuck_andGoesOnByItselfOnceItCan() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.pass(Duration.ofMinutes(1));
            world.host(1).setReachable(false);
            world.engine.end(rental.id(), world.renter.account());
            world.passSlowly(RECOVERY.stuckAfter().plusMinutes(10), Duration.ofSeconds(30));
            List<Rental> stuck = world.engine.stuck();
            assertEquals(1, stuck.size());
            assertEquals(Set.of(Step.DESTROY), stuck.getFirst().stuck().keySet());
            assertTrue(stuck.getFirst().stuck().get(Step.DESTROY).why().contains("does not answer"));
            assertEquals(1, world.events(rental.id(), RentalEvent.Stuck.class).size(), "told once");

            world.host(1).setReachable(true);
            world.pass(RECOVERY.slowest().multipliedBy(2));
            world.await(rental.id(), RentalState.ENDED);
            assertEquals(List.of(), world.engine.stuck());
            assertEquals(Duration.ofMinutes(1), world.of(rental.id()).used());
        }
    }

    @Test
    void hostThatNeverComesBack_keepsNobodyFromTheMoney_andItsGpusFromTheMarket() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.passTo(rental.window().end().minusSeconds(1));
            world.host(1).setReachable(false);
            world.passSlowly(RECOVERY.teardownLimit().minusMinutes(10), Duration.ofMinutes(5));
            assertEquals(RentalState.ENDING, world.of(rental.id()).state());

            world.passSlowly(Duration.ofMinutes(30), Duration.ofMinutes(1));
            Rental settled = world.await(rental.id(), RentalState.SETTLED);
            assertEquals(
                    1, world.events(rental.id(), RentalEvent.TeardownLeft.class).size());
            assertEquals(settled.terms().deposit(), world.lender.balance(), "by the time lock: nobody signed");
            assertEquals(List.of(settled), world.engine.stuck());
            assertEquals(Set.of(Step.SWEEP), settled.stuck().keySet());
            GpuId gpu = settled.gpus().getFirst();
            assertEquals(
                    GpuCondition.State.QUARANTINED,
                    world.store.condition(gpu).orElseThrow().state());

            world.host(1).setReachable(true);
            world.pass(RECOVERY.slowest().multipliedBy(2));
            world.await(rental.id(), swept -> swept.stuck().isEmpty());
            assertEquals(List.of(), world.host(1).list());
            assertEquals(
                    GpuCondition.State.AVAILABLE,
                    world.store.condition(gpu).orElseThrow().state());
            assertEquals(RentalState.SETTLED, world.of(rental.id()).state());
        }
    }

    @Test
    void tries_becomeRareWhileAHostIsAway() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.pass(Duration.ofMinutes(1));
            world.host(1).setReachable(false);
            world.engine.end(rental.id(), world.renter.account());
            world.store.runDue();
            var waits = new ArrayList<Duration>();
            Instant until = world.now.plus(Duration.ofMinutes(50));
            while (world.now.isBefore(until)) {
                Instant next = world.store.nextDue().orElseThrow();
                waits.add(Duration.between(world.now, next));
                world.passTo(next);
            }
            assertTrue(waits.size() < 40, waits.toString());
            assertTrue(waits.getLast().compareTo(Duration.ofMinutes(3)) > 0, waits.toString());
        }
    }

    @Test
    void calendarThatIsDown_isStuckAlone_hidesItsSecrets_andIsSentAfterResume() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.calendarDown = true;
            // The session is shortened, so there is news that can't be delivered.
            world.pass(Duration.ofMinutes(10));
            world.engine.end(rental.id(), world.renter.account());
            world.store.runDue();
            world.await(rental.id(), RentalState.ENDED);
            world.passSlowly(RECOVERY.stuckAfter().plusMinutes(10), Duration.ofMinutes(1));
            RentalEvent.Stuck stuck = world.of(rental.id()).stuck().get(Step.NOTIFY);
            assertFalse(stuck.why().contains("secret"), stuck.why());

            var receipt = world.engine.receiptToSign(rental.id());
            world.engine.signReceipt(rental.id(), world.renter.account(), world.renter.sign(receipt));
            world.engine.signReceipt(rental.id(), world.lender.account(), world.lender.sign(receipt));
            world.await(rental.id(), RentalState.SETTLED);

            int sent = world.notices.size();
            world.calendarDown = false;
            world.pass(Duration.ofHours(2));
            assertEquals(sent, world.notices.size(), "it waits for the operator");
            world.engine.resume(rental.id(), "the calendar is up again");
            world.await(rental.id(), told -> told.stuck().isEmpty());
            assertEquals(sent + 2, world.notices.size());
            assertEquals(List.of(), world.engine.stuck());
        }
    }

    @Test
    void step_thatWasResumedInVain_hasAllOfItsTimeAgain() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.calendarDown = true;
            world.engine.end(rental.id(), world.renter.account());
            world.store.runDue();
            world.await(rental.id(), RentalState.ENDED);
            world.passSlowly(RECOVERY.stuckAfter().plusMinutes(10), Duration.ofMinutes(1));
            assertEquals(Set.of(Step.NOTIFY), world.of(rental.id()).stuck().keySet());

            world.engine.resume(rental.id(), "looked");
            world.passSlowly(RECOVERY.stuckAfter().minusMinutes(10), Duration.ofMinutes(1));
            assertEquals(Map.of(), world.of(rental.id()).stuck());
            world.passSlowly(Duration.ofMinutes(20), Duration.ofMinutes(1));
            assertEquals(Set.of(Step.NOTIFY), world.of(rental.id()).stuck().keySet());
        }
    }

    @Test
    void resume_ofWhatIsNotStuckOrWithoutANote_isRefused() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.funded();
            assertThrows(RentalException.WrongState.class, () -> world.engine.resume(rental.id(), "looked"));
            assertThrows(RentalException.Unacceptable.class, () -> world.engine.resume(rental.id(), " "));
            assertThrows(RentalException.NotFound.class, () -> world.engine.resume(RentalId.random(), "looked"));
        }
    }

    @Test
    void chainThatCantBeRead_showsAsStuck_endsNothing_andResumesByItself() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.escrow.setReachable(false);
            world.passSlowly(RECOVERY.stuckAfter().plusMinutes(5), Duration.ofSeconds(15));
            assertEquals(
                    Set.of(Step.WATCH_ESCROW), world.of(rental.id()).stuck().keySet());
            assertEquals(RentalState.ACTIVE, world.of(rental.id()).state());
            world.escrow.setReachable(true);
            world.pass(Duration.ofSeconds(30));
            world.await(rental.id(), works -> works.stuck().isEmpty());
            assertEquals(1, world.events(rental.id(), RentalEvent.Resumed.class).size());
            // And while it could not be read, the machine was looked after all the same.
            world.passTo(world.window().end());
            assertEquals(
                    EndCause.WINDOW_OVER,
                    world.await(rental.id(), RentalState.ENDED).endCause().orElseThrow());
        }
    }

    @Test
    void reason_hidesAddressesKeysAndCredentials() {
        String hidden = Reason.of(
                "POST https://eth.example/v2/abcDEF123 failed: Authorization: Bearer xyz, password=hunter2 key 0x"
                        + "ab".repeat(32) + "\nnext");
        for (String secret : List.of("abcDEF123", "xyz", "hunter2", "abab", "\n")) {
            assertFalse(hidden.contains(secret), hidden);
        }
        assertEquals("unexpected IllegalStateException", Reason.of(new IllegalStateException("token abc")));
        assertEquals("no space", Reason.of(new HypervisorException.Lacking("no space", null)));
        assertTrue(Reason.of("x".repeat(10_000)).length() < 400);
        assertEquals(Map.of(), Sample.funded().stuck());
    }
}
