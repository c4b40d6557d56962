package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every situation a rental can be in against every event of where it runs: allowed, or refused with nothing changed. */
class RentalTransitionsTest {
    private static final Instant START = Sample.WINDOW.start();
    private static final Instant AT = START.plusSeconds(600);
    private static final HostId OTHER = new HostId("host-2");
    private static final Fault FAULT = new Fault(Fault.Blame.LENDER, "no disk space");

    /** The events, each in a form that fits {@link Sample}. */
    private static Map<String, RentalEvent> events() {
        var events = new LinkedHashMap<String, RentalEvent>();
        events.put("starting", new RentalEvent.Starting(AT));
        events.put("gpus taken", new RentalEvent.GpusTaken(START.minusSeconds(90)));
        events.put("machine started", new RentalEvent.MachineStarted(AT, Map.of()));
        events.put("activated", new RentalEvent.Activated(AT, "SSH-2.0-test"));
        events.put("placement failed", new RentalEvent.PlacementFailed(AT, false, FAULT));
        events.put("placement lost", new RentalEvent.PlacementFailed(AT, true, FAULT));
        events.put("interrupted", new RentalEvent.Interrupted(AT, AT.minusSeconds(15), false, FAULT));
        events.put("interrupted, host lost", new RentalEvent.Interrupted(AT, AT.minusSeconds(15), true, FAULT));
        events.put(
                "placed",
                new RentalEvent.Placed(AT, OTHER, List.of(new GpuId(OTHER, Sample.ADDRESS)), "no disk space"));
        events.put("placed on too few", new RentalEvent.Placed(AT, OTHER, List.of(), "no disk space"));
        events.put("teardown left", new RentalEvent.TeardownLeft(AT, Sample.HOST, "the host does not answer"));
        events.put("swept", new RentalEvent.Swept(AT, Sample.HOST, List.of()));
        events.put("reclaimed", new RentalEvent.ReclaimAnnounced(AT, AT.plusSeconds(1000)));
        events.put("reclaimed before the start", new RentalEvent.ReclaimAnnounced(Sample.NOW, START.minusSeconds(1)));
        events.put("reclaimed after the end", new RentalEvent.ReclaimAnnounced(AT, Sample.WINDOW.end()));
        events.put("stuck", new RentalEvent.Stuck(AT, Step.DESTROY, "no answer"));
        events.put("resumed", new RentalEvent.Resumed(AT, Step.DESTROY, "power is back"));
        events.put("start failed", new RentalEvent.StartFailed(AT, FAULT));
        events.put("ending", new RentalEvent.Ending(AT, EndCause.BY_RENTER));
        events.put("access cut", new RentalEvent.AccessCut(AT, 0));
        events.put("destroyed", new RentalEvent.MachineDestroyed(AT, Map.of()));
        events.put("erased", new RentalEvent.DiskErased(AT, Map.of()));
        events.put("turned over", new RentalEvent.TurnedOver(AT, List.of()));
        return events;
    }

    private static Rental lost(boolean hostLost) {
        return Sample.active().after(new RentalEvent.Interrupted(AT, AT.minusSeconds(15), hostLost, FAULT));
    }

    private static Rental vacated() {
        return Sample.tornDown(lost(false), AT);
    }

    private static Rental elsewhere(boolean hostLost) {
        Rental left = hostLost ? lost(true).after(new RentalEvent.AccessCut(AT, 0)) : vacated();
        return left.after(events().get("placed"));
    }

