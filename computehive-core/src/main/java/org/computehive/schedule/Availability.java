package org.computehive.schedule;

import java.time.DateTimeException;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * When a lender's gpus may be rented: always, or at weekly hours on the lender's own wall clock.
 *
 * <p>An instant is available if the clock on the lender's wall, at that instant, shows a time within the hours. So where
 * a clock change skips a time, nothing is available in its place, and where it repeats a time, both passes are. The
 * machine's own time zone does not matter.
 *
 * <p>The text form is {@code always}, or the zone and the hours in order: {@code Europe/Berlin: MON 09:00-17:00, SAT
 * 00:00-24:00}. Immutable and thread-safe.
 */
public final class Availability {
    /** How many weekly hours there may be. */
    public static final int MAX_HOURS = 64;

    /** The longest window that can be asked about. */
    public static final Duration MAX_WINDOW = Duration.ofDays(366);

    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant END = Instant.parse("+10000-01-01T00:00:00Z");
    private static final int MAX_TEXT = 2048;
    private static final String ALWAYS_TEXT = "always";
    private static final Availability ALWAYS = new Availability(null, List.of());
    private final @Nullable ZoneId zone;
    private final List<WeeklyHours> hours;

    private Availability(@Nullable ZoneId zone, List<WeeklyHours> hours) {
        this.zone = zone;
        this.hours = hours;
    }

    /** Returns the availability that covers every window. */
    public static Availability always() {
        return ALWAYS;
    }

    /**
     * Returns weekly hours.
     *
     * @param zone the lender's time zone
     * @param hours at least one and at most {@value #MAX_HOURS}, in any order, none overlapping
     * @throws IllegalArgumentException if there are none or too many, or some overlap
     */
    public static Availability weekly(ZoneId zone, List<WeeklyHours> hours) {
        if (hours.isEmpty() || hours.size() > MAX_HOURS) {
            throw new IllegalArgumentException(
                    "%d weekly hours can't be used: give 1 to %d, or take always".formatted(hours.size(), MAX_HOURS));
        }
        List<WeeklyHours> sorted = hours.stream().sorted().toList();
        for (int i = 1; i < sorted.size(); i++) {
            WeeklyHours before = sorted.get(i - 1);
            WeeklyHours after = sorted.get(i);
            if (before.day() == after.day() && before.toMidnight().compareTo(after.fromMidnight()) > 0) {
                throw new IllegalArgumentException("hours %s and %s overlap: join them".formatted(before, after));
            }
        }
        return new Availability(zone, sorted);
    }

    /**
     * Reads the text form.
     *
     * @throws IllegalArgumentException if it is malformed, or names no known time zone
     */
    public static Availability parse(String text) {
        if (text.equals(ALWAYS_TEXT)) {
            return ALWAYS;
        }
        int colon = text.indexOf(": ");
        if (text.length() > MAX_TEXT || colon < 0) {
            throw new IllegalArgumentException(
                    "availability %s must be %s, or at most %d characters like Europe/Berlin: MON 09:00-17:00, TUE 09:00-24:00"
                            .formatted(Line.quote(text), ALWAYS_TEXT, MAX_TEXT));
        }
        return weekly(
                zone(text.substring(0, colon)),
                Arrays.stream(text.substring(colon + 2).split(", ", -1))
                        .map(WeeklyHours::parse)
                        .toList());
    }

    private static ZoneId zone(String id) {
        try {
            return ZoneId.of(id);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "time zone %s is not known: use a name like Europe/Berlin, or UTC".formatted(Line.quote(id)), e);
        }
    }

    /**
     * Returns whether every instant of a window is available.
     *
     * @throws IllegalArgumentException if the window is longer than {@link #MAX_WINDOW}, or its year is not 0 to 9999
     */
    public boolean covers(Window window) {
        if (zone == null) {
            return true;
        }
        if (window.length().compareTo(MAX_WINDOW) > 0) {
            throw new IllegalArgumentException(
                    "window %s is longer than %d days: ask for a shorter one".formatted(window, MAX_WINDOW.toDays()));
        }
        checkYear(window.start());
        checkYear(window.end());
        Instant covered = window.start();
        for (Window open : openings(zone, window)) {
            if (open.start().isAfter(covered)) {
                return false;
            }
            if (open.end().isAfter(covered)) {
                covered = open.end();
            }
            if (!covered.isBefore(window.end())) {
                return true;
            }
        }
        return false;
    }

    private static void checkYear(Instant instant) {
        if (instant.isBefore(FIRST) || !instant.isBefore(END)) {
            throw new IllegalArgumentException("%s is out of range: years 0 to 9999".formatted(instant));
        }
    }

    /** Returns the parts of a window that are open, by their start: within one clock setting after the other. */
    private List<Window> openings(ZoneId in, Window window) {
        ZoneRules rules = in.getRules();
        List<Window> openings = new ArrayList<>();
        Instant start = window.start();
        while (start.isBefore(window.end())) {
            ZoneOffsetTransition change = rules.nextTransition(start);
            Instant end =
                    change == null || change.getInstant().isAfter(window.end()) ? window.end() : change.getInstant();
            addOpenings(new Window(start, end), rules.getOffset(start), openings);
            start = end;
        }
        return openings;
    }

    private void addOpenings(Window setting, ZoneOffset offset, List<Window> openings) {
        LocalDate first = LocalDateTime.ofInstant(setting.start(), offset).toLocalDate();
        LocalDate last = LocalDateTime.ofInstant(setting.end(), offset).toLocalDate();
        for (LocalDate date = first; !date.isAfter(last); date = date.plus(1, ChronoUnit.DAYS)) {
            Instant midnight = date.atStartOfDay().toInstant(offset);
            DayOfWeek day = date.getDayOfWeek();
            for (WeeklyHours open : hours) {
                if (open.day() == day) {
                    cut(midnight.plus(open.fromMidnight()), midnight.plus(open.toMidnight()), setting)
                            .ifPresent(openings::add);
                }
            }
        }
    }

    private static Optional<Window> cut(Instant from, Instant to, Window within) {
        Instant start = from.isAfter(within.start()) ? from : within.start();
        Instant end = to.isBefore(within.end()) ? to : within.end();
        return start.isBefore(end) ? Optional.of(new Window(start, end)) : Optional.empty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Availability that && toString().equals(that.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /** Returns the text form, which {@link #parse} reads. */
    @Override
    public String toString() {
        return zone == null
                ? ALWAYS_TEXT
                : zone.getId() + ": "
                        + hours.stream().map(WeeklyHours::toString).collect(Collectors.joining(", "));
    }
}
