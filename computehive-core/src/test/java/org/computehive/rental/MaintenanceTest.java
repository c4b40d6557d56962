package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.computehive.audit.AuditEntry;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingQuery;
import org.computehive.market.Maintenance;
import org.computehive.market.PciAddress;
import org.computehive.market.search.Catalogue;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/** Gpus that a lender keeps for itself for a while are rented to nobody then. */
class MaintenanceTest {
    private static final HostId HOST = new HostId("host-1");
    private static final GpuId GPU = new GpuId(HOST, InMemoryHypervisor.GPU);

    private static Maintenance fans(Window window) {
        return new Maintenance(HOST, "fans", List.of(GPU), window, "new fans");
    }

    @Test
    void blockedGpu_isNeitherFoundNorReserved_untilItIsUnblocked() {
        try (World world = World.ofHosts(1)) {
            var quote = world.engine.quote(world.renter.account(), world.lot(1), world.window());
            world.engine.block(world.lender.account(), fans(world.window()));
            assertEquals(List.of(), world.engine.search(ListingQuery.free(world.window())));
            assertThrows(
                    RentalException.Overlap.class,
                    () -> world.engine.quote(world.renter.account(), world.lot(1), world.window()));
            assertThrows(RentalException.Overlap.class, () -> world.engine.reserve(quote.id(), world.renter.account()));

            assertTrue(world.engine.unblock(world.lender.account(), HOST, "fans"));
            assertFalse(world.engine.unblock(world.lender.account(), HOST, "fans"));
            assertEquals(
                    1, world.engine.search(ListingQuery.free(world.window())).size());
            world.engine.reserve(quote.id(), world.renter.account());
        }
    }

    @Test
    void whatIsFound_liesBehindMaintenanceThatAnotherReplicaWasTold_untilItIsRemoved() {
        try (World world = World.ofHosts(1)) {
            var replica = new Catalogue(world.store, world.clock);
            Window day = Window.of(world.window().start(), Duration.ofDays(1));
            ListingQuery query = ListingQuery.lasting(Duration.ofHours(1), day).build();
            Supplier<Instant> found = () -> replica.find(query, lender -> OptionalInt.empty())
                    .next()
                    .window()
                    .start();
            assertEquals(day.start(), found.get());

            world.engine.block(world.lender.account(), fans(world.window()));
            assertEquals(world.window().end(), found.get());
            assertEquals(
                    List.of(new Window(world.window().end(), day.end())),
                    replica.index().freeOf(world.engine.listing(world.lot(1)), day));

            world.engine.unblock(world.lender.account(), HOST, "fans");
            assertEquals(day.start(), found.get());
        }
    }

    @Test
    void block_overARental_isRefusedNamingItsTime_andLeavesNothing() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.funded();
            Window later = Window.of(world.window().end().minusSeconds(60), Duration.ofHours(1));
            var refused = assertThrows(
                    RentalException.Overlap.class, () -> world.engine.block(world.lender.account(), fans(later)));
            assertTrue(refused.getMessage().contains(rental.terms().occupied().toString()), refused.getMessage());
            assertEquals(List.of(), world.engine.maintenances(world.lender.account(), HOST));
            Window after = Window.of(rental.terms().occupied().end(), Duration.ofHours(1));
            assertEquals(fans(after), world.engine.block(world.lender.account(), fans(after)));
        }
    }

    @Test
    void block_again_changesNothing_andAnotherOfThatName_isRefused() {
        try (World world = World.ofHosts(1)) {
            Maintenance maintenance = fans(world.window());
            world.engine.block(world.lender.account(), maintenance);
            long logged = world.log.size();
            world.engine.block(world.lender.account(), maintenance);
            assertEquals(logged, world.log.size(), "noted once");
            Window other = Window.of(world.window().end(), Duration.ofHours(1));
            assertThrows(IllegalArgumentException.class, () -> world.engine.block(world.lender.account(), fans(other)));
            assertEquals(List.of(maintenance), world.engine.maintenances(world.lender.account(), HOST));
        }
    }

    @Test
    void block_isInTheLogBeforeItTakesEffect_soIsItsRefusal() {
        try (World world = World.ofHosts(1)) {
            world.funded();
            long logged = world.log.size();

            assertThrows(
                    RentalException.Overlap.class,
                    () -> world.engine.block(world.lender.account(), fans(world.window())));

            assertEquals(
                    List.of("maintenance.set", "maintenance.refused"),
                    world.log.entries(logged, world.log.size()).stream()
                            .map(entry -> AuditEntry.parse(entry).type())
                            .toList());
        }
    }

    @Test
    void block_byOthersOfUnknownGpusOrInThePast_isRefused() {
        try (World world = World.ofHosts(1)) {
            var stranger = world.escrow.party(Amount.ZERO).account();
            assertThrows(RentalException.NotFound.class, () -> world.engine.block(stranger, fans(world.window())));
            var nowhere = new Maintenance(
                    HOST, "fans", List.of(new GpuId(HOST, new PciAddress("0000:99:00.0"))), world.window(), "new fans");
            assertThrows(RentalException.NotFound.class, () -> world.engine.block(world.lender.account(), nowhere));
            Window past = Window.of(world.now.minusSeconds(60), Duration.ofSeconds(60));
            assertThrows(
                    RentalException.Unacceptable.class, () -> world.engine.block(world.lender.account(), fans(past)));
        }
    }

    @Test
    void maintenance_isNoPlaceForASessionThatMoves() {
        try (World world = World.ofHosts(2)) {
            HostId second = new HostId("host-2");
            Rental rental = world.active();
            world.engine.block(
                    world.lender.account(),
                    new Maintenance(
                            second,
                            "fans",
                            List.of(new GpuId(second, InMemoryHypervisor.GPU)),
                            Window.of(world.window().end().minusSeconds(60), Duration.ofHours(1)),
                            "new fans"));
            world.pass(Duration.ofSeconds(15));
            world.host(1).crash(rental.id());
            world.passSlowly(Duration.ofMinutes(2), Duration.ofSeconds(15));
            assertTrue(world.of(rental.id()).isLeaving());
            world.engine.unblock(world.lender.account(), second, "fans");
            world.pass(Duration.ofSeconds(15));
            assertEquals(second, world.await(rental.id(), RentalState.ACTIVE).host());
        }
    }
}