    /** Each situation, and what may happen in it. */
    private static Map<String, Situation> situations() {
        var all = new LinkedHashMap<String, Situation>();
        all.put("reserved", new Situation(Sample.reserved(), "stuck"));
        all.put("signed", new Situation(Sample.signed(), "stuck"));
        all.put(
                "funded",
                new Situation(
                        Sample.funded(),
                        "starting",
                        "start failed",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "starting",
                new Situation(
                        Sample.starting(),
                        "gpus taken",
                        "machine started",
                        "placement failed",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "gpus taken",
                new Situation(
                        Sample.starting().after(new RentalEvent.GpusTaken(START.minusSeconds(100))),
                        "machine started",
                        "placement failed",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "booted",
                new Situation(
                        Sample.starting().after(new RentalEvent.MachineStarted(START, Map.of())),
                        "activated",
                        "placement failed",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "active",
                new Situation(
                        Sample.active(),
                        "interrupted",
                        "interrupted, host lost",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "active, reclaimed",
                new Situation(
                        Sample.active().after(events().get("reclaimed")),
                        "interrupted",
                        "interrupted, host lost",
                        "ending",
                        "stuck"));
        all.put(
                "lost",
                new Situation(
                        lost(false),
                        "access cut",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "vacated",
                new Situation(
                        vacated(),
                        "placed",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "host lost, access withdrawn",
                new Situation(
                        lost(true).after(new RentalEvent.AccessCut(AT, 0)),
                        "placed",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "elsewhere",
                new Situation(
                        elsewhere(false),
                        "gpus taken",
                        "machine started",
                        "placement failed",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        all.put(
                "elsewhere, the lost host not swept",
                new Situation(
                        elsewhere(true),
                        "swept",
                        "gpus taken",
                        "machine started",
                        "placement failed",
                        "placement lost",
                        "start failed",
                        "ending",
                        "reclaimed",
                        "reclaimed before the start",
                        "stuck"));
        Rental ending = Sample.active().after(new RentalEvent.Ending(AT, EndCause.BY_RENTER));
        all.put("ending", new Situation(ending, "access cut", "stuck"));
        all.put(
                "cut",
                new Situation(ending.after(new RentalEvent.AccessCut(AT, 0)), "destroyed", "teardown left", "stuck"));
        all.put(
                "stuck at destroying",
                new Situation(
                        ending.after(new RentalEvent.AccessCut(AT, 0)).after(events().get("stuck")),
                        "destroyed",
                        "teardown left",
                        "resumed"));
        all.put(
                "ended, its host left",
                new Situation(
                        ending.after(new RentalEvent.AccessCut(AT, 0)).after(events().get("teardown left")),
                        "swept",
                        "stuck"));
        all.put(
                "vacated, then given up",
                new Situation(
                        vacated().after(new RentalEvent.Ending(AT, EndCause.MACHINE_LOST)), "access cut", "stuck"));
        all.put("failed", new Situation(Sample.starting().after(events().get("start failed")), "access cut", "stuck"));
        all.put("ended", new Situation(Sample.tornDown(ending, AT), "stuck"));
        all.put(
                "ended, the lost host not swept",
                new Situation(
                        Sample.tornDown(elsewhere(true).after(new RentalEvent.Ending(AT, EndCause.BY_RENTER)), AT),
                        "swept",
                        "stuck"));
        all.put("off", new Situation(Sample.funded().after(events().get("reclaimed before the start")), "stuck"));
        return all;
    }

    private record Situation(Rental rental, Set<String> allowed) {
        Situation(Rental rental, String... allowed) {
            this(rental, Set.of(allowed));
        }
    }

    static Stream<String> names() {
        return situations().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void situation_allowsExactlyWhatFits(String name) {
        Situation situation = situations().get(name);
        var happened = new TreeSet<String>();
        events().forEach((event, what) -> {
            try {
                assertEquals(
                        situation.rental().version() + 1,
                        situation.rental().after(what).version());
                happened.add(event);
            } catch (RentalException.WrongState e) {
                assertTrue(e.getMessage().contains(situation.rental().id().value()), e.getMessage());
            }
        });
        assertEquals(new TreeSet<>(situation.allowed()), happened);
    }

    @Test
    void meter_stopsAtTheLastSighting_andGoesOnAtTheNextProof() {
        Instant again = AT.plusSeconds(120);
        Rental rental = elsewhere(false)
                .after(new RentalEvent.MachineStarted(AT.plusSeconds(60), Map.of()))
                .after(new RentalEvent.Activated(again, "SSH-2.0-test"));
        assertEquals(START.plusSeconds(2), rental.activeSince().orElseThrow());
        assertEquals(Duration.ZERO, rental.used(), "not before it is over");
        Rental ending = rental.after(new RentalEvent.Ending(again.plusSeconds(30), EndCause.BY_RENTER));
        assertEquals(
                List.of(
                        new Window(START.plusSeconds(2), AT.minusSeconds(15)),
                        Window.of(again, Duration.ofSeconds(30))),
                ending.usable());
        assertEquals(Duration.ofSeconds(600 - 15 - 2 + 30), ending.used());
    }

    @Test
    void meter_countsNoSecondTwice_whenTheClockIsSetBack() {
        Rental rental = elsewhere(false)
                .after(new RentalEvent.MachineStarted(AT, Map.of()))
                .after(new RentalEvent.Activated(START.plusSeconds(100), "SSH-2.0-test"))
                .after(new RentalEvent.Ending(AT, EndCause.BY_RENTER));
        assertEquals(Duration.ofSeconds(598), rental.used());
    }

    @Test
    void interrupted_inTheFuture_isRefused() {
        Rental active = Sample.active();
        assertThrows(
                RentalException.WrongState.class,
                () -> active.after(new RentalEvent.Interrupted(AT, AT.plusMillis(1), false, FAULT)));
    }

    @Test
    void given_upAfterItWasVacated_cutsAccessForGood_andIsOver() {
        Rental rental = vacated().after(new RentalEvent.Ending(AT, EndCause.MACHINE_LOST));
        assertEquals(
                List.of(Step.CUT_ACCESS),
                rental.effects(Sample.POLICY).stream().map(RentalEffect::step).toList());
        assertEquals(
                RentalState.ENDED,
                rental.after(new RentalEvent.AccessCut(AT, 0)).state());
    }

    @Test
    void lostHost_isSweptAlsoAfterTheRentalIsSettled() {
        Rental ended = Sample.tornDown(elsewhere(true).after(new RentalEvent.Ending(AT, EndCause.BY_RENTER)), AT);
        Rental settled = ended.after(
                new RentalEvent.Settled(AT, ended.due(), ended.terms().deposit().minus(ended.due()), Sample.HASH));
        assertTrue(settled.effects(Sample.POLICY).stream().anyMatch(effect -> effect.step() == Step.SWEEP));
        Rental swept = settled.after(new RentalEvent.Swept(AT, Sample.HOST, List.of()));
        assertTrue(swept.effects(Sample.POLICY).stream().noneMatch(effect -> effect.step() == Step.SWEEP));
        assertEquals(RentalState.SETTLED, swept.state());
    }
}
