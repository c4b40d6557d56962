package org.computehive.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * What a market asks: a kernel regression with a level of pooling for gpu, provider, terms, place and offer, averaged
 * with a Tribuo forest, and ranges by how much of an offer was seen before.
 *
 * <p>Point and range come from rows that stood aside when a model was made: the errors of offers, gpus and providers
 * that were left out whole, each for its own kind of row (Mondrian conformal prediction: V. Vovk, A. Gammerman and
 * G. Shafer, Algorithmic Learning in a Random World, 2005). The point lies towards where the mean percentage error is
 * least: under the median where errors are large.
 *
 * <p>The same observations in the same order and the same seed give the same numbers. Immutable and thread-safe.
 */
public final class MarketModel {
    /** Fewer observations can't be split for a range. */
    public static final int LEAST_OBSERVATIONS = 30;

    private static final int TREES = 60;
    private static final int CALIBRATION_TREES = 20;
    private static final int FOLDS = 5;
    private static final double FOREST_SHARE = .6;
    /** How much of the shift that makes the mean percentage error least is taken: the point stays near the median. */
    private static final double SHIFT_SHARE = .6;

    private static final double TAIL = .1;
    /** A provider not seen may be of a kind not seen, so its range holds what providers of known kinds asked, and more. */
    private static final double UNSEEN_PROVIDER_TAIL = .05;

    /** How much of an offer a model saw before. */
    public enum Novelty {
        /** An earlier price of the same offer. */
        ANCHORED,
        /** The gpu and the provider, but not this offer. */
        KNOWN,
        /** The provider, but not the gpu. */
        UNSEEN_GPU,
        /** Not the provider. */
        UNSEEN_PROVIDER
    }

    /**
     * A price that is likely asked.
     *
     * @param low the lower end of the range that holds about 80 %, in USD per gpu-hour
     * @param point the price
     * @param high the upper end
     * @param novelty how much of the offer was seen before
     */
    public record Estimate(double low, double point, double high, Novelty novelty) {}

    private record Band(double shift, double low, double high) {}

    private record Error(double residual, double scale) {}

    private final MarketKernel kernel;
    private final KernelRegression regression;
    private final MarketForest forest;
    private final Set<String> gpus = new HashSet<>();
    private final Set<String> providers = new HashSet<>();
    private final Set<String> offers = new HashSet<>();
    private final Map<Novelty, Band> bands;

    private MarketModel(List<Observation> rows, long seed) {
        LocalDate today = rows.stream()
                .map(Observation::day)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        kernel = new MarketKernel(today);
        double[] y = rows.stream()
                .mapToDouble(row -> StrictMath.log(row.usdPerGpuHour()))
                .toArray();
        regression =
                KernelRegression.fit(kernel, rows.stream().map(kernel::point).toList(), y);
        forest = MarketForest.fit(rows, today, TREES, seed);
        for (Observation row : rows) {
            gpus.add(row.gpu().name());
            providers.add(row.provider());
            offers.add(row.offer());
        }
        bands = bands(rows, y, today, seed);
    }

    /**
     * Fits a model.
     *
     * @throws IllegalArgumentException if there are fewer than {@value #LEAST_OBSERVATIONS} observations
     */
    public static MarketModel fit(List<Observation> rows, long seed) {
        if (rows.size() < LEAST_OBSERVATIONS) {
            throw new IllegalArgumentException(
                    "%d observations are too few: give at least %d".formatted(rows.size(), LEAST_OBSERVATIONS));
        }
        return new MarketModel(rows, seed);
    }

    /** Returns what is likely asked for hardware and terms; the observation's own price is not looked at. */
    public Estimate estimate(Observation row) {
        Novelty novelty = novelty(row);
        KernelRegression.Guess guess = regression.at(kernel.point(row));
        double middle = mix(novelty, guess.mean(), forest.at(row));
        double scale = Math.sqrt(guess.variance());
        Band band = bands.getOrDefault(novelty, new Band(0, -1, 1));
        double point = StrictMath.exp(middle - band.shift());
        return new Estimate(
                Math.min(point, StrictMath.exp(middle + band.low() * scale)),
                point,
                Math.max(point, StrictMath.exp(middle + band.high() * scale)),
                novelty);
    }

