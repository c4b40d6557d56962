package org.computehive.pricing;

import java.util.List;

/**
 * Trains the {@link MarketModel} that makes suggestions from observed prices, and writes what suggestions need of it.
 *
 * <p>The same observations in the same order, the same credit and the same seed give the same bytes. Thread-safe.
 */
public final class ModelTrainer {
    /** Fewer observations can't be split for a range. */
    public static final int LEAST_OBSERVATIONS = MarketModel.LEAST_OBSERVATIONS;

    private final long seed;
    private final String credit;

    /**
     * Makes a trainer.
     *
     * @param seed where the forest's choices start
     * @param credit whose data it is and under which licences, 1 to 1,000 characters; it is written into the model
     */
    public ModelTrainer(long seed, String credit) {
        if (credit.isBlank() || credit.length() > 1_000) {
            throw new IllegalArgumentException(
                    "credit of %d characters is not 1 to 1000: say whose data it is".formatted(credit.length()));
        }
        this.seed = seed;
        this.credit = credit;
    }

    /**
     * Trains a model and returns its file's bytes: a Tribuo model in protobuf, with its provenance.
     *
     * @throws IllegalArgumentException if there are fewer than {@value #LEAST_OBSERVATIONS} observations, fewer than
     *     three gpus or fewer than three providers
     */
    public byte[] train(List<Observation> observations) {
        return ModelFile.encode(fit(observations));
    }

    /** Trains a model. */
    PriceModel fit(List<Observation> rows) {
        long gpus = rows.stream().map(o -> o.gpu().name()).distinct().count();
        long providers = rows.stream().map(Observation::provider).distinct().count();
        if (rows.size() < LEAST_OBSERVATIONS || gpus < 3 || providers < 3) {
            throw new IllegalArgumentException(
                    "%d observations of %d gpus from %d providers are too few: give at least %d of 3 from 3"
                            .formatted(rows.size(), gpus, providers, LEAST_OBSERVATIONS));
        }
        return MarketModel.fit(rows, seed).forNewcomers(GpuCatalogue.bundled(), credit);
    }
}
