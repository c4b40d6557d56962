package org.computehive.pricing.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SimulatorTest {
    private static final Scenario USUAL = Scenario.standard().getFirst();

    private static Simulator simulator() {
        var random = new Random(9);
        var arrivals = new ArrayList<Arrival>();
        double hour = 0;
        for (int i = 0; i < 2_000; i++) {
            hour -= Math.log(1 - random.nextDouble()) / 4;
            arrivals.add(new Arrival(hour, .5 + 20 * random.nextDouble(), 1 + random.nextInt(4)));
        }
        return Simulator.of(new Arrivals(arrivals, 0));
    }

    @Test
    void run_samePolicyAndDraw_sameOutcome() {
        Simulator simulator = simulator();
        assertEquals(
                simulator.run(Policies.ours(), simulator.draw(USUAL, 3)),
                simulator.run(Policies.ours(), simulator.draw(USUAL, 3)));
    }

    @Test
    void run_absurdlyDear_rentsNothing() {
        Simulator simulator = simulator();
        Outcome dear = simulator.run(Policies.fixed(1_000), simulator.draw(USUAL, 3));
        assertEquals(0, dear.earned());
        assertEquals(0, dear.utilisation());
        Outcome cheap = simulator.run(Policies.fixed(.01), simulator.draw(USUAL, 3));
        assertTrue(cheap.utilisation() > .8 && cheap.utilisation() <= 1, cheap::toString);
    }

    @Test
    void ranking_ours_holdsUpAgainstHindsightTheRuleAndTheWorstScenario() {
        Ranking ranking = Ranking.of(simulator(), Policies.standard(), Scenario.standard(), 10);
        Ranking.Row ours = ranking.overall("ours");
        assertTrue(ours.ofBestFixed() >= 97, ours::toString);
        assertTrue(ours.index() >= 1.15 * ranking.overall("occupancy rule").index(), ranking::table);
        assertTrue(ranking.worst("ours").index() >= 96, ranking::table);
        assertTrue(RankingPlot.of(ranking).endsWith("</svg>\n"));
    }

    @Test
    void ours_prices_moveAtMostATenthADay() {
        Policy.Pricer pricer = Policies.ours().start();
        double price = 1;
        var day = new ArrayList<Double>();
        var random = new Random(4);
        for (int hour = 0; hour < 2_000; hour++) {
            price = pricer.price(
                    new Policy.Market(hour, hour > 500 ? 3 : 1, random.nextDouble(), 10, random.nextInt(10), price));
            day.add(price);
            if (hour >= 24) {
                double moved = price / day.get(hour - 24);
                assertTrue(moved < 1.1 + 1e-9 && moved > 1 / 1.1 - 1e-9, "at hour " + hour + ": " + moved);
            }
        }
    }

    @Test
    void arrivals_knownLayouts_areRead() {
        Arrivals own = Arrivals.of(List.of(
                "arrival_seconds,duration_seconds,gpus",
                "3600,7200,2",
                "7200,60,1",
                "x,1,1",
                "1,-1,1",
                "1,1,NaN",
                "1"));
        assertEquals(List.of(new Arrival(0, 2, 2), new Arrival(1, 1 / 60., 1)), own.list());
        assertEquals(4, own.notUsed());
        Arrivals cluster = Arrivals.of(
                List.of("name,num_gpu,creation_time,deletion_time", "a,1,0,3600", "b,0,5,6", "c,8,3600,10800"));
        assertEquals(List.of(new Arrival(0, 1, 1), new Arrival(1, 2, 8)), cluster.list());
        Arrivals requests = Arrivals.of(List.of(
                "TIMESTAMP,ContextTokens,GeneratedTokens",
                "2023-11-16 18:15:46.6805900,374,30",
                "2023-11-16 19:15:46.6805900,1,60"));
        assertEquals(1, requests.list().getLast().hour(), 1e-6);
    }

    @Test
    void arrivals_senselessInput_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> Arrivals.of(List.of("a,b", "1,2")));
        assertThrows(IllegalArgumentException.class, () -> Arrivals.of(List.of()));
        assertThrows(IllegalArgumentException.class, () -> new Arrival(Double.NaN, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Arrival(1, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> new Arrival(1, 1, 0));
        assertThrows(
                IllegalArgumentException.class, () -> new Simulator(simulator().arrivals(), 0, 60, 12));
        assertThrows(
                IllegalStateException.class,
                () -> simulator()
                        .run(
                                Policies.of("bad", () -> market -> Double.NaN),
                                simulator().draw(USUAL, 1)));
    }
}
