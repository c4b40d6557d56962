package org.computehive.pricing.evaluation;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.computehive.pricing.GpuCatalogue;
import org.computehive.pricing.Observation;
import org.computehive.pricing.ObservationCsv;

/**
 * The command that evaluates the price model: {@code --train DIR [--test DIR] [--out DIR] [--seed N] [--json]}.
 *
 * <p>Both folders hold CSV files in any of the layouts of {@link ObservationCsv}. With {@code --test} a model learns from
 * the one and is asked for the other, and each row counts for what of it was seen before: a series or offer that goes on
 * later, another offer, an unseen gpu, an unseen provider. Without it, the rows of one folder are split in four ways.
 * With {@code --out} it writes {@code evaluation.csv}, {@code evaluation.json}, {@code guesses.csv} and a plot of
 * predicted against actual prices and one of coverage as SVG. Exit code 0: evaluated; 1: not possible; 2: wrong
 * arguments.
 */
public final class Evaluate {
    private static final String USAGE =
            "usage: price evaluate --train DIR [--test DIR] [--out DIR] [--seed N] [--json] [--verbose]";
    private static final int ROWS_SHOWN = 20;
    /** Tribuo logs every tree of every forest at INFO; the field keeps the setting from being collected. */
    private static final Logger TRIBUO = Logger.getLogger("org.tribuo");

    private final PrintStream out;
    private final PrintStream err;

