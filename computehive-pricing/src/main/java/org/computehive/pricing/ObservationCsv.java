package org.computehive.pricing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads asked prices from a folder of CSV files in two layouts, told apart by their first line.
 *
 * <ul>
 *   <li><b>Machines</b>: {@value #MACHINES}. One row per machine type. The price is On-demand / GPUs; Per-GPU, Spot and
 *       GPU RAM are not read. A range such as {@code 4-6} counts as its middle. The day is the first of the month that
 *       the file's name ends in, such as {@code offers_2025-03.csv}.
 *   <li><b>Series</b>: {@value #SERIES}. One row per sample; the median of {@code usd_avg_per_gpu_hr} of each gpu,
 *       provider and week (of seven days since 1970-01-01) is one observation.
 * </ul>
 *
 * <p>A row that can't be used is reported with file, line and reason, and reading goes on. Files of other layouts are
 * reported and left alone. The order of observations depends on the files' contents and names only.
 */
final class ObservationCsv {
    static final String MACHINES = "Cloud,GPU Type,GPU Arch,GPUs,GPU RAM,vCPUs,RAM,On-demand,Per-GPU,Spot,Name";
    static final String SERIES = "timestamp,gpu,provider,n_offers,usd_min_per_gpu_hr,usd_avg_per_gpu_hr";
    private static final long MAX_FILE_BYTES = 64 << 20;
    private static final Pattern MONTH = Pattern.compile("(\\d{4})-(\\d{2})(?:-\\d{2})?\\.csv$");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,9}(?:\\.\\d{1,9})?");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,6})-(\\d{1,6})");
    private static final Set<String> HYPERSCALERS = Set.of("aws", "azure", "gcp", "oraclecloud");

    private final GpuCatalogue catalogue;
    private final List<Observation> observations = new ArrayList<>();
    private final List<BadRow> badRows = new ArrayList<>();

    /**
     * A row or file that was not used.
     *
     * @param file the file's name, without its folder
     * @param line the line, from 1; 1 also where the whole file was not used
     * @param reason why
     */
    record BadRow(String file, long line, String reason) {
        @Override
        public String toString() {
            return file + ":" + line + ": " + reason;
        }
    }

    /** What a folder held. */
    record Reading(List<Observation> observations, List<BadRow> badRows) {}

    private record Week(String gpu, String provider, long week) {}

    private record Sample(GpuFacts gpu, double price, LocalDate day) {}

    private ObservationCsv(GpuCatalogue catalogue) {
        this.catalogue = catalogue;
    }

    /** Reads every {@code .csv} file of a folder, in the order of their names. */
    static Reading read(Path folder, GpuCatalogue catalogue) throws IOException {
        var reader = new ObservationCsv(catalogue);
        List<Path> files;
        try (Stream<Path> entries = Files.list(folder)) {
            files = entries.filter(f -> f.toString().endsWith(".csv"))
                    .sorted(Comparator.comparing(f -> String.valueOf(f.getFileName())))
                    .toList();
        }
        for (Path file : files) {
            reader.file(file);
        }
        return new Reading(List.copyOf(reader.observations), List.copyOf(reader.badRows));
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
        String header = lines.isEmpty() ? "" : lines.getFirst();
        if (header.equals(MACHINES)) {
            machines(name, lines);
        } else if (header.equals(SERIES)) {
            series(name, lines);
        } else {
            badRows.add(new BadRow(name, 1, "file not used: its first line is neither known layout"));
        }
    }

    private void machines(String name, List<String> lines) {
        Matcher month = MONTH.matcher(name);
        if (!month.find()) {
            badRows.add(new BadRow(name, 1, "file not used: its name has no month, such as offers_2025-03.csv"));
            return;
        }
        LocalDate day;
        try {
            day = LocalDate.of(Integer.parseInt(month.group(1)), Integer.parseInt(month.group(2)), 1);
        } catch (DateTimeException e) {
            badRows.add(new BadRow(name, 1, "file not used: its name's month is none: " + e.getMessage()));
            return;
        }
        for (int i = 1; i < lines.size(); i++) {
            try {
                observations.add(machine(cells(lines.get(i), 11), day));
            } catch (IllegalArgumentException e) {
                badRows.add(new BadRow(name, i + 1L, String.valueOf(e.getMessage())));
            }
        }
    }

    private Observation machine(List<String> cells, LocalDate day) {
        int count = (int) number("GPUs", cells.get(3));
        if (count < 1) {
            throw new IllegalArgumentException("GPUs \"%s\" is not 1 to 64".formatted(cells.get(3)));
        }
        String provider = provider(cells.get(0));
        return new Observation(
                gpu(cells.get(1)),
                provider,
                HYPERSCALERS.contains(provider) ? Observation.Tier.HYPERSCALER : Observation.Tier.INDEPENDENT,
                count,
                amount("vCPUs", cells.get(5)),
                amount("RAM", cells.get(6)),
                number("On-demand", cells.get(7)) / count,
                day);
    }

    private void series(String name, List<String> lines) {
        var weeks = new TreeMap<Week, List<Sample>>(
                Comparator.comparing(Week::gpu).thenComparing(Week::provider).thenComparingLong(Week::week));
        for (int i = 1; i < lines.size(); i++) {
            try {
                List<String> cells = cells(lines.get(i), 6);
                LocalDate day = day(cells.get(0));
                GpuFacts gpu = gpu(cells.get(1));
                double price = number("usd_avg_per_gpu_hr", cells.get(5));
                if (price <= 0) {
                    throw new IllegalArgumentException("usd_avg_per_gpu_hr %s is not over 0".formatted(price));
                }
                var week = new Week(gpu.name(), provider(cells.get(2)), Math.floorDiv(day.toEpochDay(), 7));
                weeks.computeIfAbsent(week, key -> new ArrayList<>()).add(new Sample(gpu, price, day));
            } catch (IllegalArgumentException e) {
                badRows.add(new BadRow(name, i + 1L, String.valueOf(e.getMessage())));
            }
        }
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
                        HYPERSCALERS.contains(week.provider())
                                ? Observation.Tier.HYPERSCALER
                                : Observation.Tier.INDEPENDENT,
                        1,
                        OptionalDouble.empty(),
                        OptionalDouble.empty(),
                        middle.price(),
                        last));
            } catch (IllegalArgumentException e) {
                badRows.add(new BadRow(
                        name,
                        1,
                        "%s of %s in the week to %s: %s".formatted(week.gpu(), week.provider(), last, e.getMessage())));
            }
        });
    }

    private static LocalDate day(String text) {
        try {
            return Instant.parse(text).atZone(ZoneOffset.UTC).toLocalDate();
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(
                    "timestamp \"%s\" is not like 2025-10-19T21:01:58Z".formatted(cut(text)), e);
        }
    }

    private GpuFacts gpu(String text) {
        if (text.isBlank() || text.length() > 120) {
            throw new IllegalArgumentException("gpu name \"%s\" is not 1 to 120 characters".formatted(cut(text)));
        }
        return switch (catalogue.find(text)) {
            case GpuCatalogue.Match.Known known -> known.gpu();
            case GpuCatalogue.Match.Unknown unknown ->
                throw new IllegalArgumentException("unknown gpu \"%s\"; the nearest known: %s"
                        .formatted(cut(text), String.join(", ", unknown.nearest())));
        };
    }

    /** One provider is spelt in many ways: {@code Latitude.sh} and {@code latitude}. */
    private static String provider(String text) {
        return text.toLowerCase(Locale.ROOT)
                .replaceFirst("\\.[a-z]{2,3}$", "")
                .replaceFirst("labs$", "")
                .replaceAll("[^a-z0-9_]", "");
    }

    private static OptionalDouble amount(String what, String text) {
        Matcher range = RANGE.matcher(text);
        if (range.matches()) {
            return OptionalDouble.of((Integer.parseInt(range.group(1)) + Integer.parseInt(range.group(2))) / 2.);
        }
        return text.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(number(what, text));
    }

    private static double number(String what, String text) {
        if (!NUMBER.matcher(text).matches()) {
            throw new IllegalArgumentException("%s \"%s\" is not a number".formatted(what, cut(text)));
        }
        return Double.parseDouble(text);
    }

    private static List<String> cells(String line, int count) {
        if (line.length() > 4_096 || line.indexOf('"') >= 0) {
            throw new IllegalArgumentException("line is over 4096 characters or has quotes, which these layouts lack");
        }
        List<String> cells = Stream.of(line.split(",", -1)).map(String::trim).toList();
        if (cells.size() != count) {
            throw new IllegalArgumentException("%d cells where the layout has %d".formatted(cells.size(), count));
        }
        return cells;
    }

    private static String cut(String text) {
        return (text.length() > 60 ? text.substring(0, 60) + "…" : text).replaceAll("\\p{Cntrl}", "?");
    }
}
