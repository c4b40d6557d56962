package org.computehive.pricing.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.xml.parsers.DocumentBuilderFactory;
import org.computehive.pricing.MadeUpMarket;
import org.computehive.pricing.Observation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... args) {
        return Evaluate.run(
                List.of(args),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    private Path data(String name, List<Observation> rows) throws IOException {
        var csv = new StringBuilder("timestamp,gpu,provider,n_offers,usd_min_per_gpu_hr,usd_avg_per_gpu_hr,more\n");
        rows.forEach(row -> csv.append(String.format(
                Locale.ROOT,
                "%sT00:00:00Z,%s,%s,1,1,%.4f,x%n",
                row.day(),
                row.gpu().name(),
                row.provider(),
                row.usdPerGpuHour())));
        Path data = Files.createDirectory(folder.resolve(name));
        Files.writeString(data.resolve("whatever.csv"), csv);
        return data;
    }

    @Test
    void evaluate_oneFolder_printsTheSplitsBesideBaselinesAndDraws() throws Exception {
        Path data = data("data", MadeUpMarket.rows(3));
        Path plots = folder.resolve("plots");
        assertEquals(0, run("--train", data.toString(), "--out", plots.toString()), err::toString);
        String table = out.toString(StandardCharsets.UTF_8);
        for (String word : List.of(
                "offer", "unseen gpu", "unseen provider", "later in time", "later and changed", "linear", "hedonic")) {
            assertTrue(table.contains(word), table);
        }
        for (String plot : List.of("coverage.svg", "predicted-offer.svg", "predicted-later-in-time.svg")) {
            DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(plots.resolve(plot).toFile());
        }
        assertTrue(Files.readString(plots.resolve("evaluation.json")).contains("\"split\":\"offer\""));
        byte[] once = out.toByteArray();
        out.reset();
        assertEquals(0, run("--train", data.toString()));
        assertArrayEquals(once, out.toByteArray());
    }

    @Test
    void evaluate_testFolder_countsRowsByWhatWasSeenOfThem() throws IOException {
        List<Observation> rows = MadeUpMarket.rows(3);
        Path train = data(
                "train",
                rows.stream().filter(r -> r.day().isBefore(MadeUpMarket.DAY)).toList());
        Path test = data(
                "test",
                rows.stream().filter(r -> !r.day().isBefore(MadeUpMarket.DAY)).toList());
        assertEquals(0, run("--train", train.toString(), "--test", test.toString(), "--json"), err::toString);
        String json = out.toString(StandardCharsets.UTF_8);
        assertTrue(json.contains("\"split\":\"later price of a known offer\",\"model\":\"market model\""), json);
    }

    @Test
    void evaluate_wrongInput_saysWhatIsWrong() throws IOException {
        assertEquals(2, run());
        assertEquals(2, run("--train"));
        assertEquals(2, run("--train", "x", "--seed", "-1"));
        assertEquals(1, run("--train", folder.resolve("missing").toString()));
        Path train = data("few", MadeUpMarket.rows(1).subList(0, 5));
        Path test = data("none", List.of());
        assertEquals(1, run("--train", train.toString(), "--test", test.toString()));
    }
}
