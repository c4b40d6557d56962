package org.computehive.pricing;

import java.util.Arrays;
import java.util.List;

/**
 * Where prices lay about a model's guess, in logarithms. Immutable.
 *
 * @param shift how far the point lies under the guess
 * @param low the lower end of the range over the guess, in deviations
 * @param high the upper end
 */
record ErrorBand(double shift, double low, double high) {
    /** What each end of a range of 80 % leaves out. */
    static final double TAIL = .1;

    /** Where there are no errors to learn from. */
    static final ErrorBand UNKNOWN = new ErrorBand(0, -2, 2);

    /** How much of the shift that makes the mean percentage error least is taken: the point stays near the median. */
    private static final double SHIFT_SHARE = .6;

    /** A price that stayed the same does not fall out of a range by a logarithm's last bit. */
    private static final double ROUNDING = 1e-9;

    /** How far a guess was off, and the deviation that it gave itself. */
    record Error(double residual, double scale) {}

    ErrorBand {
        if (!(shift >= 0 && shift <= 1 && low >= -20 && low <= high && high <= 20)) {
            throw new IllegalArgumentException(
                    "error band from %s to %s with a shift of %s is not plausible".formatted(low, high, shift));
        }
    }

    /** Returns the lower end over the point, under 0. */
    double low(double scale) {
        return Math.min(-ROUNDING, shift + low * scale);
    }

    /** Returns the upper end over the point, over 0. */
    double high(double scale) {
        return Math.max(ROUNDING, shift + high * scale);
    }

    /** Returns this one's point with a range that holds both. */
    ErrorBand orWider(ErrorBand other) {
        return new ErrorBand(shift, Math.min(low, other.low), Math.max(high, other.high));
    }

    /** Returns the band that leaves a share of errors out at each end. */
    static ErrorBand of(List<Error> errors, double tail) {
        if (errors.isEmpty()) {
            return UNKNOWN;
        }
        double[] scaled = errors.stream()
                .mapToDouble(e -> e.residual() / e.scale())
                .sorted()
                .toArray();
        int n = scaled.length;
        int high = Math.min(n - 1, (int) Math.ceil((n + 1) * (1 - tail)) - 1);
        int low = Math.max(0, (int) Math.floor((n + 1) * tail) - 1);
        double[] residuals = errors.stream().mapToDouble(Error::residual).toArray();
        double best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int step = 0; step <= 15; step++) {
            double shift = step * .02;
            double loss = Arrays.stream(residuals)
                    .map(r -> Math.abs(StrictMath.exp(-shift - r) - 1))
                    .average()
                    .orElse(0);
            if (loss < least) {
                least = loss;
                best = shift;
            }
        }
        return new ErrorBand(SHIFT_SHARE * best, Math.max(-20, scaled[low]), Math.min(20, scaled[high]));
    }
}
