package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.computehive.pricing.MarketModel.Novelty;
import org.junit.jupiter.api.Test;

class MarketModelTest {
    private static final Logger TRIBUO = Logger.getLogger("org.tribuo");

    static {
        TRIBUO.setLevel(Level.WARNING);
    }

    private static final List<Observation> ROWS = MadeUpMarket.rows(2);
    private static final MarketModel MODEL = MarketModel.fit(ROWS, 1);

    private static Observation at(Observation row, String provider, double usd, String offer) {
        return new Observation(
                row.gpu(),
                provider,
                row.tier(),
                1,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                usd,
                row.day(),
                Set.of(),
                offer);
    }

    @Test
    void fit_twice_estimatesTheSameToTheBit() {
        MarketModel again = MarketModel.fit(ROWS, 1);
        ROWS.forEach(row -> assertEquals(MODEL.estimate(row), again.estimate(row)));
    }

    @Test
    void estimate_anyRow_rangeHoldsThePointAndTheRowsPriceIsNotLookedAt() {
        for (Observation row : ROWS) {
            MarketModel.Estimate estimate = MODEL.estimate(row);
            assertTrue(estimate.low() <= estimate.point() && estimate.point() <= estimate.high(), estimate::toString);
            assertEquals(estimate, MODEL.estimate(at(row, row.provider(), 999, row.offer())));
        }
    }

    @Test
    void estimate_lessSeen_saysSoAndIsWider() {
        Observation row = ROWS.getFirst();
        MarketModel.Estimate known = MODEL.estimate(row);
        MarketModel.Estimate stranger = MODEL.estimate(at(row, "nobody", 1, "series/nobody"));
        assertEquals(Novelty.ANCHORED, known.novelty());
        assertEquals(Novelty.UNSEEN_PROVIDER, stranger.novelty());
        assertTrue(stranger.high() / stranger.low() > known.high() / known.low(), () -> known + " and " + stranger);
    }

    @Test
    void forNewcomers_anyGpuAndHost_saysWhatTheModelSays() {
        PriceModel suggestions = MODEL.forNewcomers(GpuCatalogue.bundled(), "made up");
        for (GpuFacts facts : GpuCatalogue.bundled().all()) {
            Observation asked = MarketModel.newcomer(facts, MadeUpMarket.DAY, false);
            MarketModel.Estimate estimate = MODEL.estimate(asked);
            PriceModel.Gpu gpu = Objects.requireNonNull(suggestions.gpus().get(facts.name()));
            double part = suggestions.part(facts, gpu);
            assertEquals(Math.log(estimate.point()), part, 1e-9, facts::name);
            ErrorBand band = gpu.isSeen() ? suggestions.seen() : suggestions.unseen();
            assertEquals(Math.log(estimate.low()), part + band.low(gpu.scale()), 1e-9, facts::name);
            assertEquals(Math.log(estimate.high()), part + band.high(gpu.scale()), 1e-9, facts::name);
        }
    }

    @Test
    void fit_tooFewRows_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> MarketModel.fit(ROWS.subList(0, 29), 1));
    }
}
