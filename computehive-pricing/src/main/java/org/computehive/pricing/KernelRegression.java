package org.computehive.pricing;

import java.util.Arrays;
import java.util.List;

/**
 * Regression with a kernel, robust against outliers: rows that lie far off count less, as with errors of Student's
 * distribution. The order of operations is fixed, so the same input gives the same bits. Immutable and thread-safe.
 */
final class KernelRegression {
    private static final double NOISE = .05;
    private static final double FREEDOM = 10;
    private static final int REWEIGHTINGS = 2;
    private static final double LEAST_WEIGHT = .02;
    private static final double MOST_WEIGHT = 1.3;

    private final MarketKernel kernel;
    private final List<MarketKernel.Point> points;
    private final double mean;
    private final double[][] factor;
    private final double[] alpha;
    private final double[] noise;

    private KernelRegression(
            MarketKernel kernel,
            List<MarketKernel.Point> points,
            double mean,
            double[][] factor,
            double[] alpha,
            double[] noise) {
        this.kernel = kernel;
        this.points = points;
        this.mean = mean;
        this.factor = factor;
        this.alpha = alpha;
        this.noise = noise;
    }

    /** A value and the variance of what is not known of it, noise included. */
    record Guess(double mean, double variance) {}

    static KernelRegression fit(MarketKernel kernel, List<MarketKernel.Point> points, double[] y) {
        int n = y.length;
        double[][] covariance = new double[n][];
        for (int i = 0; i < n; i++) {
            covariance[i] = new double[i + 1];
            for (int j = 0; j <= i; j++) {
                covariance[i][j] = kernel.of(points.get(i), points.get(j));
            }
        }
        double mean = Arrays.stream(y).average().orElse(0);
        double[] centred = Arrays.stream(y).map(v -> v - mean).toArray();
        double[] noise = new double[n];
        Arrays.fill(noise, NOISE);
        double[][] factor = cholesky(covariance, noise);
        double[] alpha = solve(factor, centred);
        for (int round = 0; round < REWEIGHTINGS; round++) {
            for (int i = 0; i < n; i++) {
                double residual = noise[i] * alpha[i];
                double weight = FREEDOM / (FREEDOM - 1 + residual * residual / NOISE);
                noise[i] = NOISE / Math.clamp(weight, LEAST_WEIGHT, MOST_WEIGHT);
            }
            factor = cholesky(covariance, noise);
            alpha = solve(factor, centred);
        }
        return new KernelRegression(kernel, List.copyOf(points), mean, factor, alpha, noise);
    }

    /** Returns the guess for a point. */
    Guess at(MarketKernel.Point point) {
        double[] k = new double[alpha.length];
        double value = mean;
        for (int i = 0; i < k.length; i++) {
            k[i] = kernel.of(point, points.get(i));
            value += k[i] * alpha[i];
        }
        double variance = kernel.of(point, point) + NOISE;
        double[] v = forward(factor, k);
        for (double part : v) {
            variance -= part * part;
        }
        return new Guess(value, Math.max(NOISE, variance));
    }

    /** Returns the inverse of the covariance, which {@link #without} wants. */
    double[][] inverse() {
        int n = alpha.length;
        double[][] lower = new double[n][];
        for (int j = 0; j < n; j++) {
            // Row j of the inverse of the factor's transpose is column j of the inverse of the factor.
            double[] column = new double[n];
            column[j] = 1 / factor[j][j];
            for (int i = j + 1; i < n; i++) {
                double sum = 0;
                double[] row = factor[i];
                for (int k = j; k < i; k++) {
                    sum += row[k] * column[k];
                }
                column[i] = -sum / row[i];
            }
            lower[j] = column;
        }
        return lower;
    }

    /**
     * Returns what the rows of one group would be guessed as if none of them had been seen, without fitting again.
     *
     * @param inverse what {@link #inverse} gave
     * @param group the rows of the group
     * @param y all targets
     */
    Guess[] without(double[][] inverse, int[] group, double[] y) {
        int n = alpha.length;
        int m = group.length;
        double[][] block = new double[m][];
        double[] target = new double[m];
        for (int a = 0; a < m; a++) {
            block[a] = new double[a + 1];
            target[a] = alpha[group[a]];
            for (int b = 0; b <= a; b++) {
                // Columns of the factor's inverse, summed from the later of the two on.
                int from = Math.max(group[a], group[b]);
                double sum = 0;
                // (L^-T L^-1)_ij = sum_k (L^-1)_ki (L^-1)_kj; inverse[j][k] holds (L^-1)_kj.
                double[] left = inverse[group[a]];
                double[] right = inverse[group[b]];
                for (int k = from; k < n; k++) {
                    sum += left[k] * right[k];
                }
                block[a][b] = sum;
            }
        }
        double[][] chol = cholesky(block, new double[m]);
        double[] residual = solve(chol, target);
        var guesses = new Guess[m];
        for (int a = 0; a < m; a++) {
            double[] unit = new double[m];
            unit[a] = 1;
            double[] v = forward(chol, unit);
            double variance = 0;
            for (double part : v) {
                variance += part * part;
            }
            variance += NOISE - noise[group[a]];
            guesses[a] = new Guess(y[group[a]] - residual[a], Math.max(NOISE, variance));
        }
        return guesses;
    }

    private static double[][] cholesky(double[][] lower, double[] diagonal) {
        int n = lower.length;
        double[][] l = new double[n][];
        for (int i = 0; i < n; i++) {
            double[] row = lower[i].clone();
            row[i] += diagonal[i];
            for (int j = 0; j <= i; j++) {
                double[] other = j == i ? row : l[j];
                double sum = row[j] - dot(row, other, j);
                row[j] = i == j ? StrictMath.sqrt(Math.max(1e-12, sum)) : sum / other[j];
            }
            l[i] = row;
        }
        return l;
    }

    /** Four sums beside one another: the processor adds them at once, in an order that is always the same. */
    private static double dot(double[] a, double[] b, int length) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int k = 0;
        for (; k + 3 < length; k += 4) {
            s0 += a[k] * b[k];
            s1 += a[k + 1] * b[k + 1];
            s2 += a[k + 2] * b[k + 2];
            s3 += a[k + 3] * b[k + 3];
        }
        for (; k < length; k++) {
            s0 += a[k] * b[k];
        }
        return (s0 + s1) + (s2 + s3);
    }

    private static double[] forward(double[][] factor, double[] b) {
        double[] x = new double[b.length];
        for (int i = 0; i < b.length; i++) {
            x[i] = (b[i] - dot(factor[i], x, i)) / factor[i][i];
        }
        return x;
    }

    private static double[] solve(double[][] factor, double[] b) {
        double[] x = forward(factor, b);
        for (int i = x.length - 1; i >= 0; i--) {
            x[i] /= factor[i][i];
            for (int k = 0; k < i; k++) {
                x[k] -= factor[i][k] * x[i];
            }
        }
        return x;
    }
}
