package org.computehive.pricing;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The command that trains a price model: {@code --data DIR --out FILE [--seed N] [--credit TEXT] [--strict]}.
 *
 * <p>It reads the CSV files of a folder, reports every row it can't use with line and reason, and writes the model and
 * beside it {@code FILE.sha256}. With {@code --strict} a bad row stops it. Exit code 0: written; 1: training was not
 * possible; 2: wrong arguments.
 */
public final class Train {
    private static final String USAGE =
            "usage: price train --data DIR --out FILE [--seed N] [--credit \"whose data, which licence\"] [--strict]";
    private static final int ROWS_SHOWN = 50;
    /** Tribuo logs every tree of every forest at INFO; the field keeps the setting from being collected. */
    private static final Logger TRIBUO = Logger.getLogger("org.tribuo.ensemble");

    private Train() {}

    /** Runs the command and exits. */
    public static void main(String[] args) {
        System.exit(run(List.of(args), System.out, System.err));
    }

    static int run(List<String> args, PrintStream out, PrintStream err) {
        TRIBUO.setLevel(Level.WARNING);
        String data = "";
        String file = "";
        String credit = "not stated";
        String seed = "1";
        boolean strict = false;
        var left = new ArrayDeque<>(args);
        while (!left.isEmpty()) {
            String option = left.removeFirst();
            if (option.equals("--strict")) {
                strict = true;
                continue;
            }
            if (left.isEmpty()) {
                err.println("option " + option + " is unknown or lacks its value\n" + USAGE);
                return 2;
            }
            String value = left.removeFirst();
            switch (option) {
                case "--data" -> data = value;
                case "--out" -> file = value;
                case "--credit" -> credit = value;
                case "--seed" -> seed = value;
                default -> {
                    err.println("option " + option + " is unknown\n" + USAGE);
                    return 2;
                }
            }
        }
        if (data.isEmpty() || file.isEmpty() || !seed.matches("\\d{1,18}")) {
            err.println(
                    seed.matches("\\d{1,18}")
                            ? "--data and --out are needed\n" + USAGE
                            : "--seed " + seed + " is not a number from 0 to 10^18 - 1\n" + USAGE);
            return 2;
        }
        try {
            return train(
                    Path.of(data), Path.of(file), new ModelTrainer(Long.parseLong(seed), credit), strict, out, err);
        } catch (IOException e) {
            err.println("could not read or write: " + e);
            return 1;
        } catch (IllegalArgumentException e) {
            err.println(e.getMessage());
            return 1;
        }
    }

    private static int train(
            Path data, Path file, ModelTrainer trainer, boolean strict, PrintStream out, PrintStream err)
            throws IOException {
        ObservationCsv.Reading reading = ObservationCsv.read(data, GpuCatalogue.bundled());
        reading.badRows().stream().limit(ROWS_SHOWN).forEach(err::println);
        if (reading.badRows().size() > ROWS_SHOWN) {
            err.printf("and %d more%n", reading.badRows().size() - ROWS_SHOWN);
        }
        if (strict && !reading.badRows().isEmpty()) {
            err.printf(
                    "%d rows can't be used: mend them or leave out --strict%n",
                    reading.badRows().size());
            return 1;
        }
        byte[] bytes = trainer.train(reading.observations());
        String sha256 = ModelFile.sha256(bytes);
        Files.write(file, bytes);
        Path sum = file.resolveSibling(file.getFileName() + ".sha256");
        Files.writeString(sum, sha256 + "  " + file.getFileName() + "\n");
        out.printf(
                "trained on %d observations (%d rows not used); wrote %d bytes, SHA-256 %s%n",
                reading.observations().size(), reading.badRows().size(), bytes.length, sha256);
        return 0;
    }
}
