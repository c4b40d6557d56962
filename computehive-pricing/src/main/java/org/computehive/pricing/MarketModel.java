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
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;

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
    private static final double MOST_SPOT = StrictMath.log(4);
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
        /** The gpu, but not the provider. */
        UNSEEN_PROVIDER,
        /** Neither the gpu nor the provider. */
        UNSEEN_BOTH
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

    private final HostEffect host;
    private final MarketKernel kernel;
    private final KernelRegression regression;
    private final MarketForest forest;
    private final LocalDate today;
    private final Map<String, Integer> gpuRows = new HashMap<>();
    private final Map<String, Set<String>> gpuProviders = new HashMap<>();
    private final Set<String> providers = new HashSet<>();
    private final Set<String> offers = new HashSet<>();
    private final LaterPrices later;
    private final Map<Novelty, ErrorBand> bands;

    private MarketModel(List<Observation> rows, long seed) {
        today = rows.stream()
                .map(Observation::day)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        kernel = new MarketKernel(today);
        host = Hedonic.fit(rows, today).host();
        double[] y = rows.stream()
                .mapToDouble(row -> StrictMath.log(row.usdPerGpuHour()) - host.of(row))
                .toArray();
        regression =
                KernelRegression.fit(kernel, rows.stream().map(kernel::point).toList(), y);
        forest = MarketForest.fit(rows, y, today, TREES, seed);
        for (Observation row : rows) {
            String gpu = row.gpu().name();
            gpuRows.merge(gpu, 1, Integer::sum);
            if (row.tier() == Observation.Tier.INDEPENDENT) {
                gpuProviders.computeIfAbsent(gpu, name -> new HashSet<>()).add(row.provider());
            }
            providers.add(row.provider());
            offers.add(row.offer());
        }
        double[][] inverse = regression.inverse();
        later = LaterPrices.fit(rows, y, regression, inverse);
        bands = bands(rows, y, inverse, seed);
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
        double scale = StrictMath.sqrt(guess.variance());
        LaterPrices.Guess of = novelty == Novelty.ANCHORED
                ? later.guess(row, guess.mean())
                : new LaterPrices.Guess(mix(guess.mean(), forest.at(row)), band(bands, novelty));
        ErrorBand band = of.band();
        double point = StrictMath.exp(host.of(row) + of.price() - band.shift());
        return new Estimate(
                point * StrictMath.exp(band.low(scale)), point, point * StrictMath.exp(band.high(scale)), novelty);
    }

    private static ErrorBand band(Map<Novelty, ErrorBand> bands, Novelty novelty) {
        return bands.getOrDefault(novelty, ErrorBand.UNKNOWN);
    }

    /** What a provider that nobody has seen asks for one gpu on the base host; its price is not looked at. */
    static Observation newcomer(GpuFacts gpu, LocalDate day, boolean spot) {
        return new Observation(
                gpu,
                PriceModel.NEWCOMER,
                Observation.Tier.INDEPENDENT,
                1,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                1,
                day,
                spot ? Set.of("spot") : Set.of(),
                PriceModel.NEWCOMER);
    }

    /** Returns what this model says to a provider that it has not seen, of every gpu of a catalogue. */
    PriceModel forNewcomers(GpuCatalogue catalogue, String credit) {
        var gpus = new TreeMap<String, PriceModel.Gpu>();
        double spot = 0;
        int seen = 0;
        for (GpuFacts gpu : catalogue.all()) {
            Observation asked = newcomer(gpu, today, false);
            KernelRegression.Guess guess = regression.at(kernel.point(asked));
            int rows = gpuRows.getOrDefault(gpu.name(), 0);
            int from = gpuProviders.getOrDefault(gpu.name(), Set.of()).size();
            gpus.put(gpu.name(), new PriceModel.Gpu(guess.mean(), StrictMath.sqrt(guess.variance()), rows, from));
            if (rows > 0) {
                Observation idle = newcomer(gpu, today, true);
                spot += mix(regression.at(kernel.point(idle)).mean(), forest.at(idle))
                        - mix(guess.mean(), forest.at(asked));
                seen++;
            }
        }
        return new PriceModel(
                forest,
                host,
                Math.clamp(spot / Math.max(1, seen), -MOST_SPOT, 0),
                gpus,
                band(bands, Novelty.UNSEEN_PROVIDER),
                band(bands, Novelty.UNSEEN_BOTH),
                today,
                credit);
    }

    private Novelty novelty(Observation row) {
        if (offers.contains(row.offer())) {
            return Novelty.ANCHORED;
        }
        boolean gpu = gpuRows.containsKey(row.gpu().name());
        if (!providers.contains(row.provider())) {
            return gpu ? Novelty.UNSEEN_PROVIDER : Novelty.UNSEEN_BOTH;
        }
        return gpu ? Novelty.KNOWN : Novelty.UNSEEN_GPU;
    }

    static double mix(double regression, double forest) {
        return (1 - FOREST_SHARE) * regression + FOREST_SHARE * forest;
    }

    private Map<Novelty, ErrorBand> bands(List<Observation> rows, double[] y, double[][] inverse, long seed) {
        var bands = new EnumMap<Novelty, ErrorBand>(Novelty.class);
        bands.put(Novelty.KNOWN, leftOut(Novelty.KNOWN, rows, y, inverse, Observation::offer, seed));
        bands.put(
                Novelty.UNSEEN_GPU,
                leftOut(Novelty.UNSEEN_GPU, rows, y, inverse, o -> o.gpu().name(), seed + 1));
        bands.put(
                Novelty.UNSEEN_PROVIDER,
                leftOut(Novelty.UNSEEN_PROVIDER, rows, y, inverse, Observation::provider, seed + 2));
        // Leaving both out at once would leave too little: what either error alone says holds at the least.
        bands.put(Novelty.UNSEEN_BOTH, band(bands, Novelty.UNSEEN_PROVIDER).orWider(band(bands, Novelty.UNSEEN_GPU)));
        return bands;
    }

    private ErrorBand leftOut(
            Novelty novelty,
            List<Observation> rows,
            double[] y,
            double[][] inverse,
            Function<Observation, String> group,
            long seed) {
        var members = new TreeMap<String, List<Integer>>();
        for (int i = 0; i < y.length; i++) {
            members.computeIfAbsent(group.apply(rows.get(i)), key -> new ArrayList<>())
                    .add(i);
        }
        var names = new ArrayList<>(new TreeSet<>(members.keySet()));
        Collections.shuffle(names, new Random(seed));
        var errors = new ArrayList<ErrorBand.Error>();
        for (int fold = 0; fold < FOLDS; fold++) {
            var out = new HashSet<String>();
            for (int i = fold; i < names.size(); i += FOLDS) {
                out.add(names.get(i));
            }
            int[] kept = IntStream.range(0, y.length)
                    .filter(i -> !out.contains(group.apply(rows.get(i))))
                    .toArray();
            if (kept.length < 2 || out.isEmpty()) {
                continue;
            }
            MarketForest others = MarketForest.fit(
                    Arrays.stream(kept).mapToObj(rows::get).toList(),
                    Arrays.stream(kept).mapToDouble(i -> y[i]).toArray(),
                    today,
                    CALIBRATION_TREES,
                    seed);
            for (String name : new TreeSet<>(out)) {
                int[] of = members.getOrDefault(name, List.of()).stream()
                        .mapToInt(Integer::intValue)
                        .toArray();
                KernelRegression.Guess[] guesses = regression.without(inverse, of, y);
                for (int a = 0; a < of.length; a++) {
                    double middle = mix(guesses[a].mean(), others.at(rows.get(of[a])));
                    errors.add(new ErrorBand.Error(y[of[a]] - middle, StrictMath.sqrt(guesses[a].variance())));
                }
            }
        }
        return ErrorBand.of(errors, novelty == Novelty.UNSEEN_PROVIDER ? UNSEEN_PROVIDER_TAIL : ErrorBand.TAIL);
    }
}
