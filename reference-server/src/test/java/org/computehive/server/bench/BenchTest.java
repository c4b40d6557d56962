package org.computehive.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class BenchTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(Benchmark benchmark, String... arguments) {
        try (var toOut = new PrintStream(out, true, StandardCharsets.UTF_8);
                var toErr = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            return new Bench(List.of(benchmark), toOut, toErr).run(List.of(arguments));
        }
    }

    private record Fixed(List<Figure> figures) implements Benchmark {
        @Override
        public String name() {
            return "fixed";
        }

        @Override
        public String about() {
            return "figures that are given";
        }

        @Override
        public List<Figure> run(Consumer<String> progress) {
            progress.accept("measuring");
            if (figures.isEmpty()) {
                throw new IllegalStateException("nothing to measure: install it");
            }
            return figures;
        }
    }

    private static final Fixed TWO = new Fixed(List.of(
            new Figure("fixed/boot-seconds", 3, 2, 1.25), new Figure("fixed/issued-per-second", 12_345.678, 1_000, 5)));

    @Test
    void noName_listsTheNames() {
        assertEquals(2, run(TWO));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("fixed            figures that are given"));
        assertEquals("", out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void unknownName_listsTheNames() {
        assertEquals(2, run(TWO, "frobnicate"));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("there is none named frobnicate"));
    }

    @Test
    void name_endsWithOneLineOfJsonForEachFigure() {
        assertEquals(0, run(TWO, "fixed"));
        assertEquals("""
                {"bench":"fixed/boot-seconds","ours":3,"peer":2,"ratio":1.5,"goal":1.25,"met":false}
                {"bench":"fixed/issued-per-second","ours":12350,"peer":1000,"ratio":12.35,"goal":5,"met":true}
                """, out.toString(StandardCharsets.UTF_8));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("measuring"));
    }

    @Test
    void benchmarkThatFails_printsNoFigure_andSaysWhatToDo() {
        assertEquals(1, run(new Fixed(List.of()), "fixed"));
        assertEquals("", out.toString(StandardCharsets.UTF_8));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("nothing to measure: install it"));
    }

    @Test
    void goal_isTheMostOfSeconds_andTheLeastOfRates() {
        assertTrue(new Figure("a/b-seconds", 1, 1, 1).met());
        assertFalse(new Figure("a/b-seconds", 2, 1, 1).met());
        assertTrue(new Figure("a/b-per-cpu-second", 2, 1, 1).met());
        assertFalse(new Figure("a/b-per-second", 1, 2, 1).met());
    }

    @Test
    void figure_withoutUnitOrWithNonsense_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Figure("a/b", 1, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Figure("b-seconds", 1, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Figure("a/b-seconds", 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Figure("a/b-seconds", 1, Double.NaN, 1));
    }

    @Test
    void rounds_takeTurns_andWarmUpDoesNotCount() throws Exception {
        var order = new ArrayList<String>();
        var values = new ArrayList<>(List.of(100.0, 1.0, 9.0, 2.0));
        Rounds.Medians medians = Rounds.of(
                1,
                3,
                () -> {
                    order.add("ours");
                    return values.removeFirst();
                },
                () -> {
                    order.add("peer");
                    return 5;
                });
        assertEquals(new Rounds.Medians(2, 5), medians);
        assertEquals(List.of("peer", "ours", "ours", "peer", "peer", "ours", "ours", "peer"), order);
    }

    @Test
    void median_ofAnEvenCount_isTheMiddle() {
        assertEquals(2.5, Rounds.median(new double[] {4, 1, 3, 2}));
    }

    @Test
    void programTime_isCounted() throws Exception {
        double before = CpuTime.programs();
        try (Scratch scratch = Scratch.inMemory()) {
            Programs.run(
                    scratch.folder(), List.of("/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"));
        }
        assertTrue(CpuTime.programs() > before);
        assertTrue(CpuTime.ours() > 0);
    }
}
