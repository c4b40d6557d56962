package org.computehive.pricing;

/**
 * Where prices lay about a model's guess, in logarithms. Immutable.
 *
 * @param shift how far the point lies under the guess
 * @param low the lower end of the range over the guess, in deviations
 * @param high the upper end
 */
record ErrorBand(double shift, double low, double high) {
    ErrorBand {
        if (!(shift >= 0 && shift <= 1 && low >= -20 && low <= high && high <= 20)) {
            throw new IllegalArgumentException(
                    "error band from %s to %s with a shift of %s is not plausible".formatted(low, high, shift));
        }
    }

    /** Returns the lower end over the point, at most 0. */
    double low(double scale) {
        return Math.min(0, shift + low * scale);
    }

    /** Returns the upper end over the point, at least 0. */
    double high(double scale) {
        return Math.max(0, shift + high * scale);
    }

    /** Returns this one's point with a range that holds both. */
    ErrorBand orWider(ErrorBand other) {
        return new ErrorBand(shift, Math.min(low, other.low), Math.max(high, other.high));
    }
}
