package org.computehive.pricing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads asked prices from a folder of CSV files, told apart by the columns that their first line names; other columns
 * are left alone, and the order of columns does not matter.
 *
 * <ul>
 *   <li><b>Machines</b>: {@code Cloud, GPU Type, GPUs, On-demand}, and {@code vCPUs, RAM, Spot} where they are there.
 *       One row per machine type; the prices are of the whole machine, and each row is up to two observations, on
 *       demand and spot. A range such as {@code 4-6} counts as its middle. The day is the first of the month that the
 *       file's name ends in, such as {@code offers_2025-03.csv}, or else the newest day in the other files.
 *   <li><b>Series</b>: {@code timestamp, gpu, provider, usd_avg_per_gpu_hr}. One row per sample; the median of each
 *       gpu, provider and week (of seven days since 1970-01-01) is one observation.
 *   <li><b>Offers</b>: {@code provider, gpu, usd_per_gpu_hr, last_seen}, and {@code billing, num_gpus, vram_gb,
 *       provider_type, source_kind, gpu_label, region,
 *       country, reliability, first_seen} where they are there. One row per price; the median of what one provider asks
 *       in one region on one day for the same thing is one observation.
 *   <li><b>Lowest</b>: {@code collected_at, provider, gpu, usd_per_gpu_hr}: the lowest price of a provider; like a
 *       series.
 *   <li><b>Marketplace</b>: {@code timestamp, gpu, vram_gb, state, verified, count, price_median}: one row per group of
 *       offers; groups that contain others ({@code all}) are left out.
 * </ul>
 *
 * <p>A row that can't be used is reported with file, line and reason, and reading goes on. Files of other layouts are
 * reported and left alone. The order of observations depends on the files' contents and names only.
 */
public final class ObservationCsv {
    static final String MACHINES = "Cloud,GPU Type,GPU Arch,GPUs,GPU RAM,vCPUs,RAM,On-demand,Per-GPU,Spot,Name";
    static final String SERIES = "timestamp,gpu,provider,n_offers,usd_min_per_gpu_hr,usd_avg_per_gpu_hr";
    private static final List<String> MACHINE_COLUMNS = List.of("cloud", "gpu type", "gpus", "on-demand");
    private static final List<String> SERIES_COLUMNS = List.of("timestamp", "gpu", "provider", "usd_avg_per_gpu_hr");
    private static final List<String> LOWEST_COLUMNS = List.of("collected_at", "provider", "gpu", "usd_per_gpu_hr");
    private static final List<String> OFFER_COLUMNS = List.of("provider", "gpu", "usd_per_gpu_hr", "last_seen");
    private static final List<String> MARKETPLACE_COLUMNS =
            List.of("timestamp", "gpu", "vram_gb", "state", "verified", "price_median");
    private static final long MAX_FILE_BYTES = 64 << 20;
    private static final Pattern MONTH = Pattern.compile("(\\d{4})-(\\d{2})(?:-\\d{2})?\\.csv$");

    private final RowParts parts;
    private final List<Observation> observations = new ArrayList<>();
    private final List<BadRow> badRows = new ArrayList<>();

    /**
     * A row or file that was not used.
     *
     * @param file the file's name, without its folder
     * @param line the line, from 1; 1 also where the whole file was not used
     * @param reason why
     */
    public record BadRow(String file, long line, String reason) {
        @Override
        public String toString() {
            return file + ":" + line + ": " + reason;
        }
    }

    /** What a folder held. */
    public record Reading(List<Observation> observations, List<BadRow> badRows) {}

    private record Week(String gpu, String provider, long week) {}

    private record Sample(GpuFacts gpu, double price, LocalDate day) {}

    private interface Line {
        void read(Csv line);
    }

    private ObservationCsv(RowParts parts) {
        this.parts = parts;
    }

    /**
     * Reads every {@code .csv} file of a folder, in the order of their names: prices on demand and spot, of gpus that the
     * catalogue has, and of others where a row says enough of them.
     */
    public static Reading read(Path folder, GpuCatalogue catalogue) throws IOException {
        return read(folder, new ObservationCsv(new RowParts(catalogue)));
    }

    private static Reading read(Path folder, ObservationCsv reader) throws IOException {
        List<Path> files;
        try (Stream<Path> entries = Files.list(folder)) {
            files = entries.filter(f -> f.toString().endsWith(".csv"))
                    .sorted(Comparator.comparing((Path f) -> !dated(f))
                            .thenComparing(f -> String.valueOf(f.getFileName())))
                    .toList();
        }
        // Files whose name tells no month come last: they take the newest day of the others.
        for (Path file : files) {
            reader.file(file);
        }
        return new Reading(List.copyOf(reader.observations), List.copyOf(reader.badRows));
    }

    private static boolean dated(Path file) {
        return MONTH.matcher(String.valueOf(file.getFileName())).find();
    }

