package org.computehive.pricing;

import java.util.List;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.computehive.rental.PriceSuggestion.Factor;

/**
 * What one gpu on the base host is worth, and why. Immutable.
 *
 * @param reference the peer that the factors are relative to
 * @param referenceMicros what the peer costs on the base host, in micro-USD per hour
 * @param multiplier the product of the factors
 * @param factors what tells the gpu from the peer
 * @param confidence how well the gpu is known
 * @param low the lower end of the range over the point, in logarithms; at most 0
 * @param high the upper end, at least 0
 */
record GpuEstimate(
        GpuFacts reference,
        long referenceMicros,
        double multiplier,
        List<Factor> factors,
        Confidence confidence,
        double low,
        double high) {
    GpuEstimate {
        factors = List.copyOf(factors);
    }

    static GpuEstimate of(
            GpuFacts reference, double referencePart, List<Factor> factors, Confidence confidence, double[] range) {
        double product = 1;
        for (Factor factor : factors) {
            product *= factor.multiplier();
        }
        long micros = Math.max(1, Math.round(StrictMath.exp(referencePart) * 1e6));
        return new GpuEstimate(reference, micros, product, factors, confidence, range[0], range[1]);
    }
}
