package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.computehive.pricing.MarketModel.Estimate;
import org.computehive.pricing.MarketModel.Novelty;
import org.junit.jupiter.api.Test;

class LaterPricesTest {
    private static final Logger TRIBUO = Logger.getLogger("org.tribuo");

    static {
        TRIBUO.setLevel(Level.WARNING);
    }

    private static final LocalDate FIRST = LocalDate.of(2026, 3, 1);
    private static final LocalDate NEXT = FIRST.plusDays(5);
    private static final List<GpuFacts> GPUS = GpuCatalogue.bundled().all().stream()
            .filter(gpu -> gpu.fp16TensorTflops().isPresent())
            .limit(12)
            .toList();

    private static Observation row(String kind, int gpu, int day, double usd, String... more) {
        var traits = new ArrayList<>(List.of("kind:" + kind));
        traits.addAll(List.of(more));
        return new Observation(
                GPUS.get(gpu),
                kind + "er",
                Observation.Tier.INDEPENDENT,
                1,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                usd,
                FIRST.plusDays(day),
                Set.copyOf(traits),
                "offer/" + kind + "/" + gpu);
    }

    private static double usd(int gpu) {
        return .02 * Math.sqrt(GPUS.get(gpu).memoryGib() * GPUS.get(gpu).computeTflops());
    }

    /** Twelve offers each: clouds hold their prices for five days, hosts of a market take any within a factor of three. */
    private static List<Observation> rows(long seed) {
        var random = new Random(seed);
        var rows = new ArrayList<Observation>();
        for (int gpu = 0; gpu < GPUS.size(); gpu++) {
            double cloud = usd(gpu) * Math.exp(.3 * random.nextGaussian());
            for (int day = 0; day < 5; day++) {
                rows.add(row("cloud", gpu, day, cloud));
                rows.add(row("market", gpu, day, usd(gpu) * Math.exp(.4 * random.nextGaussian())));
            }
        }
        return rows;
    }

    @Test
    void estimate_kindThatHoldsItsPrices_saysTheLastOne() {
        List<Observation> rows = rows(1);
        MarketModel model = MarketModel.fit(rows, 1);
        for (int gpu = 0; gpu < GPUS.size(); gpu++) {
            String offer = "offer/cloud/" + gpu;
            double last = rows.stream()
                    .filter(row -> row.offer().equals(offer))
                    .findFirst()
                    .orElseThrow()
                    .usdPerGpuHour();
            Estimate estimate = model.estimate(row("cloud", gpu, 5, 999));
            assertEquals(Novelty.ANCHORED, estimate.novelty());
            assertEquals(last, estimate.point(), .01 * last);
            assertTrue(estimate.low() <= last && last <= estimate.high(), estimate::toString);
        }
    }

    @Test
    void estimate_kindThatAsksAnewEachDay_hasARangeThatHoldsAboutFourFifthsOfTheNextDay() {
        int in = 0;
        int asked = 0;
        for (long seed = 1; seed <= 3; seed++) {
            MarketModel model = MarketModel.fit(rows(seed), 1);
            var random = new Random(100 + seed);
            for (int gpu = 0; gpu < GPUS.size(); gpu++) {
                Estimate market = model.estimate(row("market", gpu, 5, 1));
                Estimate cloud = model.estimate(row("cloud", gpu, 5, 1));
                assertTrue(market.high() / market.low() > 1.5 * cloud.high() / cloud.low());
                for (int i = 0; i < 50; i++) {
                    double usd = usd(gpu) * Math.exp(.4 * random.nextGaussian());
                    in += market.low() <= usd && usd <= market.high() ? 1 : 0;
                    asked++;
                }
            }
        }
        double share = in / (double) asked;
        assertTrue(share > .7 && share < .9, () -> "the ranges held " + share);
    }

    @Test
    void estimate_longAfterOrOnOtherTerms_isNoSurerThanSoonAfter() {
        MarketModel model = MarketModel.fit(rows(1), 1);
        Estimate soon = model.estimate(row("market", 3, 5, 1));
        for (Estimate other :
                List.of(model.estimate(row("market", 3, 90, 1)), model.estimate(row("cloud", 3, 5, 1, "spot")))) {
            assertEquals(Novelty.ANCHORED, other.novelty());
            assertTrue(other.low() < other.point() && other.point() < other.high(), other::toString);
        }
        Estimate late = model.estimate(row("market", 3, 90, 1));
        assertTrue(late.high() / late.low() >= soon.high() / soon.low(), () -> soon + " and " + late);
    }

    @Test
    void fit_rowsOfDaysToCome_changeNothingThatWasLearntOfEarlierOnes() {
        // The error of a day is that of a model without the days after it, so what an offer asks last moves one error
        // only.
        List<Observation> rows = rows(2);
        MarketModel model = MarketModel.fit(rows, 1);
        var moved = new ArrayList<>(rows);
        Observation last = row("cloud", 0, 5, usd(0) * 2);
        moved.add(last);
        Estimate before = model.estimate(row("cloud", 1, 5, 1));
        Estimate after = MarketModel.fit(moved, 1).estimate(row("cloud", 1, 5, 1));
        assertEquals(NEXT, last.day());
        assertEquals(before.point(), after.point(), .02 * before.point());
    }
}
