package org.computehive.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;

/** Made-up prices: a gpu's figures times a provider's level times noise. */
public final class MadeUpMarket {
    /** The newest day. */
    public static final LocalDate DAY = LocalDate.of(2026, 3, 1);

    private MadeUpMarket() {}

    /** Prices of 30 gpus at 8 providers, for as many weeks, with noise of 5 %. */
    public static List<Observation> rows(int weeks) {
        var random = new Random(5);
        var rows = new ArrayList<Observation>();
        List<GpuFacts> gpus = GpuCatalogue.bundled().all().stream()
                .filter(gpu -> gpu.fp16TensorTflops().isPresent())
                .limit(30)
                .toList();
        for (GpuFacts gpu : gpus) {
            double own = Math.exp(.15 * random.nextGaussian());
            for (int p = 0; p < 8; p++) {
                if (random.nextInt(3) > 0) {
                    continue;
                }
                for (int week = 0; week < weeks; week++) {
                    double usd = .02
                            * own
                            * Math.sqrt(gpu.memoryGib() * gpu.computeTflops())
                            * (1 + .2 * p)
                            * Math.exp(.05 * random.nextGaussian());
                    rows.add(new Observation(
                            gpu,
                            "provider" + p,
                            Observation.Tier.INDEPENDENT,
                            1,
                            OptionalDouble.empty(),
                            OptionalDouble.empty(),
                            usd,
                            DAY.minusWeeks(weeks - 1L - week),
                            Set.of(),
                            "series/provider" + p + "/" + gpu.name()));
                }
            }
        }
        return rows;
    }
}
