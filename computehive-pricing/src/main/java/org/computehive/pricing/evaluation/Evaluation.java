package org.computehive.pricing.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.computehive.pricing.MarketModel;
import org.computehive.pricing.Observation;
import org.computehive.pricing.PriceBaselines;

/**
 * Fits models on one side of a split and asks them for the other.
 *
 * <p>The same rows and the same seed give the same figures, whatever the number of threads. Thread-safe.
 */
final class Evaluation {
    /** The model that is judged, as tables name it. */
    static final String MODEL = "market model";

    private final long seed;

    Evaluation(long seed) {
        this.seed = seed;
    }

    /** Asks every model for every row that stood aside; by the model's name. */
    Map<String, List<Scores.Guess>> run(Split split) {
        List<Map<String, List<Scores.Guess>>> folds = IntStream.range(
                        0, split.folds().size())
                .parallel()
                .mapToObj(i -> run(split.folds().get(i)))
                .toList();
        var all = new LinkedHashMap<String, List<Scores.Guess>>();
        folds.forEach(fold -> fold.forEach((name, guesses) ->
                all.computeIfAbsent(name, key -> new ArrayList<>()).addAll(guesses)));
        return all;
    }

    Map<String, List<Scores.Guess>> run(Split.Fold fold) {
        var guesses = new LinkedHashMap<String, List<Scores.Guess>>();
        MarketModel model = MarketModel.fit(fold.train(), seed);
        guesses.put(MODEL, fold.test().stream().map(row -> guess(row, model)).toList());
        List<Scores.Guess> mine = guesses.getOrDefault(MODEL, List.of());
        PriceBaselines.fit(fold.train(), seed).forEach((name, baseline) -> {
            var of = new ArrayList<Scores.Guess>();
            for (int i = 0; i < mine.size(); i++) {
                Observation row = fold.test().get(i);
                of.add(new Scores.Guess(
                        row.gpu().name(),
                        row.provider(),
                        mine.get(i).novelty(),
                        row.usdPerGpuHour(),
                        Double.NaN,
                        baseline.applyAsDouble(row),
                        Double.NaN));
            }
            guesses.put(name, of);
        });
        return guesses;
    }

    private static Scores.Guess guess(Observation row, MarketModel model) {
        MarketModel.Estimate estimate = model.estimate(row);
        return new Scores.Guess(
                row.gpu().name(),
                row.provider(),
                estimate.novelty().name(),
                row.usdPerGpuHour(),
                estimate.low(),
                estimate.point(),
                estimate.high());
    }
}
