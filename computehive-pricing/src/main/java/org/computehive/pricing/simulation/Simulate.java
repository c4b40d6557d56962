package org.computehive.pricing.simulation;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The command that ranks pricing policies: {@code --arrivals FILE [--seeds N] [--gpus N] [--days N] [--stay HOURS]
 * [--out DIR]}. With {@code --out} it writes {@code ranking.csv} and {@code ranking.svg}. Exit code 0: ranked; 1: not
 * possible; 2: wrong arguments.
 */
public final class Simulate {
    private static final String USAGE =
            "usage: price simulate --arrivals FILE [--seeds N] [--gpus N] [--days N]" + " [--stay HOURS] [--out DIR]";
    private static final List<String> OPTIONS = List.of("--arrivals", "--seeds", "--gpus", "--days", "--stay", "--out");

    private Simulate() {}

    /** Runs the command and exits. */
    public static void main(String[] args) {
        System.exit(run(List.of(args), System.out, System.err));
    }

    static int run(List<String> args, PrintStream out, PrintStream err) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < args.size(); i += 2) {
            if (!OPTIONS.contains(args.get(i)) || i + 1 >= args.size()) {
                err.println("option " + args.get(i) + " is unknown or lacks its value\n" + USAGE);
                return 2;
            }
            options.put(args.get(i), args.get(i + 1));
        }
        if (!options.containsKey("--arrivals")) {
            err.println("--arrivals is needed\n" + USAGE);
            return 2;
        }
        try {
            Arrivals arrivals = Arrivals.read(Path.of(options.getOrDefault("--arrivals", "")));
            err.printf("%d arrivals, %d rows not used%n", arrivals.list().size(), arrivals.notUsed());
            var simulator = new Simulator(
                    arrivals,
                    Integer.parseInt(options.getOrDefault("--gpus", "64")),
                    Integer.parseInt(options.getOrDefault("--days", "60")),
                    Double.parseDouble(options.getOrDefault("--stay", "12")));
            Ranking ranking = Ranking.of(
                    simulator,
                    Policies.standard(),
                    Scenario.standard(),
                    Integer.parseInt(options.getOrDefault("--seeds", "30")));
            out.print(ranking.table());
            Ranking.Row ours = ranking.overall("ours");
            Ranking.Row worst = ranking.worst("ours");
            out.printf(
                    Locale.ROOT,
                    "ours: %.1f %% of the best fixed price, %.1f %% of the occupancy rule; worst scenario (%s): %.1f %%"
                            + " of median-fixed%n",
                    ours.ofBestFixed(),
                    100 * ours.index() / ranking.overall("occupancy rule").index(),
                    worst.scenario(),
                    worst.index());
            if (options.containsKey("--out")) {
                Path folder = Files.createDirectories(Path.of(options.getOrDefault("--out", "")));
                Files.writeString(folder.resolve("ranking.csv"), ranking.csv());
                Files.writeString(folder.resolve("ranking.svg"), RankingPlot.of(ranking));
                err.println("wrote ranking.csv and ranking.svg to " + folder);
            }
            return 0;
        } catch (IOException e) {
            err.println("could not read or write: " + e);
            return 1;
        } catch (NumberFormatException e) {
            err.println("not a number: " + e.getMessage() + "\n" + USAGE);
            return 2;
        } catch (IllegalArgumentException e) {
            err.println(e.getMessage());
            return 1;
        }
    }
}
