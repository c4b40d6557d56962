package org.computehive.schedule;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.computehive.schedule.CalendarFile.Component;
import org.computehive.schedule.CalendarFile.Property;

/**
 * The open hours of an iCalendar file: what its {@code VEVENT}s cover, or its {@code VAVAILABILITY} components by priority
 * (RFC 7953, section 4).
 *
 * <p>Immutable and thread-safe.
 */
final class OpenCalendar {
    /** How many stretches of hours a file may have: {@code VEVENT} or {@code AVAILABLE}. */
    static final int MAX_HOURS = 64;

    private static final String EVENT = "VEVENT";
    private static final String AVAILABILITY = "VAVAILABILITY";
    private static final Set<String> BUSY_TYPES = Set.of("BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE");
    private static final String CANCELLED = "CANCELLED";
    private static final int LOWEST_PRIORITY = 10;
    private final List<Layer> layers;
    private final String text;

    /**
     * Hours that replace, within their bounds, those of less priority.
     *
     * @param priority 1 is the highest; 10 if it has none
     * @param from the first instant, if bounded
     * @param to the first instant after, if bounded
     * @param hours what is open within the bounds
     */
    private record Layer(int priority, Optional<Instant> from, Optional<Instant> to, List<OpenHours> hours) {
        Optional<Window> within(Window window) {
            Instant start = from.filter(window.start()::isBefore).orElse(window.start());
            Instant end = to.filter(window.end()::isAfter).orElse(window.end());
            return start.isBefore(end) ? Optional.of(new Window(start, end)) : Optional.empty();
        }

        void over(List<Window> openings, Window window) {
            Optional<Window> own = within(window);
            if (own.isEmpty()) {
                return;
            }
            List<Window> below = List.copyOf(openings);
            openings.clear();
            for (Window open : below) {
                if (open.start().isBefore(own.get().start())) {
                    openings.add(new Window(
                            open.start(), earlier(open.end(), own.get().start())));
                }
                if (open.end().isAfter(own.get().end())) {
                    openings.add(new Window(later(open.start(), own.get().end()), open.end()));
                }
            }
            hours.forEach(it -> openings.addAll(it.openings(own.get())));
        }
    }

    private OpenCalendar(List<Layer> layers, String text) {
        this.layers = layers.stream()
                .sorted(Comparator.comparing(Layer::priority).reversed())
                .toList();
        this.text = text;
    }