    private Evaluate(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    private record Result(String split, String model, Scores scores) {}

    /** Runs the command and exits. */
    public static void main(String[] args) {
        System.exit(run(List.of(args), System.out, System.err));
    }

    static int run(List<String> args, PrintStream out, PrintStream err) {
        TRIBUO.setLevel(Level.WARNING);
        Map<String, String> options = new HashMap<>();
        var left = new ArrayDeque<>(args);
        while (!left.isEmpty()) {
            String option = left.removeFirst();
            if (List.of("--json", "--verbose").contains(option)) {
                options.put(option, "");
            } else if (List.of("--train", "--test", "--out", "--seed").contains(option) && !left.isEmpty()) {
                options.put(option, left.removeFirst());
            } else {
                err.println("option " + option + " is unknown or lacks its value\n" + USAGE);
                return 2;
            }
        }
        String seed = options.getOrDefault("--seed", "1");
        if (!options.containsKey("--train") || !seed.matches("\\d{1,18}")) {
            err.println("--train is needed, and --seed is a number from 0 to 10^18 - 1\n" + USAGE);
            return 2;
        }
        try {
            new Evaluate(out, err).evaluate(options, Long.parseLong(seed));
            return 0;
        } catch (IOException e) {
            err.println("could not read or write: " + e);
            return 1;
        } catch (IllegalArgumentException e) {
            err.println(e.getMessage());
            return 1;
        }
    }

    private void evaluate(Map<String, String> options, long seed) throws IOException {
        boolean verbose = options.containsKey("--verbose");
        List<Observation> rows = read(options.getOrDefault("--train", ""), verbose);
        Map<String, Map<String, List<Scores.Guess>>> bySplit = new LinkedHashMap<>();
        var evaluation = new Evaluation(seed);
        if (options.containsKey("--test")) {
            List<Observation> asked = read(options.getOrDefault("--test", ""), verbose);
            if (asked.isEmpty()) {
                throw new IllegalArgumentException("the test folder holds no row that can be used");
            }
            byNovelty(evaluation.run(new Split.Fold(rows, asked)), bySplit);
        } else {
            for (Split split : Split.all(rows, seed)) {
                if (split.folds().isEmpty()) {
                    err.println("split " + split.name() + ": too few rows, or one day only; left out");
                } else {
                    bySplit.put(split.name(), evaluation.run(split));
                }
            }
        }
        var results = new ArrayList<Result>();
        bySplit.forEach((split, models) ->
                models.forEach((model, guesses) -> results.add(new Result(split, model, Scores.of(guesses)))));
        print(results, options.containsKey("--json"));
        if (options.containsKey("--out")) {
            write(Path.of(options.getOrDefault("--out", "")), results, bySplit);
        }
    }

    private static void byNovelty(
            Map<String, List<Scores.Guess>> models, Map<String, Map<String, List<Scores.Guess>>> bySplit) {
        var names = new TreeMap<String, String>(Map.of(
                "ANCHORED", "later price of a known offer",
                "KNOWN", "offer",
                "UNSEEN_GPU", "unseen gpu",
                "UNSEEN_PROVIDER", "unseen provider",
                "UNSEEN_BOTH", "unseen gpu and provider"));
        bySplit.put("all", models);
        names.forEach((novelty, name) -> models.forEach((model, guesses) -> {
            List<Scores.Guess> of =
                    guesses.stream().filter(g -> g.novelty().equals(novelty)).toList();
            if (!of.isEmpty()) {
                bySplit.computeIfAbsent(name, key -> new LinkedHashMap<>()).put(model, of);
            }
        }));
    }

    private List<Observation> read(String folder, boolean verbose) throws IOException {
        ObservationCsv.Reading reading = ObservationCsv.read(Path.of(folder), GpuCatalogue.bundled());
        int shown = verbose ? Integer.MAX_VALUE : ROWS_SHOWN;
        reading.badRows().stream().limit(shown).forEach(err::println);
        if (reading.badRows().size() > shown) {
            err.printf("and %d more (--verbose shows all)%n", reading.badRows().size() - shown);
        }
        err.printf(
                "%s: %d observations, %d rows or files not used%n",
                folder, reading.observations().size(), reading.badRows().size());
        return reading.observations();
    }

    private void print(List<Result> results, boolean json) {
        if (json) {
            results.forEach(r -> out.println(json(r)));
            return;
        }
        out.printf(
                Locale.ROOT,
                "%-30s %-24s %6s %8s %8s %7s %8s %9s%n",
                "split",
                "model",
                "rows",
                "MAPE %",
                "MdAPE %",
                "R2 log",
                "pinball",
                "cover 80%");
        for (Result r : results) {
            Scores s = r.scores();
            out.printf(
                    Locale.ROOT,
                    "%-30s %-24s %6d %8.1f %8.1f %7.3f %8s %9s%n",
                    r.split(),
                    r.model(),
                    s.rows(),
                    s.mape(),
                    s.mdape(),
                    s.r2(),
                    Double.isNaN(s.pinball()) ? "-" : String.format(Locale.ROOT, "%.3f", s.pinball()),
                    Double.isNaN(s.coverage()) ? "-" : String.format(Locale.ROOT, "%.1f", s.coverage()));
        }
    }

    private static String json(Result r) {
        return "{\"split\":\"%s\",\"model\":\"%s\",%s}"
                .formatted(r.split(), r.model(), r.scores().json());
    }

    private void write(Path folder, List<Result> results, Map<String, Map<String, List<Scores.Guess>>> bySplit)
            throws IOException {
        Files.createDirectories(folder);
        var csv = new StringBuilder("split,model,rows,mape,mdape,r2,pinball,coverage\n");
        results.forEach(r -> csv.append(r.split())
                .append(',')
                .append(r.model())
                .append(',')
                .append(r.scores().csv())
                .append('\n'));
        Files.writeString(folder.resolve("evaluation.csv"), csv);
        Files.writeString(
                folder.resolve("evaluation.json"),
                "[\n" + String.join(",\n", results.stream().map(Evaluate::json).toList()) + "\n]\n");
        var guesses = new StringBuilder("split,gpu,provider,seen_before,actual,low,point,high\n");
        for (var split : bySplit.entrySet()) {
            List<Scores.Guess> of = split.getValue().getOrDefault(Evaluation.MODEL, List.of());
            of.stream()
                    .sorted(Comparator.comparing(Scores.Guess::gpu)
                            .thenComparing(Scores.Guess::provider)
                            .thenComparingDouble(Scores.Guess::actual)
                            .thenComparingDouble(Scores.Guess::point))
                    .forEach(g -> guesses.append(String.format(
                            Locale.ROOT,
                            "%s,%s,%s,%s,%.4f,%.4f,%.4f,%.4f%n",
                            split.getKey(),
                            g.gpu(),
                            g.provider(),
                            g.novelty(),
                            g.actual(),
                            g.low(),
                            g.point(),
                            g.high())));
            String file = split.getKey().replace(' ', '-');
            Files.writeString(
                    folder.resolve("predicted-" + file + ".svg"),
                    Plots.predicted("Predicted against actual, split: " + split.getKey(), of));
        }
        Files.writeString(folder.resolve("guesses.csv"), guesses);
        var coverage = new LinkedHashMap<String, Double>();
        results.stream()
                .filter(r -> r.model().equals(Evaluation.MODEL))
                .forEach(r -> coverage.put(r.split(), r.scores().coverage()));
        Files.writeString(folder.resolve("coverage.svg"), Plots.coverage(coverage, 80));
        err.println(
                "wrote evaluation.csv, evaluation.json, guesses.csv, predicted-*.svg and coverage.svg to " + folder);
    }
}
