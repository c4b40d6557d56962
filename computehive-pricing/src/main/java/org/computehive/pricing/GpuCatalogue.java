package org.computehive.pricing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private static final int NEAREST = 3;
    /** Of a longer name, so much is compared with those that are known. */
    private static final int MOST_SPELT = 24;

    private static final int LONGEST_CORE = 64;
    private static final String MODIFIED = "(memory doubled by others)";

    private final Map<String, List<Variant>> byCore;
    private final List<GpuFacts> all;
    /** In order. */
    private final String[] cores;
    /** The first variant of each. */
    private final String[] coreNames;

    private record Variant(GpuFacts facts, String form) {}

    private GpuCatalogue(Map<String, List<Variant>> byCore) {
        this.byCore = byCore;
        this.all = byCore.values().stream()
                .flatMap(List::stream)
                .map(Variant::facts)
                .sorted(Comparator.comparing(GpuFacts::name))
                .toList();
        this.cores = byCore.keySet().stream().sorted().toArray(String[]::new);
        this.coreNames = Arrays.stream(cores)
                .map(core ->
                        byCore.getOrDefault(core, List.of()).getFirst().facts().name())
                .toArray(String[]::new);
        for (String core : cores) {
            if (core.length() > LONGEST_CORE) {
                throw new IllegalStateException("gpu name \"%s\" is over %d characters".formatted(core, LONGEST_CORE));
            }
        }
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

    /** The names that are spelt most like one, of those that are equally like the first by name. */
    private List<String> nearest(String asked) {
        String core = asked.substring(0, Math.min(asked.length(), MOST_SPELT));
        String[] names = new String[NEAREST];
        int[] distances = new int[NEAREST];
        Arrays.fill(distances, Integer.MAX_VALUE);
        int[] above = new int[LONGEST_CORE + 1];
        int[] row = new int[LONGEST_CORE + 1];
        for (int c = 0; c < cores.length; c++) {
            int worst = distances[NEAREST - 1];
            if (Math.abs(core.length() - cores[c].length()) < worst) {
                int distance = distance(core, cores[c], above, row);
                for (int place = NEAREST - 1; place >= 0 && distance < distances[place]; place--) {
                    if (place < NEAREST - 1) {
                        distances[place + 1] = distances[place];
                        names[place + 1] = names[place];
                    }
                    distances[place] = distance;
                    names[place] = coreNames[c];
                }
            }
        }
        return Arrays.stream(names).filter(Objects::nonNull).toList();
    }

    /** Levenshtein's edit distance; the arrays are room to work in. */
    private static int distance(String a, String b, int[] room, int[] more) {
        int[] above = room;
        int[] row = more;
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, Math.min(above[j], row[j - 1]) + 1);
            }
            int[] done = above;
            above = row;
            row = done;
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