    /**
     * Reads a file.
     *
     * @param floating the zone of times that name none
     * @throws IllegalArgumentException if it is malformed, over a limit, or has no sure meaning
     */
    static OpenCalendar read(String file, Optional<ZoneId> floating) {
        Component calendar = CalendarFile.read(file);
        if (!calendar.name().equals("VCALENDAR")) {
            throw new IllegalArgumentException(
                    "the text begins %s: begin with BEGIN:VCALENDAR".formatted(Line.quote(calendar.name())));
        }
        only(calendar, "VERSION", Set.of("2.0"));
        only(calendar, "CALSCALE", Set.of("GREGORIAN"));
        only(calendar, "METHOD", Set.of("PUBLISH"));
        for (Component inside : calendar.components()) {
            if (!Set.of(EVENT, AVAILABILITY, "VTIMEZONE").contains(inside.name())) {
                throw new IllegalArgumentException(
                        "component %s says nothing of open hours: leave it out, and write them as %s or %s"
                                .formatted(Line.quote(inside.name()), EVENT, AVAILABILITY));
            }
        }
        var reader = new HoursReader(floating);
        StringBuilder text = new StringBuilder("BEGIN:VCALENDAR\nVERSION:2.0\n");
        List<Layer> layers = layers(calendar, reader, text);
        text.append("END:VCALENDAR");
        if (text.length() > CalendarFile.MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "the calendar's open hours are %d characters long: at most %d, so use fewer"
                            .formatted(text.length(), CalendarFile.MAX_CHARACTERS));
        }
        return new OpenCalendar(layers, text.toString());
    }

    private static List<Layer> layers(Component calendar, HoursReader reader, StringBuilder text) {
        List<Component> events = named(calendar, EVENT);
        List<Component> availabilities = named(calendar, AVAILABILITY);
        if (events.isEmpty() == availabilities.isEmpty()) {
            throw new IllegalArgumentException("the calendar has %d %s and %d %s: write open hours as one of both"
                    .formatted(events.size(), EVENT, availabilities.size(), AVAILABILITY));
        }
        List<Layer> layers = new ArrayList<>();
        if (!events.isEmpty()) {
            layers.add(new Layer(LOWEST_PRIORITY, Optional.empty(), Optional.empty(), hours(events, reader, text)));
        }
        Set<Integer> priorities = new TreeSet<>();
        for (Component availability : availabilities) {
            Layer layer = layer(availability, reader, text);
            if (!priorities.add(layer.priority())) {
                throw new IllegalArgumentException(
                        "two %s have the same PRIORITY: join them, or give each its own, 1 the highest"
                                .formatted(AVAILABILITY));
            }
            layers.add(layer);
        }
        int count = layers.stream().mapToInt(it -> it.hours().size()).sum();
        if (count == 0 || count > MAX_HOURS) {
            throw new IllegalArgumentException(
                    "the calendar has %d stretches of open hours: give 1 to %d".formatted(count, MAX_HOURS));
        }
        return layers;
    }

    private static Layer layer(Component availability, HoursReader reader, StringBuilder text) {
        availability.components().stream()
                .filter(it -> !it.name().equals("AVAILABLE"))
                .findFirst()
                .ifPresent(it -> {
                    throw new IllegalArgumentException("component %s in %s is not known: leave it out"
                            .formatted(Line.quote(it.name()), AVAILABILITY));
                });
        only(availability, "BUSYTYPE", BUSY_TYPES);
        String priority = availability.one("PRIORITY").map(Property::value).orElse("0");
        if (!priority.matches("[0-9]")) {
            throw new IllegalArgumentException(
                    "PRIORITY %s is out of range: 1, the highest, to 9".formatted(Line.quote(priority)));
        }
        text.append("BEGIN:VAVAILABILITY\n");
        if (!priority.equals("0")) {
            text.append("PRIORITY:").append(priority).append('\n');
        }
        Optional<Instant> from = reader.bound(availability, "DTSTART", text);
        Optional<Instant> to = reader.bound(availability, "DTEND", text);
        if (from.isPresent() && to.isPresent() && !to.get().isAfter(from.get())) {
            throw new IllegalArgumentException(
                    "%s from %s to %s is empty: end it later".formatted(AVAILABILITY, from.get(), to.get()));
        }
        if (!availability.all("DURATION").isEmpty()) {
            throw new IllegalArgumentException("DURATION of a %s can't be used: give DTEND".formatted(AVAILABILITY));
        }
        List<OpenHours> hours = hours(named(availability, "AVAILABLE"), reader, text);
        text.append("END:VAVAILABILITY\n");
        return new Layer(priority.equals("0") ? LOWEST_PRIORITY : Integer.parseInt(priority), from, to, hours);
    }

    private static List<OpenHours> hours(List<Component> components, HoursReader reader, StringBuilder text) {
        components.forEach(it -> only(it, "STATUS", Set.of("CONFIRMED", CANCELLED)));
        return components.stream()
                .filter(it -> it.one("STATUS")
                        .map(Property::value)
                        .filter(CANCELLED::equals)
                        .isEmpty())
                .map(it -> reader.hours(it, text))
                .toList();
    }

    private static List<Component> named(Component parent, String name) {
        return parent.components().stream().filter(it -> it.name().equals(name)).toList();
    }

    private static void only(Component component, String name, Set<String> allowed) {
        component.one(name).filter(it -> !allowed.contains(it.value())).ifPresent(it -> {
            throw new IllegalArgumentException(
                    "%s of %s can't be used: only %s".formatted(Line.quote(it.toString()), component.name(), allowed));
        });
    }

    /** Returns the parts of a window that are open, by their start, joined where they touch. */
    List<Window> openings(Window window) {
        List<Window> openings = new ArrayList<>();
        layers.forEach(it -> it.over(openings, window));
        return WallClock.joined(openings);
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /** Returns whether some hours are whole days, which name no zone. */
    boolean hasDates() {
        return text.contains(";VALUE=DATE:");
    }

    /** Returns the file without what says nothing of time: reading it again gives the same hours. */
    String text() {
        return text;
    }
}
