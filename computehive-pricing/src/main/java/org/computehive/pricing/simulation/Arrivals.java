package org.computehive.pricing.simulation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Arrivals from a CSV file, told by the columns that its first line names. Immutable and thread-safe.
 *
 * <ul>
 *   <li>{@code arrival_seconds, duration_seconds} and {@code gpus} (1 where the column is missing): our own layout.
 *   <li>{@code creation_time, deletion_time, num_gpu}: seconds, of a cluster's trace; rows without a gpu are left out.
 *   <li>{@code gmt_create, exec_time_seconds}: requests with times of day, one gpu each.
 *   <li>{@code TIMESTAMP, GeneratedTokens}: requests; as long as they generate, at 30 tokens a second.
 * </ul>
 *
 * @param list in the order of time, the first at hour 0
 * @param notUsed how many rows could not be used
 */
public record Arrivals(List<Arrival> list, int notUsed) {
    /** More rows than this are not read. */
    public static final int MOST = 1_000_000;

    private static final double TOKENS_PER_SECOND = 30;
    private static final double HOUR = 3_600;

    /** Copies the list. */
    public Arrivals {
        list = List.copyOf(list);
    }

    /**
     * Reads a file.
     *
     * @throws IOException if it can't be read
     * @throws IllegalArgumentException if its first line names no known layout or fewer than two rows can be used
     */
    public static Arrivals read(Path file) throws IOException {
        try (var lines = Files.lines(file, StandardCharsets.UTF_8)) {
            return of(lines.limit(MOST + 1L).toList());
        } catch (java.io.UncheckedIOException e) {
            throw new IOException(file + " can't be read as text: " + e.getMessage(), e);
        }
    }

    static Arrivals of(List<String> lines) {
        List<String> header = lines.isEmpty()
                ? List.of()
                : List.of(lines.getFirst().toLowerCase(Locale.ROOT).trim().split("\\s*,\\s*", -1));
        int[] columns = columns(header);
        boolean own = header.contains("arrival_seconds");
        boolean tokens = header.contains("generatedtokens");
        boolean cluster = header.contains("deletion_time");
        var rows = new ArrayList<double[]>();
        int bad = 0;
        for (String line : lines.stream().skip(1).toList()) {
            String[] cells = line.split(",", -1);
            try {
                double start = time(cells[columns[0]]);
                double length = Double.parseDouble(cells[columns[1]]);
                double seconds = cluster ? length - start : tokens ? length / TOKENS_PER_SECOND : length;
                double gpus = columns[2] < 0 ? 1 : Double.parseDouble(cells[columns[2]]);
                if (seconds > 0 && seconds < 1e9 && gpus >= 1 && gpus <= 64 && start >= 0) {
                    rows.add(new double[] {start, seconds, gpus});
                } else {
                    bad++;
                }
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException | DateTimeException e) {
                bad++;
            }
        }
        if (rows.size() < 2) {
            throw new IllegalArgumentException(
                    "%d rows can be used (%d can't): at least 2 arrivals are needed".formatted(rows.size(), bad));
        }
        rows.sort(Comparator.comparingDouble(row -> row[0]));
        double first = rows.getFirst()[0];
        double last = rows.getLast()[0];
        if (!own && last <= first) {
            throw new IllegalArgumentException("all arrivals are at one instant");
        }
        return new Arrivals(
                rows.stream()
                        .map(row -> new Arrival((row[0] - first) / HOUR, row[1] / HOUR, (int) row[2]))
                        .toList(),
                bad);
    }

    private static int[] columns(List<String> header) {
        for (String[] names : new String[][] {
            {"arrival_seconds", "duration_seconds", "gpus"},
            {"creation_time", "deletion_time", "num_gpu"},
            {"gmt_create", "exec_time_seconds", ""},
            {"timestamp", "generatedtokens", ""}
        }) {
            if (header.contains(names[0]) && header.contains(names[1])) {
                return new int[] {header.indexOf(names[0]), header.indexOf(names[1]), header.indexOf(names[2])};
            }
        }
        throw new IllegalArgumentException("the first line names no known layout: give arrival_seconds,"
                + " duration_seconds and gpus, or a layout that Arrivals describes");
    }

    private static double time(String cell) {
        if (cell.length() >= 19 && cell.charAt(4) == '-') {
            String text = cell.trim().replace(' ', 'T').replaceFirst("(Z|[+-]\\d\\d:\\d\\d)$", "");
            LocalDateTime time = LocalDateTime.parse(text.length() > 29 ? text.substring(0, 29) : text);
            return time.toEpochSecond(ZoneOffset.UTC) + time.getNano() / 1e9;
        }
        return Double.parseDouble(cell);
    }
}