    private Novelty novelty(Observation row) {
        if (offers.contains(row.offer())) {
            return Novelty.ANCHORED;
        }
        if (!providers.contains(row.provider())) {
            return Novelty.UNSEEN_PROVIDER;
        }
        return gpus.contains(row.gpu().name()) ? Novelty.KNOWN : Novelty.UNSEEN_GPU;
    }

    private static double mix(Novelty novelty, double regression, double forest) {
        double share = novelty == Novelty.ANCHORED ? 0 : FOREST_SHARE;
        return (1 - share) * regression + share * forest;
    }

    private Map<Novelty, Band> bands(List<Observation> rows, double[] y, LocalDate today, long seed) {
        double[][] inverse = regression.inverse();
        var bands = new EnumMap<Novelty, Band>(Novelty.class);
        bands.put(Novelty.ANCHORED, anchored(rows, y, inverse));
        bands.put(Novelty.KNOWN, leftOut(Novelty.KNOWN, rows, y, inverse, Observation::offer, today, seed));
        bands.put(
                Novelty.UNSEEN_GPU,
                leftOut(Novelty.UNSEEN_GPU, rows, y, inverse, o -> o.gpu().name(), today, seed + 1));
        bands.put(
                Novelty.UNSEEN_PROVIDER,
                leftOut(Novelty.UNSEEN_PROVIDER, rows, y, inverse, Observation::provider, today, seed + 2));
        return bands;
    }

    /** The errors of single rows of offers that were seen more than once, each by the other rows. */
    private Band anchored(List<Observation> rows, double[] y, double[][] inverse) {
        var counts = new HashMap<String, Integer>();
        rows.forEach(row -> counts.merge(row.offer(), 1, Integer::sum));
        var errors = new ArrayList<Error>();
        for (int i = 0; i < y.length; i++) {
            if (counts.getOrDefault(rows.get(i).offer(), 0) > 1) {
                KernelRegression.Guess guess = regression.without(inverse, new int[] {i}, y)[0];
                errors.add(new Error(y[i] - guess.mean(), Math.sqrt(guess.variance())));
            }
        }
        return band(errors, TAIL);
    }

    private Band leftOut(
            Novelty novelty,
            List<Observation> rows,
            double[] y,
            double[][] inverse,
            Function<Observation, String> group,
            LocalDate today,
            long seed) {
        var members = new TreeMap<String, List<Integer>>();
        for (int i = 0; i < y.length; i++) {
            members.computeIfAbsent(group.apply(rows.get(i)), key -> new ArrayList<>())
                    .add(i);
        }
        var names = new ArrayList<>(new TreeSet<>(members.keySet()));
        Collections.shuffle(names, new Random(seed));
        var errors = new ArrayList<Error>();
        for (int fold = 0; fold < FOLDS; fold++) {
            var out = new HashSet<String>();
            for (int i = fold; i < names.size(); i += FOLDS) {
                out.add(names.get(i));
            }
            List<Observation> rest =
                    rows.stream().filter(row -> !out.contains(group.apply(row))).toList();
            if (rest.size() < 2 || out.isEmpty()) {
                continue;
            }
            MarketForest others = MarketForest.fit(rest, today, CALIBRATION_TREES, seed);
            for (String name : new TreeSet<>(out)) {
                int[] of = members.getOrDefault(name, List.of()).stream()
                        .mapToInt(Integer::intValue)
                        .toArray();
                KernelRegression.Guess[] guesses = regression.without(inverse, of, y);
                for (int a = 0; a < of.length; a++) {
                    double middle = mix(novelty, guesses[a].mean(), others.at(rows.get(of[a])));
                    errors.add(new Error(y[of[a]] - middle, Math.sqrt(guesses[a].variance())));
                }
            }
        }
        return band(errors, novelty == Novelty.UNSEEN_PROVIDER ? UNSEEN_PROVIDER_TAIL : TAIL);
    }

    private static Band band(List<Error> errors, double tail) {
        if (errors.isEmpty()) {
            return new Band(0, -2, 2);
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
        return new Band(SHIFT_SHARE * best, scaled[low], scaled[high]);
    }
}
