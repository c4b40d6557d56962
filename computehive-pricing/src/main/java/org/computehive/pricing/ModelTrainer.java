package org.computehive.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Trains a price model from observed prices.
 *
 * <p>The same observations in the same order, the same credit and the same seed give the same bytes. Thread-safe.
 */
public final class ModelTrainer {
    /** Fewer observations can't be split for a range. */
    public static final int LEAST_OBSERVATIONS = 30;

    private static final double TAIL = .1;

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
        LocalDate today = rows.stream()
                .map(Observation::day)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        var support = support(rows);
        List<HeldOut> byProvider = heldOut(rows, Observation::provider, today);
        List<HeldOut> byGpu = heldOut(rows, o -> o.gpu().name(), today);
        var seen = range(byProvider.stream()
                .filter(h -> often(support, h.row()))
                .map(HeldOut::strangerError)
                .toList());
        var seldom = range(byProvider.stream()
                        .filter(h -> !often(support, h.row()))
                        .map(HeldOut::strangerError)
                        .toList())
                .orWider(seen);
        var unseen = range(byGpu.stream().map(HeldOut::strangerError).toList()).orWider(seldom);
        Hedonic hedonic = Hedonic.fit(rows, today);
        return new PriceModel(
                hedonic, Forest.train(rows, hedonic, today, seed), support, seen, seldom, unseen, today, credit);
    }

    private static boolean often(Map<String, PriceModel.Support> support, Observation row) {
        PriceModel.Support of = support.get(row.gpu().name());
        return of != null && of.often();
    }

    private static Map<String, PriceModel.Support> support(List<Observation> rows) {
        var providers = new TreeMap<String, TreeSet<String>>();
        var counts = new TreeMap<String, Integer>();
        for (Observation row : rows) {
            counts.merge(row.gpu().name(), 1, Integer::sum);
            var of = providers.computeIfAbsent(row.gpu().name(), name -> new TreeSet<>());
            if (row.tier() == Observation.Tier.INDEPENDENT) {
                of.add(row.provider());
            }
        }
        var support = new TreeMap<String, PriceModel.Support>();
        providers.forEach(
                (gpu, of) -> support.put(gpu, new PriceModel.Support(counts.getOrDefault(gpu, 0), of.size())));
        return support;
    }

    /**
     * A row that a model did not see, nor anything else of its group.
     *
     * @param row the row
     * @param error the logarithm of actual over predicted
     * @param strangerError likewise if its provider were not known, as a lender is not
     */
    record HeldOut(Observation row, double error, double strangerError) {}

    /** Leaves out one group after the other and predicts its rows from independent providers. */
    List<HeldOut> heldOut(List<Observation> rows, Function<Observation, String> group, LocalDate today) {
        var errors = new ArrayList<HeldOut>();
        for (String name : new TreeSet<>(rows.stream().map(group).toList())) {
            List<Observation> rest =
                    rows.stream().filter(o -> !group.apply(o).equals(name)).toList();
            Hedonic hedonic = Hedonic.fit(rest, today);
            var forest = Forest.train(rest, hedonic, today, seed);
            for (Observation row : rows) {
                if (group.apply(row).equals(name) && row.tier() == Observation.Tier.INDEPENDENT) {
                    double gpu = (hedonic.gpuPart(row.gpu()) + Forest.predict(forest, row.gpu())) / 2;
                    double predicted = gpu + hedonic.surroundings(row, today);
                    double error = StrictMath.log(row.usdPerGpuHour()) - predicted;
                    double provider = hedonic.providerEffects().getOrDefault(row.provider(), 0.);
                    errors.add(new HeldOut(row, error, error + provider));
                }
            }
        }
        return errors;
    }

    /** Split conformal: the quantiles of errors that the model did not see, with the correction for a finite number. */
    private static PriceModel.ErrorRange range(List<Double> errors) {
        if (errors.isEmpty()) {
            return new PriceModel.ErrorRange(0, 0);
        }
        double[] sorted =
                errors.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int n = sorted.length;
        int high = Math.min(n - 1, (int) Math.ceil((n + 1) * (1 - TAIL)) - 1);
        int low = Math.max(0, (int) Math.floor((n + 1) * TAIL) - 1);
        return new PriceModel.ErrorRange(Math.clamp(sorted[low], -5, 0), Math.clamp(sorted[high], 0, 5));
    }
}
