package org.computehive.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The lines of an iCalendar file as components and properties (RFC 5545, sections 3.1 and 3.4), with limits on everything
 * that could grow. Names are in capitals; values are as written.
 */
final class CalendarFile {
    /** How many characters a file may have. */
    static final int MAX_CHARACTERS = 65_536;

    /** How many lines a file may have, folded lines joined. */
    static final int MAX_LINES = 4_000;

    /** How many components a file may have, at every depth. */
    static final int MAX_COMPONENTS = 128;

    private static final int MAX_DEPTH = 4;

    private CalendarFile() {}

    /**
     * A line of a component.
     *
     * @param name its name
     * @param parameters the values of its parameters by name, without quotes
     * @param value what follows the colon
     */
    record Property(String name, Map<String, String> parameters, String value) {
        /** Returns a parameter in capitals, such as a value type. */
        Optional<String> parameter(String parameter) {
            return Optional.ofNullable(parameters.get(parameter)).map(text -> text.toUpperCase(Locale.ROOT));
        }

        @Override
        public String toString() {
            return name + ":" + value;
        }
    }

    /**
     * A component with what lies in it.
     *
     * @param name its name, such as {@code VEVENT}
     * @param properties its lines, in order
     * @param components those inside it, in order
     */
    record Component(String name, List<Property> properties, List<Component> components) {
        /** Returns the properties of a name. */
        List<Property> all(String property) {
            return properties.stream().filter(it -> it.name().equals(property)).toList();
        }

        /**
         * Returns the property of a name, which there is at most once.
         *
         * @throws IllegalArgumentException if there are several
         */
        Optional<Property> one(String property) {
            List<Property> found = all(property);
            if (found.size() > 1) {
                throw new IllegalArgumentException("%s has %d times %s: keep one, and write a component for each other"
                        .formatted(name, found.size(), property));
            }
            return found.stream().findFirst();
        }
    }

    /**
     * Reads a file that holds one calendar.
     *
     * @throws IllegalArgumentException if it is malformed or over a limit
     */
    static Component read(String text) {
        if (text.length() > MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "the calendar is %d characters long: at most %d, so keep one of open hours"
                            .formatted(text.length(), MAX_CHARACTERS));
        }
        Deque<Component> open = new ArrayDeque<>();
        open.push(new Component("", new ArrayList<>(), new ArrayList<>()));
        int components = 0;
        for (String line : unfold(text)) {
            Property property = property(line);
            String name = property.value().toUpperCase(Locale.ROOT);
            if (property.name().equals("BEGIN")) {
                components++;
                if (components > MAX_COMPONENTS || open.size() > MAX_DEPTH) {
                    throw new IllegalArgumentException(
                            "the calendar has over %d components or is over %d deep: leave some out"
                                    .formatted(MAX_COMPONENTS, MAX_DEPTH));
                }
                Component begun = new Component(name, new ArrayList<>(), new ArrayList<>());
                open.element().components().add(begun);
                open.push(begun);
            } else if (property.name().equals("END")) {
                Component ended = open.pop();
                if (open.isEmpty() || !ended.name().equals(name)) {
                    throw malformed(line, "it ends what has not begun");
                }
            } else {
                open.element().properties().add(property);
            }
        }
        Component file = open.pop();
        if (!open.isEmpty() || !file.properties().isEmpty() || file.components().size() != 1) {
            throw new IllegalArgumentException(
                    "the text is not one whole calendar: give one, from BEGIN:VCALENDAR to END:VCALENDAR");
        }
        return file.components().getFirst();
    }

    private static List<String> unfold(String text) {
        List<String> lines = new ArrayList<>();
        for (String line : text.split("\r\n|\n|\r", -1)) {
            boolean folded = line.startsWith(" ") || line.startsWith("\t");
            if (folded && !lines.isEmpty()) {
                lines.set(lines.size() - 1, lines.getLast() + line.substring(1));
            } else if (!line.isBlank()) {
                lines.add(line);
            }
            if (lines.size() > MAX_LINES) {
                throw new IllegalArgumentException(
                        "the calendar has over %d lines: leave some out".formatted(MAX_LINES));
            }
        }
        return lines;
    }

    /** Reads {@code NAME;PARAMETER=VALUE;PARAMETER="VALUE":VALUE}. */
    private static Property property(String line) {
        int colon = outsideQuotes(line, ':', 0);
        if (colon < 0) {
            throw malformed(line, "it has no colon");
        }
        int end = outsideQuotes(line.substring(0, colon), ';', 0);
        String name = line.substring(0, end < 0 ? colon : end).toUpperCase(Locale.ROOT);
        if (!name.matches("[A-Z0-9-]+")) {
            throw malformed(line, "its name is not one of letters, digits and hyphens");
        }
        Map<String, String> parameters = new TreeMap<>();
        while (end >= 0) {
            int next = outsideQuotes(line.substring(0, colon), ';', end + 1);
            String parameter = line.substring(end + 1, next < 0 ? colon : next);
            int equals = parameter.indexOf('=');
            if (equals < 1) {
                throw malformed(line, "a parameter has no name");
            }
            String value = parameter.substring(equals + 1);
            boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
            String unquoted = quoted ? value.substring(1, value.length() - 1) : value;
            if (parameters.put(parameter.substring(0, equals).toUpperCase(Locale.ROOT), unquoted) != null) {
                throw malformed(line, "a parameter is there twice");
            }
            end = next;
        }
        return new Property(
                name, Map.copyOf(parameters), line.substring(colon + 1).strip());
    }

    private static int outsideQuotes(String text, char wanted, int from) {
        boolean quoted = false;
        for (int i = from; i < text.length(); i++) {
            char at = text.charAt(i);
            if (at == '"') {
                quoted = !quoted;
            } else if (at == wanted && !quoted) {
                return i;
            }
        }
        return -1;
    }

    private static IllegalArgumentException malformed(String line, String why) {
        return new IllegalArgumentException("calendar line %s is malformed: %s".formatted(Line.quote(line), why));
    }
}