    private void file(Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        if (Files.size(file) > MAX_FILE_BYTES) {
            badRows.add(new BadRow(
                    name,
                    1,
                    "file of %d bytes is over the limit of %d: split it".formatted(Files.size(file), MAX_FILE_BYTES)));
            return;
        }
        List<String> lines = new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                .lines()
                .toList();
        Map<String, Integer> header;
        try {
            header = lines.isEmpty() ? Map.of() : Csv.header(lines.getFirst());
        } catch (IllegalArgumentException e) {
            header = Map.of();
        }
        Collection<String> columns = header.keySet();
        if (columns.containsAll(MACHINE_COLUMNS)) {
            machines(name, header, lines);
        } else if (columns.containsAll(SERIES_COLUMNS)) {
            series(name, header, lines, "timestamp", "usd_avg_per_gpu_hr", Set.of());
        } else if (columns.containsAll(LOWEST_COLUMNS)) {
            series(name, header, lines, "collected_at", "usd_per_gpu_hr", Set.of("lowest"));
        } else if (columns.containsAll(OFFER_COLUMNS)) {
            offers(name, header, lines);
        } else if (columns.containsAll(MARKETPLACE_COLUMNS)) {
            each(name, header, lines, line -> parts.marketplace(line).ifPresent(observations::add));
        } else {
            badRows.add(new BadRow(name, 1, "file not used: its first line is no known layout"));
        }
    }

    private void each(String name, Map<String, Integer> header, List<String> lines, Line read) {
        int width = Csv.split(lines.getFirst()).size();
        for (int i = 1; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            try {
                read.read(Csv.line(header, width, lines.get(i)));
            } catch (IllegalArgumentException e) {
                badRows.add(new BadRow(name, i + 1L, String.valueOf(e.getMessage())));
            }
        }
    }

    /** A host asks anew every hour; what it asks for one thing on one day is one observation, the median. */
    private void offers(String name, Map<String, Integer> header, List<String> lines) {
        var days = new TreeMap<String, List<Observation>>();
        each(name, header, lines, line -> {
            for (Observation row : parts.offer(line)) {
                String key = String.join(
                        "/",
                        row.offer(),
                        row.day().toString(),
                        row.gpuCount() + "",
                        new TreeSet<>(row.traits()).toString());
                days.computeIfAbsent(key, k -> new ArrayList<>()).add(row);
            }
        });
        days.values().forEach(of -> {
            of.sort(Comparator.comparingDouble(Observation::usdPerGpuHour));
            observations.add(of.get((of.size() - 1) / 2));
        });
    }

    private void machines(String name, Map<String, Integer> header, List<String> lines) {
        Matcher month = MONTH.matcher(name);
        LocalDate day;
        try {
            day = month.find()
                    ? LocalDate.of(Integer.parseInt(month.group(1)), Integer.parseInt(month.group(2)), 1)
                    : observations.stream()
                            .map(Observation::day)
                            .max(Comparator.naturalOrder())
                            .orElseThrow(() -> new DateTimeException("no other file has one"));
        } catch (DateTimeException e) {
            badRows.add(new BadRow(
                    name, 1, "file not used: its name has no month, such as offers_2025-03.csv: " + e.getMessage()));
            return;
        }
        each(name, header, lines, line -> observations.addAll(parts.machine(line, day)));
    }

    private void series(
            String name, Map<String, Integer> header, List<String> lines, String time, String price, Set<String> said) {
        var weeks = new TreeMap<Week, List<Sample>>(
                Comparator.comparing(Week::gpu).thenComparing(Week::provider).thenComparingLong(Week::week));
        each(name, header, lines, line -> {
            LocalDate day = RowParts.day(time, line.text(time));
            GpuFacts gpu = parts.gpu(line.text("gpu"), OptionalDouble.empty(), OptionalDouble.empty());
            double usd = line.number(price);
            if (usd <= 0) {
                throw new IllegalArgumentException("%s %s is not over 0".formatted(price, usd));
            }
            var week =
                    new Week(gpu.name(), RowParts.provider(line.text("provider")), Math.floorDiv(day.toEpochDay(), 7));
            weeks.computeIfAbsent(week, key -> new ArrayList<>()).add(new Sample(gpu, usd, day));
        });
        weeks.forEach((week, samples) -> {
            samples.sort(Comparator.comparingDouble(Sample::price));
            Sample middle = samples.get(samples.size() / 2);
            LocalDate last = samples.stream()
                    .map(Sample::day)
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
            try {
                observations.add(new Observation(
                        middle.gpu(),
                        week.provider(),
                        RowParts.tier(week.provider()),
                        1,
                        OptionalDouble.empty(),
                        OptionalDouble.empty(),
                        middle.price(),
                        last,
                        new TreeSet<>(said),
                        "series/" + week.provider() + "/" + week.gpu()));
            } catch (IllegalArgumentException e) {
                badRows.add(new BadRow(
                        name,
                        1,
                        "%s of %s in the week to %s: %s".formatted(week.gpu(), week.provider(), last, e.getMessage())));
            }
        });
    }
}
