package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class KernelRegressionTest {
    private final List<Observation> rows = MadeUpMarket.rows(3);
    private final MarketKernel kernel = new MarketKernel(MadeUpMarket.DAY);
    private final List<MarketKernel.Point> points =
            rows.stream().map(kernel::point).toList();
    private final double[] y =
            rows.stream().mapToDouble(row -> Math.log(row.usdPerGpuHour())).toArray();

    @Test
    void without_aGroup_guessesWhatAFitWithoutItGuesses() {
        KernelRegression all = KernelRegression.fit(kernel, points, y);
        int[] group = {0, 1, 2, 7};
        KernelRegression.Guess[] quick = all.without(all.inverse(), group, y);
        var left = new java.util.ArrayList<MarketKernel.Point>();
        var target = new java.util.ArrayList<Double>();
        for (int i = 0; i < y.length; i++) {
            if (i > 2 && i != 7) {
                left.add(points.get(i));
                target.add(y[i]);
            }
        }
        KernelRegression others = KernelRegression.fit(
                kernel, left, target.stream().mapToDouble(Double::doubleValue).toArray());
        for (int a = 0; a < group.length; a++) {
            KernelRegression.Guess slow = others.at(points.get(group[a]));
            // Weights and mean come from all rows in the one and from the rest in the other.
            assertEquals(slow.mean(), quick[a].mean(), .03);
            assertEquals(slow.variance(), quick[a].variance(), .2 * slow.variance());
        }
    }

    @Test
    void fit_oneWildRow_hardlyMovesTheOthers() {
        double[] wild = y.clone();
        wild[5] += 4;
        double before =
                KernelRegression.fit(kernel, points, y).at(points.get(40)).mean();
        double after =
                KernelRegression.fit(kernel, points, wild).at(points.get(40)).mean();
        assertEquals(before, after, .05);
        assertTrue(KernelRegression.fit(kernel, points, wild).at(points.get(5)).mean() < wild[5] - 2);
    }
}
