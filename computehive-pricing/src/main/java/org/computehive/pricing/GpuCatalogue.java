package org.computehive.pricing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.ToDoubleFunction;

/**
 * The gpus whose figures are known, and the many ways people write their names.
 *
 * <p>Immutable and thread-safe. Looking up does no I/O.
 */
public final class GpuCatalogue {
    private static final String RESOURCE = "gpus.csv";
    /** Drivers report a few percent less than the nominal size, and makers count GB of 10<sup>9</sup> bytes. */
    private static final double MEMORY_TOLERANCE = .12;

    private static final int STRANGER_PEERS = 3;
    private static final String MODIFIED = "(memory doubled by others)";

    private final Map<String, List<Variant>> byCore;
    private final List<GpuFacts> all;

    private record Variant(GpuFacts facts, String form) {}

    private GpuCatalogue(Map<String, List<Variant>> byCore) {
        this.byCore = byCore;
        this.all = byCore.values().stream()
                .flatMap(List::stream)
                .map(Variant::facts)
                .sorted(Comparator.comparing(GpuFacts::name))
                .toList();
    }

    /** Reads the catalogue that comes with this module. */
    public static GpuCatalogue bundled() {
        Map<String, List<Variant>> byCore = new LinkedHashMap<>();
        try (InputStream in = GpuCatalogue.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("resource " + RESOURCE + " is missing from the jar: rebuild it");
            }
            var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            lines.lines()
                    .filter(line -> !line.startsWith("#") && !line.startsWith("name,"))
                    .map(line -> line.split(",", -1))
                    .forEach(cells -> byCore.computeIfAbsent(cells[1], core -> new ArrayList<>())
                            .add(new Variant(facts(cells), cells[2])));
        } catch (IOException e) {
            throw new UncheckedIOException("resource " + RESOURCE + " could not be read", e);
        }
        return new GpuCatalogue(byCore);
    }

    private static GpuFacts facts(String[] cells) {
        return new GpuFacts(
                cells[0],
                Double.parseDouble(cells[3]),
                Double.parseDouble(cells[4]),
                Double.parseDouble(cells[5]),
                optional(cells[6]),
                optional(cells[7]),
                Integer.parseInt(cells[8]),
                GpuFacts.Segment.valueOf(cells[9]),
                cells[10]);
    }

    private static OptionalDouble optional(String cell) {
        return cell.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(cell));
    }

    /** Returns every gpu, by name. */
    public List<GpuFacts> all() {
        return all;
    }

    /** Finds a gpu by any of the names people give it, such as {@code NVIDIA GeForce RTX 4090}. */
    public Match find(String name) {
        return find(name, OptionalLong.empty());
    }

    /**
     * Finds a gpu by name and memory; the memory chooses between variants that a name leaves open.
     *
     * @param name what people call it
     * @param memoryMib its memory in MiB, if it is known
     */
    public Match find(String name, OptionalLong memoryMib) {
        GpuName parsed = GpuName.parse(name);
        List<Variant> named = byCore.getOrDefault(parsed.core(), List.of()).stream()
                .filter(v -> fits(v, parsed))
                .toList();
        List<Variant> left = named.stream()
                .filter(v -> memoryMib.isEmpty() || near(memoryMib.getAsLong() / 1024., v.facts()))
                .toList();
        if (left.isEmpty()) {
            return new Match.Unknown(name, nearest(parsed.core()));
        }
        if (memoryMib.isEmpty() && parsed.memoryGib().isEmpty()) {
            // A bare name is what the maker sold; cards with more memory soldered on are named with it.
            List<Variant> sold = left.stream()
                    .filter(v -> !v.facts().source().endsWith(MODIFIED))
                    .toList();
            left = sold.isEmpty() ? left : sold;
        }
        return new Match.Known(
                left.getFirst().facts(), left.stream().map(Variant::facts).toList());
    }

    /**
     * Makes up the figures of a gpu that the catalogue lacks: those of the known gpus nearest in memory, and in compute
     * where it is stated, on average.
     */
    GpuFacts stranger(GpuName name, double memoryGib, OptionalDouble fp32Tflops) {
        List<GpuFacts> near = all.stream()
                .sorted(Comparator.comparingDouble((GpuFacts g) -> Math.abs(StrictMath.log(g.memoryGib() / memoryGib))
                                + (fp32Tflops.isPresent() && fp32Tflops.getAsDouble() > 0
                                        ? Math.abs(StrictMath.log(g.fp32Tflops() / fp32Tflops.getAsDouble()))
                                        : 0))
                        .thenComparing(GpuFacts::name))
                .limit(STRANGER_PEERS)
                .toList();
        double compute = fp32Tflops.orElse(mean(near, GpuFacts::fp32Tflops));
        return new GpuFacts(
                "unknown " + name.core() + " " + Math.round(memoryGib) + "GB",
                memoryGib,
                mean(near, GpuFacts::bandwidthGbPerSecond),
                compute > 0 ? compute : mean(near, GpuFacts::fp32Tflops),
                OptionalDouble.of(mean(near, GpuFacts::computeTflops)),
                OptionalDouble.empty(),
                (int) Math.round(
                        near.stream().mapToInt(GpuFacts::year).average().orElse(2020)),
                near.getFirst().segment(),
                "the nearest known gpus");
    }

    private static double mean(List<GpuFacts> gpus, ToDoubleFunction<GpuFacts> figure) {
        return StrictMath.exp(gpus.stream()
                .mapToDouble(g -> StrictMath.log(figure.applyAsDouble(g)))
                .average()
                .orElse(0));
    }

    private static boolean fits(Variant variant, GpuName name) {
        boolean form = name.form().isEmpty()
                || variant.form().isEmpty()
                || variant.form().equals(name.form());
        boolean loneForm =
                variant.form().isEmpty() && List.of("ada", "pro", "quadro").contains(name.form());
        return form
                && !loneForm
                && (name.memoryGib().isEmpty() || near(name.memoryGib().getAsDouble(), variant.facts()));
    }

    private static boolean near(double gib, GpuFacts facts) {
        return Math.abs(gib - facts.memoryGib()) <= MEMORY_TOLERANCE * facts.memoryGib();
    }

    private List<String> nearest(String core) {
        var names = new LinkedHashSet<String>();
        byCore.entrySet().stream()
                .sorted(Comparator.comparingInt((Map.Entry<String, ?> e) -> distance(core, e.getKey()))
                        .thenComparing(Map.Entry::getKey))
                .limit(3)
                .forEach(e -> names.add(e.getValue().getFirst().facts().name()));
        return List.copyOf(names);
    }

    /** Levenshtein's edit distance. */
    private static int distance(String a, String b) {
        int[] above = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, Math.min(above[j], row[j - 1]) + 1);
            }
            above = row;
        }
        return above[b.length()];
    }

    /** The answer to a look-up. */
    public sealed interface Match {
        /**
         * The gpu is known.
         *
         * @param gpu the gpu
         * @param variants every gpu the name could mean, {@code gpu} first; more than one if it doesn't say which
         */
        record Known(GpuFacts gpu, List<GpuFacts> variants) implements Match {
            /** Copies the list. */
            public Known {
                variants = List.copyOf(variants);
            }
        }

        /**
         * The gpu is unknown, or its memory is not that of the gpu of this name.
         *
         * @param name the name that was asked for
         * @param nearest the known names that are spelt most like it
         */
        record Unknown(String name, List<String> nearest) implements Match {
            /** Copies the list. */
            public Unknown {
                nearest = List.copyOf(nearest);
            }
        }
    }
}
