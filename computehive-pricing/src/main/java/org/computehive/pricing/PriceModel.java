package org.computehive.pricing;

import java.time.LocalDate;
import java.util.Map;

/**
 * What a {@link MarketModel} says to a provider that it has not seen, as every lender is: all of it that suggestions
 * need, and all that a model file holds. Immutable.
 *
 * @param forest the forest
 * @param host what processors and memory add
 * @param spot what an offer that may be interrupted costs over one that may not, as a logarithm, at most 0
 * @param gpus every gpu of the catalogue it was trained with, by name
 * @param seen the errors for gpus that were seen, at providers that were not
 * @param unseen likewise for gpus that were not seen either
 * @param dataDate the newest day in the data
 * @param credit whose data it learnt from, and under which licences
 */
record PriceModel(
        MarketForest forest,
        HostEffect host,
        double spot,
        Map<String, Gpu> gpus,
        ErrorBand seen,
        ErrorBand unseen,
        LocalDate dataDate,
        String credit) {
    /** How many independent providers make a gpu one that was seen often. */
    static final int OFTEN_PROVIDERS = 3;

    /** The provider that nobody is, who asks for suggestions. */
    static final String NEWCOMER = "a provider that is not in the data";

    PriceModel {
        gpus = Map.copyOf(gpus);
        if (!(spot <= 0 && spot >= -5)) {
            throw new IllegalArgumentException("what spot adds, %s, is not -5 to 0".formatted(spot));
        }
    }

    /**
     * What is known of a gpu.
     *
     * @param guess what the kernel regression says of it on demand on the base host, as a logarithm of USD per hour
     * @param scale the deviation of that
     * @param rows observations
     * @param providers different independent providers
     */
    record Gpu(double guess, double scale, int rows, int providers) {
        boolean isSeen() {
            return rows > 0;
        }

        boolean isOften() {
            return providers >= OFTEN_PROVIDERS;
        }
    }

    /** Returns the logarithm of the USD per hour of one gpu on the base host, on demand. */
    double part(GpuFacts facts, Gpu gpu) {
        double middle = MarketModel.mix(gpu.guess(), forest.at(MarketModel.newcomer(facts, dataDate, false)));
        return middle - seen.shift();
    }
}
