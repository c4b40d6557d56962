package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceSuggestion;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainTest {
    private static final List<String> GPUS = List.of("T4", "L4", "A100 (80 GB)", "H100 SXM", "RTX 3090", "RTX 4090");
    private static final List<Double> USD = List.of(.3, .6, 1.5, 2.5, .25, .45);

    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    /** Made-up prices in both layouts: a gpu's price times a provider's, with noise. */
    private Path data(String... moreLines) throws IOException {
        Path data = Files.createDirectory(folder.resolve("data"));
        var random = new Random(3);
        var machines = new StringBuilder(ObservationCsv.MACHINES).append('\n');
        var series = new StringBuilder(ObservationCsv.SERIES).append('\n');
        for (int g = 0; g < GPUS.size(); g++) {
            for (int p = 0; p < 5; p++) {
                double usd = USD.get(g) * (1 + .1 * p) * Math.exp(.05 * random.nextGaussian());
                for (int n = 1; n <= 4; n *= 2) {
                    machines.append(String.format(
                            Locale.ROOT,
                            "Provider%d,%s,,%d,,%d,%d,%.2f,9.99,,%n",
                            p,
                            GPUS.get(g),
                            n,
                            8 * n,
                            64 * n,
                            usd * n));
                }
                series.append(String.format(
                        Locale.ROOT, "2026-01-%02dT00:00:00Z,%s,seller%d,1,0.1,%.2f%n", 1 + p, GPUS.get(g), p, usd));
            }
        }
        for (String line : moreLines) {
            machines.append(line).append('\n');
        }
        Files.writeString(data.resolve("machines_2025-12.csv"), machines);
        Files.writeString(data.resolve("series.csv"), series);
        return data;
    }

    private int train(Path data, Path file, String... more) {
        var args = new ArrayList<>(List.of("--data", data.toString(), "--out", file.toString()));
        args.addAll(List.of(more));
        return Train.run(args, new PrintStream(out, true, StandardCharsets.UTF_8), errors());
    }

    private PrintStream errors() {
        return new PrintStream(err, true, StandardCharsets.UTF_8);
    }

    private String complaints() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void train_twiceFromTheSameData_writesTheSameBytes() throws IOException {
        Path data = data();
        Path one = folder.resolve("one.pb");
        Path two = folder.resolve("two.pb");
        assertEquals(0, train(data, one, "--seed", "7", "--credit", "made up"), this::complaints);
        assertEquals(0, train(data, two, "--seed", "7", "--credit", "made up"), this::complaints);
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(two));
        Path three = folder.resolve("three.pb");
        assertEquals(0, train(data, three, "--seed", "8", "--credit", "made up"), this::complaints);
        assertFalse(Arrays.equals(Files.readAllBytes(one), Files.readAllBytes(three)));
        String text = Files.readString(one, StandardCharsets.ISO_8859_1);
        assertFalse(text.contains(folder.toString()), "the model names a folder of this machine");
    }

    @Test
    void train_writtenModel_loadsAndKnowsItsPrices() throws IOException {
        Path file = folder.resolve("model.pb");
        assertEquals(0, train(data(), file, "--credit", "made up"), this::complaints);
        String sha256 = Files.readString(folder.resolve("model.pb.sha256")).substring(0, 64);
        var advisor = TribuoPriceAdvisor.load(file, sha256);
        assertEquals("made up", advisor.credit());
        for (int g = 0; g < GPUS.size(); g++) {
            PriceSuggestion suggestion = advisor.suggest(new Request(
                    GPUS.get(g).replace("(80 GB)", "SXM 80GB"),
                    1,
                    OptionalLong.empty(),
                    8,
                    65_536,
                    OptionalDouble.empty(),
                    OptionalLong.empty(),
                    OptionalLong.empty()));
            assertEquals(1.2 * USD.get(g), suggestion.point() / 1e6, .15 * USD.get(g), suggestion::toString);
            assertEquals(Confidence.HIGH, suggestion.confidence());
            assertEquals(sha256, suggestion.modelSha256());
            assertEquals("2026-01-05", suggestion.dataDate().toString());
        }
    }

    @Test
    void train_badRows_areReportedWithLineAndReason() throws IOException {
        Path data = data(
                "Provider0,RTX 9999,,1,,8,64,1.00,,,",
                "Provider0,T4,,0,,8,64,1.00,,,",
                "Provider0,T4,,1,,8,64,NaN,,,",
                "Provider0,T4,,1,,8,64,-1.00,,,",
                "Provider0,T4,,1,,8,64,0.00,,,",
                "Provider0,T4,,1,,none,64,1.00,,,",
                "Provider0,T4,1",
                "Provider0,\"T4,,1,,8,64,1.00,,,",
                ",T4,,1,,8,64,1.00,,,",
                "Provider0,T4,,100,,8,64,1.00,,,",
                "Provider0,T4,,1,,8,64,1e9,,,");
        Files.writeString(data.resolve("other.csv"), "a,b\n1,2\n");
        Path file = folder.resolve("model.pb");
        assertEquals(0, train(data, file), this::complaints);
        int first = 1 + GPUS.size() * 5 * 3 + 1;
        for (int i = 0; i < 11; i++) {
            String at = "machines_2025-12.csv:" + (first + i) + ": ";
            assertTrue(complaints().contains(at), () -> at + " is not in\n" + complaints());
        }
        assertTrue(complaints().contains("unknown gpu \"RTX 9999\"; the nearest known: "), this::complaints);
        assertTrue(complaints().contains("other.csv:1: file not used"), this::complaints);
        assertEquals(1, train(data, folder.resolve("strict.pb"), "--strict"));
        assertFalse(Files.exists(folder.resolve("strict.pb")));
    }

    @Test
    void train_tooLittleData_writesNothing() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Path file = folder.resolve("model.pb");
        assertEquals(1, train(empty, file));
        assertTrue(complaints().contains("too few"), this::complaints);
        assertFalse(Files.exists(file));
        assertEquals(1, train(folder.resolve("missing"), file));
    }

    @Test
    void run_wrongArguments_showsUsage() {
        assertEquals(2, Train.run(List.of(), System.out, errors()));
        assertEquals(2, Train.run(List.of("--data"), System.out, errors()));
        assertEquals(2, Train.run(List.of("--what", "x"), System.out, errors()));
        assertEquals(2, Train.run(List.of("--data", "x", "--out", "y", "--seed", "-1"), System.out, errors()));
        assertTrue(complaints().contains("usage: price train"), this::complaints);
    }
}
