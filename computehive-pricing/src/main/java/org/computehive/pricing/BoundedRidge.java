package org.computehive.pricing;

import java.util.Arrays;

/**
 * Weighted least squares with a penalty and bounds for each coefficient, robust against outliers.
 *
 * <p>Coordinate descent on the normal equations, inside Huber's reweighting (P. J. Huber, Robust Estimation of a
 * Location Parameter, 1964). The order of operations is fixed, so the same input gives the same bits.
 */
final class BoundedRidge {
    private static final int REWEIGHTINGS = 12;
    private static final int SWEEPS = 400;
    private static final double HUBER = 1.345;

    private final double[] penalty;
    private final double[] least;
    private final double[] most;

    BoundedRidge(double[] penalty, double[] least, double[] most) {
        this.penalty = penalty.clone();
        this.least = least.clone();
        this.most = most.clone();
    }

    /** Returns the coefficients for rows {@code x}, targets {@code y} and weights {@code weight}. */
    double[] fit(double[][] x, double[] y, double[] weight) {
        double[] beta = new double[penalty.length];
        double[] robust = weight.clone();
        for (int round = 0; round < REWEIGHTINGS; round++) {
            solve(x, y, robust, beta);
            double[] residual = new double[y.length];
            double[] size = new double[y.length];
            for (int i = 0; i < y.length; i++) {
                residual[i] = y[i] - dot(x[i], beta);
                size[i] = Math.abs(residual[i]);
            }
            Arrays.sort(size);
            double scale = Math.max(1e-3, 1.4826 * size[size.length / 2]);
            for (int i = 0; i < y.length; i++) {
                robust[i] = weight[i] * Math.min(1, HUBER * scale / Math.max(1e-12, Math.abs(residual[i])));
            }
        }
        return beta;
    }

    private void solve(double[][] x, double[] y, double[] weight, double[] beta) {
        int p = beta.length;
        double[][] gram = new double[p][p];
        double[] target = new double[p];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < p; j++) {
                if (x[i][j] != 0) {
                    double wx = weight[i] * x[i][j];
                    target[j] += wx * y[i];
                    for (int k = 0; k < p; k++) {
                        gram[j][k] += wx * x[i][k];
                    }
                }
            }
        }
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            double moved = 0;
            for (int j = 0; j < p; j++) {
                double diagonal = gram[j][j] + penalty[j];
                if (diagonal > 0) {
                    double others = dot(gram[j], beta) - gram[j][j] * beta[j];
                    double next = Math.clamp((target[j] - others) / diagonal, least[j], most[j]);
                    moved = Math.max(moved, Math.abs(next - beta[j]));
                    beta[j] = next;
                }
            }
            if (moved < 1e-10) {
                return;
            }
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
