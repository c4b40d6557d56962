package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BoundedRidgeTest {
    private static final double INF = Double.POSITIVE_INFINITY;

    private static double[] fit(double gross) {
        var random = new Random(1);
        double[][] x = new double[200][];
        double[] y = new double[200];
        for (int i = 0; i < 200; i++) {
            x[i] = new double[] {1, random.nextGaussian(), random.nextGaussian()};
            y[i] = 2 + .5 * x[i][1] - .3 * x[i][2] + .01 * random.nextGaussian() + (i % 10 == 0 ? gross : 0);
        }
        double[] ones = new double[200];
        Arrays.fill(ones, 1);
        return new BoundedRidge(new double[3], new double[] {-INF, 0, 0}, new double[] {INF, INF, INF}).fit(x, y, ones);
    }

    @Test
    void fit_negativeEffect_staysAtItsBound() {
        assertEquals(0, fit(0)[2]);
    }

    @Test
    void fit_outliers_hardlyMoveIt() {
        assertArrayEquals(fit(0), fit(20), .1);
    }

    @Test
    void fit_penalty_shrinks() {
        double[][] x = {{1}, {1}};
        double[] y = {1, 1};
        double[] ones = {1, 1};
        double[] none = {0};
        double[] most = {INF};
        assertEquals(1, new BoundedRidge(none, none, most).fit(x, y, ones)[0], 1e-9);
        assertEquals(.5, new BoundedRidge(new double[] {2}, none, most).fit(x, y, ones)[0], .2);
    }
}
