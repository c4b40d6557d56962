package org.computehive.pricing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of a CSV file under its first line: cells by column name, whatever the order, the case and what other
 * columns there are. Quotes as in RFC 4180; a quoted cell can't span lines. Immutable.
 */
record Csv(Map<String, Integer> columns, List<String> cells) {
    private static final int MOST_LINE = 4_096;
    private static final Pattern NUMBER = Pattern.compile("\\d{1,9}(?:\\.\\d{1,18})?(?:[eE]-?\\d)?");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,6})-(\\d{1,6})");

    /** Reads the first line. */
    static Map<String, Integer> header(String line) {
        var columns = new TreeMap<String, Integer>();
        List<String> names = split(line.startsWith("\uFEFF") ? line.substring(1) : line);
        for (int i = 0; i < names.size(); i++) {
            columns.putIfAbsent(names.get(i).toLowerCase(Locale.ROOT), i);
        }
        return columns;
    }

    /**
     * Reads a line.
     *
     * @throws IllegalArgumentException if it is too long, its quotes don't end or it has too few or too many cells
     */
    static Csv line(Map<String, Integer> columns, int width, String line) {
        List<String> cells = split(line);
        if (cells.size() != width) {
            throw new IllegalArgumentException("%d cells where the layout has %d".formatted(cells.size(), width));
        }
        return new Csv(columns, cells);
    }

    static List<String> split(String line) {
        if (line.length() > MOST_LINE) {
            throw new IllegalArgumentException("line of %d characters is over %d".formatted(line.length(), MOST_LINE));
        }
        var cells = new ArrayList<String>();
        var cell = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                cell.append(c);
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                cells.add(cell.toString().trim());
                cell.setLength(0);
            } else {
                cell.append(c);
            }
        }
        if (quoted) {
            throw new IllegalArgumentException("a quote is not closed on its line");
        }
        cells.add(cell.toString().trim());
        return cells;
    }

    /** Returns a cell, empty where the file lacks the column. */
    String text(String column) {
        Integer at = columns.get(column.toLowerCase(Locale.ROOT));
        return at == null ? "" : cells.get(at);
    }

    double number(String column) {
        String text = text(column);
        if (!NUMBER.matcher(text).matches()) {
            throw new IllegalArgumentException("%s \"%s\" is not a number".formatted(column, cut(text)));
        }
        return Double.parseDouble(text);
    }

    /** Reads a number that may be missing, or a range such as {@code 4-6}, which counts as its middle. */
    OptionalDouble amount(String column) {
        String text = text(column);
        Matcher range = RANGE.matcher(text);
        if (range.matches()) {
            return OptionalDouble.of((Integer.parseInt(range.group(1)) + Integer.parseInt(range.group(2))) / 2.);
        }
        return text.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(number(column));
    }

    static String cut(String text) {
        return (text.length() > 60 ? text.substring(0, 60) + "…" : text).replaceAll("\\p{Cntrl}", "?");
    }
}
