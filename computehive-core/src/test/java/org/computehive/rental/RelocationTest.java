package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.manifest.Setup;
import org.computehive.market.Amount;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingQuery;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/** A session whose place fails is given an equal one of the same lender, and only then fails. */
class RelocationTest {
    private static final HostId FIRST = new HostId("host-1");
    private static final HostId SECOND = new HostId("host-2");
    private static final HypervisorException NO_SPACE = new HypervisorException.Lacking("no disk space", null);

    private static GpuId gpu(HostId host) {
        return new GpuId(host, InMemoryHypervisor.GPU);
    }

    @Test
    void boot_thatFails_isTriedOnAnEqualGpu_beforeTheRentalFails() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.funded();
            world.host(1).failNextStart(NO_SPACE);
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            world.await(rental.id(), booted -> booted.machine().isPresent());
            world.passTo(world.window().start());
            Rental active = world.await(rental.id(), RentalState.ACTIVE);

            assertEquals(SECOND, active.host());
            assertEquals(List.of(gpu(SECOND)), active.gpus());
            assertEquals(FIRST, active.terms().host(), "what was agreed stays what was signed");
            assertEquals(List.of(), world.host(1).list());
            assertEquals(1, world.host(2).list().size());
            assertEquals(Optional.empty(), active.fault());
            assertEquals(Fault.Blame.LENDER, active.interruptions().getFirst().blame());
            assertTrue(world.store.condition(gpu(FIRST)).orElseThrow().why().contains("no disk space"));
            assertTrue(world.store.isFree(List.of(gpu(FIRST)), world.window()), "the failed gpu is free again");
            assertFalse(world.store.isFree(List.of(gpu(SECOND)), world.window()));
            assertTrue(world.access.enter(rental.id()).isPresent());
        }
    }

    @Test
    void hostThatStatesMoreThanASetupHolds_isNoPlace_andNothingUnreadableIsWritten() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.funded();
            world.engine.registerHost(FIRST, world.lender.account(), talkative(world.host(1)));
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            world.await(rental.id(), booted -> booted.machine().isPresent());
            world.passTo(world.window().start());
            Rental active = world.await(rental.id(), RentalState.ACTIVE);
            assertEquals(SECOND, active.host());
            assertEquals(List.of(), world.host(1).list());
            String why = active.interruptions().getFirst().what();
            assertTrue(why.contains("the limit is 65536"), why);
        }
    }

    /** Returns a host's hypervisor that states more of its VMs than anybody keeps. */
    private static Hypervisor talkative(Hypervisor hypervisor) {
        return (Hypervisor) Proxy.newProxyInstance(
                Hypervisor.class.getClassLoader(), new Class<?>[] {Hypervisor.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(hypervisor, arguments);
                    return result instanceof Hypervisor.RunningVm vm
                            ? new Hypervisor.RunningVm(
                                    vm.id(), vm.ssh(), vm.expires(), Map.of("cpu", "x".repeat(Setup.MOST_CHARACTERS)))
                            : result;
                });
    }

    @Test
    void boot_thatFailsEverywhere_fails_andNobodyIsPaid() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.funded();
            world.host(1).failNextStart(NO_SPACE);
            world.host(2).failNextStart(NO_SPACE);
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(Fault.Blame.LENDER, ended.fault().orElseThrow().blame());
            assertEquals(2, ended.interruptions().size());
            assertEquals(Duration.ZERO, ended.used());
            world.engine.signRelease(rental.id(), world.lender.sign(world.engine.releaseToSign(rental.id())));
            world.await(rental.id(), RentalState.SETTLED);
            assertEquals(World.MONEY, world.renter.balance());
        }
    }

    @Test
    void equalGpu_thatIsTaken_isNotUsed() {
        try (World world = World.ofHosts(2)) {
            Rental other = world.funded(world.lot(2), world.window());
            Rental rental = world.funded();
            world.host(1).failNextStart(NO_SPACE);
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            world.await(rental.id(), RentalState.ENDED);
            assertEquals(List.of(), world.events(rental.id(), RentalEvent.Placed.class));
            world.passTo(world.window().start());
            assertEquals(SECOND, world.await(other.id(), RentalState.ACTIVE).host());
        }
    }

    @Test
    void gpuOfAnotherKindOrAnotherLender_isNoEqual() {
        try (World world = World.ofHosts(1)) {
            var stranger = world.escrow.party(Amount.ZERO);
            world.engine.registerHost(new HostId("strange"), stranger.account(), InMemoryHypervisor.withImages("demo"));
            world.addHost("poor", 1);
            world.hosts.get(new HostId("poor")).spoil("demo");
            Rental rental = world.funded();
            world.host(1).failNextStart(NO_SPACE);
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            Set<HostId> tried = Set.of(FIRST, new HostId("poor"));
            assertTrue(tried.containsAll(world.events(rental.id(), RentalEvent.Placed.class).stream()
                    .map(RentalEvent.Placed::host)
                    .toList()));
            assertEquals(RentalState.ENDED, ended.state());
        }
    }

    @Test
    void moves_areBounded() {
        try (World world = World.ofHosts(6)) {
            Rental rental = world.funded();
            world.hosts.values().forEach(host -> host.failNextStart(NO_SPACE));
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            world.await(rental.id(), RentalState.ENDED);
            assertEquals(
                    Sample.POLICY.recovery().moves(),
                    world.events(rental.id(), RentalEvent.Placed.class).size());
        }
    }

    @Test
    void quarantinedMeanwhile_isStartedElsewhere_andStaysQuarantined() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.funded();
            world.store.putCondition(
                    new GpuCondition(gpu(FIRST), GpuCondition.State.QUARANTINED, "fans stopped", world.now));
            world.passTo(world.window().start().minus(Sample.POLICY.lead()));
            assertEquals(
                    SECOND,
                    world.await(rental.id(), booted -> booted.machine().isPresent())
                            .host());
            GpuCondition condition = world.store.condition(gpu(FIRST)).orElseThrow();
            assertEquals(GpuCondition.State.QUARANTINED, condition.state());
            assertEquals("fans stopped", condition.why(), "no turnover knows better than who quarantined it");
        }
    }

    @Test
    void vmLost_goesOnElsewhere_andTheGapIsNotMetered() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.active();
            world.passSlowly(Duration.ofMinutes(30), Duration.ofSeconds(15));
            Instant lastSeen = world.now;
            world.host(1).crash(rental.id());
            world.pass(Duration.ofSeconds(15));
            Rental again = world.await(
                    rental.id(),
                    now -> now.state() == RentalState.ACTIVE && now.host().equals(SECOND));
            Instant usableAgain = world.now;
            assertEquals(List.of(new Window(world.window().start(), lastSeen)), again.usable());
            assertTrue(world.access.enter(rental.id()).isPresent(), "the same certificate leads to the new VM");
            world.store.runDue();
            String told = world.notices.getLast().calendar();
            assertTrue(told.replace("\r\n ", "").contains("what was on its disk is gone"), told);
            assertEquals("REQUEST", world.notices.getLast().method().name());

            world.passTo(world.window().end());
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(EndCause.WINDOW_OVER, ended.endCause().orElseThrow());
            assertEquals(
                    List.of(
                            new Window(world.window().start(), lastSeen),
                            new Window(usableAgain, world.window().end())),
                    ended.usable());
            assertEquals(world.window().length().minusSeconds(15), ended.used());
            assertFalse(
                    ended.mayTimeLock(ended.legs().getFirst()),
                    "an interrupted session is never paid in full by the platform");
        }
    }

    @Test
    void vmLost_withNoEqual_endsTheSession() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.pass(Duration.ofSeconds(15));
            world.host(1).crash(rental.id());
            world.pass(Duration.ofSeconds(15));
            Rental ended = world.await(rental.id(), RentalState.ENDED);
            assertEquals(EndCause.MACHINE_LOST, ended.endCause().orElseThrow());
            assertEquals(Fault.Blame.LENDER, ended.fault().orElseThrow().blame());
            assertEquals(Duration.ofSeconds(15), ended.used());
        }
    }

    @Test
    void vmLost_whileTheEqualIsBusy_waitsForIt_butNotForEver() {
        try (World world = World.ofHosts(2)) {
            Window soon = Window.of(world.window().start(), Duration.ofMinutes(10));
            Rental other = world.funded(world.lot(2), soon);
            Rental rental = world.active();
            world.await(other.id(), RentalState.ACTIVE);
            world.pass(Duration.ofMinutes(2));
            world.host(1).crash(rental.id());
            world.pass(Duration.ofSeconds(15));
            world.await(rental.id(), Rental::isLeaving);
            world.passSlowly(Duration.ofMinutes(9), Duration.ofSeconds(15));
            assertEquals(SECOND, world.await(rental.id(), RentalState.ACTIVE).host(), "free again after ten minutes");
        }
        try (World world = World.ofHosts(2)) {
            world.funded(world.lot(2), world.window());
            Rental rental = world.active();
            world.pass(Duration.ofSeconds(15));
            world.host(1).crash(rental.id());
            world.passSlowly(Sample.POLICY.recovery().limit().plusMinutes(1), Duration.ofSeconds(15));
            assertEquals(
                    EndCause.MACHINE_LOST,
                    world.await(rental.id(), RentalState.ENDED).endCause().orElseThrow());
        }
    }

    @Test
    void silentHost_isWaitedFor_thenTheSessionGoesOnElsewhere_andTheOldPlaceIsSweptWhenItIsBack() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.active();
            world.passSlowly(Duration.ofMinutes(10), Duration.ofSeconds(15));
            Instant lastSeen = world.now;
            world.host(1).setReachable(false);
            world.passSlowly(Duration.ofMinutes(1), Duration.ofSeconds(15));
            assertEquals(RentalState.ACTIVE, world.of(rental.id()).state(), "a short silence is no loss");
            world.passSlowly(Duration.ofMinutes(2), Duration.ofSeconds(15));
            Rental moved = world.await(
                    rental.id(),
                    now -> now.state() == RentalState.ACTIVE && now.host().equals(SECOND));
            assertEquals(lastSeen, moved.usable().getLast().end());
            assertEquals(
                    GpuCondition.State.QUARANTINED,
                    world.store.condition(gpu(FIRST)).orElseThrow().state());
            assertEquals(
                    List.of(),
                    world.engine.search(ListingQuery.free(later(world))).stream()
                            .filter(listing -> listing.host().equals(FIRST))
                            .toList());

            world.host(1).setReachable(true);
            assertEquals(1, world.host(1).list().size(), "its VM ran on meanwhile");
            world.passSlowly(Duration.ofMinutes(10), Duration.ofSeconds(15));
            assertEquals(List.of(), world.host(1).list());
            assertEquals(1, world.events(rental.id(), RentalEvent.Swept.class).size());
            assertEquals(
                    GpuCondition.State.AVAILABLE,
                    world.store.condition(gpu(FIRST)).orElseThrow().state());
            assertEquals(RentalState.ACTIVE, world.of(rental.id()).state());
            assertEquals(1, world.host(2).list().size());
        }
    }

    private static Window later(World world) {
        return Window.of(world.window().end().plus(Duration.ofHours(1)), Duration.ofHours(1));
    }

    @Test
    void silentHost_thatComesBackBeforeAnotherIsFound_goesOnWithItsOwnVm() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.passSlowly(Duration.ofMinutes(5), Duration.ofSeconds(15));
            world.host(1).setReachable(false);
            world.passSlowly(Duration.ofMinutes(4), Duration.ofSeconds(15));
            assertTrue(world.of(rental.id()).isLeaving());
            assertEquals(Optional.empty(), world.access.enter(rental.id()));
            world.host(1).setReachable(true);
            world.pass(Duration.ofSeconds(15));
            Rental back = world.await(rental.id(), RentalState.ACTIVE);
            assertEquals(FIRST, back.host());
            assertTrue(world.access.enter(rental.id()).isPresent());
            assertTrue(world.store
                    .condition(gpu(FIRST))
                    .filter(condition -> condition.state() == GpuCondition.State.QUARANTINED)
                    .isEmpty());
            assertFalse(
                    world.notices.stream().anyMatch(notice -> notice.calendar().contains("is gone")),
                    "nothing was lost");
        }
    }

    @Test
    void noHostAnswers_isThePlatformsFault() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.active();
            world.hosts.values().forEach(host -> host.setReachable(false));
            Rental cut = world.passUntil(
                    rental.id(), now -> !now.interruptions().isEmpty(), Duration.ofSeconds(15), Duration.ofMinutes(10));
            assertEquals(Fault.Blame.PLATFORM, cut.interruptions().getFirst().blame());
        }
    }

    @Test
    void vmThatThePlatformEnded_isThePlatformsFault_andGoesOnInItsPlace() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.pass(Duration.ofSeconds(15));
            world.host(1).endByPlatform(world.now);
            world.pass(Duration.ofSeconds(15));
            Rental again = world.await(
                    rental.id(),
                    now -> now.state() == RentalState.ACTIVE
                            && !now.interruptions().isEmpty());
            assertEquals(Fault.Blame.PLATFORM, again.interruptions().getFirst().blame());
            assertEquals(FIRST, again.host(), "its gpu is as good as before");
        }
    }

    @Test
    void vmThatWasTurnedOffFromInside_isNobodysFault_andGoesOnInItsPlace() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            world.pass(Duration.ofSeconds(15));
            world.host(1).turnOff(rental.id(), world.now);
            world.pass(Duration.ofSeconds(15));
            Rental again = world.await(
                    rental.id(),
                    now -> now.state() == RentalState.ACTIVE
                            && !now.interruptions().isEmpty());
            assertEquals(Fault.Blame.NOBODY, again.interruptions().getFirst().blame());
            assertEquals(FIRST, again.host());
            world.host(1).crash(rental.id());
            world.pass(Duration.ofSeconds(15));
            Rental crashed = world.await(rental.id(), now -> now.interruptions().size() == 2);
            assertEquals(Fault.Blame.LENDER, crashed.interruptions().getLast().blame(), "the next VM's end is another");
        }
    }

    @Test
    void overlap_ruleHoldsWhileItMoves_theNewGpuIsTakenAndTheOldIsFree() {
        try (World world = World.ofHosts(2)) {
            Rental rental = world.active();
            world.pass(Duration.ofMinutes(30));
            world.host(1).crash(rental.id());
            world.pass(Duration.ofSeconds(15));
            Rental moved = world.await(rental.id(), now -> now.host().equals(SECOND));
            Window left = new Window(
                    world.now, world.window().end().plus(moved.terms().turnover()));
            assertEquals(Set.of(new Occupancy(gpu(SECOND), left)), moved.occupied());
            assertTrue(world.store.isFree(List.of(gpu(FIRST)), left));
            // What was rented on the second gpu before the move stays somebody else's.
            assertTrue(world.store.isFree(
                    List.of(gpu(SECOND)), new Window(world.window().start(), world.now)));
        }
    }
}
