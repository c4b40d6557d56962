package org.computehive.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/** Simple ways to guess a price, to hold a model against. Stateless. */
public final class PriceBaselines {
    private static final int TREES = 40;

    private PriceBaselines() {}

    /** Fits each of them; every function returns USD per gpu-hour. The names are in the order to show them in. */
    public static Map<String, ToDoubleFunction<Observation>> fit(List<Observation> rows, long seed) {
        LocalDate today = rows.stream()
                .map(Observation::day)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        var all = new LinkedHashMap<String, ToDoubleFunction<Observation>>();
        all.put("median of the same gpu", median(rows));
        all.put("linear", linear(rows));
        Hedonic hedonic = Hedonic.fit(rows, today);
        all.put("hedonic", row -> StrictMath.exp(hedonic.gpuPart(row.gpu()) + hedonic.surroundings(row, today)));
        MarketForest forest = MarketForest.fit(rows, logarithms(rows), today, TREES, seed);
        all.put("forest", row -> StrictMath.exp(forest.at(row)));
        return all;
    }

    private static ToDoubleFunction<Observation> median(List<Observation> rows) {
        var prices = new TreeMap<String, List<Observation>>();
        rows.forEach(row -> prices.computeIfAbsent(row.gpu().name(), name -> new ArrayList<>())
                .add(row));
        var medians = new TreeMap<String, Double>();
        prices.forEach((gpu, of) -> medians.put(gpu, middle(of)));
        double overall = middle(rows);
        return row -> medians.getOrDefault(row.gpu().name(), overall);
    }

    private static double middle(List<Observation> rows) {
        double[] sorted =
                rows.stream().mapToDouble(Observation::usdPerGpuHour).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static ToDoubleFunction<Observation> linear(List<Observation> rows) {
        double[][] x = rows.stream().map(PriceBaselines::line).toArray(double[][]::new);
        double[] y = logarithms(rows);
        double[] weight = new double[y.length];
        Arrays.fill(weight, 1);
        double[] open = new double[3];
        Arrays.fill(open, Double.POSITIVE_INFINITY);
        double[] least = new double[3];
        Arrays.fill(least, Double.NEGATIVE_INFINITY);
        double[] beta = new BoundedRidge(new double[] {0, 1e-6, 1e-6}, least, open).fit(x, y, weight);
        return row -> {
            double[] at = line(row);
            return StrictMath.exp(beta[0] + beta[1] * at[1] + beta[2] * at[2]);
        };
    }

    private static double[] logarithms(List<Observation> rows) {
        return rows.stream()
                .mapToDouble(row -> StrictMath.log(row.usdPerGpuHour()))
                .toArray();
    }

    private static double[] line(Observation row) {
        return new double[] {
            1,
            StrictMath.log(row.gpu().computeTflops() / 100),
            StrictMath.log(row.gpu().memoryGib() / 40)
        };
    }
}
