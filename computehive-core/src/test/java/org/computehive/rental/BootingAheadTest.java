package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Maintenance;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/** A session is booted ahead of its window only once nobody else's time on its gpus is left. */
class BootingAheadTest {
    private static final HostId HOST = new HostId("host-1");

    @Test
    void whatComesBefore_thoughItHasNoVmYet_isWaitedFor() {
        try (World world = World.ofHosts(1)) {
            Rental first = world.funded();
            Window behind = Window.of(first.terms().occupied().end(), Duration.ofHours(1));
            Rental second = world.funded(world.lot(1), behind);
            Instant lead = behind.start().minus(world.policy.lead());
            assertTrue(lead.isBefore(first.window().end()), "its boot falls into the first one's window");

            // Another replica has it, and is slow.
            RentalStore.Claim claim = world.store.claim(first.id()).orElseThrow();
            world.passTo(lead);
            world.pass(world.policy.retry());

            assertEquals(RentalState.FUNDED, world.of(first.id()).state());
            assertEquals(RentalState.STARTING, world.of(second.id()).state());
            assertEquals(List.of(), world.host(1).list());
            claim.close();
            world.passTo(first.window().end());
            world.pass(world.policy.retry());
            assertEquals(
                    List.of(second.id()),
                    world.host(1).list().stream().map(Hypervisor.RunningVm::id).toList());
        }
    }

    @Test
    void onceBooted_nobodyElseGetsTheTimeBefore() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.funded();
            Instant lead = rental.window().start().minus(world.policy.lead());
            Window between = Window.of(lead, Duration.ofMinutes(1));
            world.engine.quote(world.renter.account(), world.lot(1), between);

            world.passTo(lead);

            assertEquals(
                    1, world.events(rental.id(), RentalEvent.GpusTaken.class).size());
            assertEquals(1, world.host(1).list().size());
            assertThrows(
                    RentalException.Overlap.class,
                    () -> world.engine.quote(world.renter.account(), world.lot(1), between));
            world.passTo(rental.window().start());
            assertEquals(RentalState.ACTIVE, world.of(rental.id()).state());
        }
    }

    @Test
    void bookedBefore_isWaitedForWhileItMayYetBePaid() {
        var early = new RentalPolicy(
                Sample.POLICY.quoteLife(),
                Sample.POLICY.hold(),
                Duration.ofMinutes(4),
                Sample.POLICY.startLimit(),
                Sample.POLICY.watch(),
                Sample.POLICY.retry());
        try (World world = World.ofHosts(1, early)) {
            Instant lead = world.funded().window().start().minus(early.lead());
            world.passTo(lead.minusSeconds(10));
            Window between = Window.of(lead.plusSeconds(30), Duration.ofMinutes(1));
            RentalId other = world.engine
                    .quote(world.renter.account(), world.lot(1), between)
                    .id();
            world.engine.reserve(other, world.renter.account());

            world.passTo(lead);
            assertEquals(List.of(), world.host(1).list());
            world.passTo(between.start());
            world.pass(early.retry());
            assertEquals(RentalState.EXPIRED, world.of(other).state());
            assertEquals(1, world.host(1).list().size());
        }
    }

    @Test
    void maintenance_isWaitedFor() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.funded();
            Instant start = rental.window().start();
            Instant lead = start.minus(world.policy.lead());
            Instant done = start.minus(world.policy.lead().dividedBy(2));
            world.engine.block(
                    world.lender.account(),
                    new Maintenance(
                            HOST,
                            "fans",
                            List.of(new GpuId(HOST, InMemoryHypervisor.GPU)),
                            new Window(world.now, done),
                            "new fans"));

            world.passTo(lead);
            assertEquals(RentalState.STARTING, world.of(rental.id()).state());
            assertEquals(List.of(), world.host(1).list());
            world.passTo(done);
            world.pass(world.policy.retry());
            assertEquals(1, world.host(1).list().size());
            world.passTo(start);
            assertEquals(RentalState.ACTIVE, world.of(rental.id()).state());
        }
    }
}
