package org.computehive.pricing;

import java.time.LocalDate;
import java.util.Map;
import org.tribuo.ensemble.WeightedEnsembleModel;
import org.tribuo.regression.Regressor;

/**
 * A fitted model: the average, in logarithms, of the log-additive part and the forest. Immutable.
 *
 * @param hedonic the log-additive part
 * @param forest the forest
 * @param support how often each gpu was seen, by catalogue name
 * @param seen the range of errors for gpus that were seen often, at providers that were not seen
 * @param seldom likewise for gpus that were seen seldom
 * @param unseen likewise for gpus that were not seen
 * @param dataDate the newest day in the data
 * @param credit whose data it learnt from, and under which licences
 */
record PriceModel(
        Hedonic hedonic,
        WeightedEnsembleModel<Regressor> forest,
        Map<String, Support> support,
        ErrorRange seen,
        ErrorRange seldom,
        ErrorRange unseen,
        LocalDate dataDate,
        String credit) {
    /** How many independent providers make a gpu one that was seen often. */
    static final int OFTEN_PROVIDERS = 3;

    PriceModel {
        support = Map.copyOf(support);
    }

    /**
     * How often a gpu was seen.
     *
     * @param rows observations
     * @param providers different independent providers
     */
    record Support(int rows, int providers) {
        boolean often() {
            return providers >= OFTEN_PROVIDERS;
        }
    }

    /**
     * The middle 80 % of the logarithms of actual over predicted.
     *
     * @param low the lower end, at most 0
     * @param high the upper end, at least 0
     */
    record ErrorRange(double low, double high) {
        ErrorRange {
            if (!(low <= 0 && low >= -5 && high >= 0 && high <= 5)) {
                throw new IllegalArgumentException("error range [%s, %s] is not around 0".formatted(low, high));
            }
        }

        /** For a kind of gpu of which the data says nothing at all, so that no error of its kind was ever measured. */
        ErrorRange doubled() {
            return new ErrorRange(Math.max(-5, 2 * low), Math.min(5, 2 * high));
        }

        ErrorRange orWider(ErrorRange other) {
            return new ErrorRange(Math.min(low, other.low), Math.max(high, other.high));
        }
    }

    /** Returns the logarithm of the USD per hour of one gpu on the base host. */
    double gpuPart(GpuFacts gpu) {
        return (hedonic.gpuPart(gpu) + Forest.predict(forest, gpu)) / 2;
    }
}
