package org.computehive.schedule;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * When a lender's gpus may be rented: always, at weekly hours on the lender's own wall clock, or as an iCalendar file says.
 *
 * <p>An instant is available if the clock on the lender's wall, at that instant, shows a time within the hours. So where
 * a clock change skips a time, nothing is available in its place, and where it repeats a time, both passes are. The
 * machine's own time zone does not matter.
 *
 * <h2>What is read of an iCalendar file</h2>
 *
 * <ul>
 *   <li>{@code VEVENT}s, each of which gives open hours, or {@code VAVAILABILITY} with {@code AVAILABLE} (RFC 7953): of two
 *       with bounds that overlap, the one of higher {@code PRIORITY} holds; what lies outside of all bounds is closed.
 *   <li>{@code DTSTART} with {@code DTEND} or {@code DURATION}: both ends are times on the wall clock, so hours from 22:00
 *       to 06:00 are that in every night, however long the night is. RFC 5545 would keep the first night's exact length
 *       instead, on which calendars disagree.
 *   <li>{@code RRULE} with {@code FREQ} of {@code DAILY}, {@code WEEKLY}, {@code MONTHLY} or {@code YEARLY}, and
 *       {@code INTERVAL}, {@code COUNT}, {@code UNTIL}, {@code BYDAY}, {@code BYMONTHDAY}, {@code BYMONTH}, {@code WKST};
 *       {@code RDATE} and {@code EXDATE}. As RFC 5545, section 3.3.10, says, a recurrence whose start a clock change skips
 *       does not exist, neither for {@code COUNT}.
 *   <li>Times in UTC, or with a {@code TZID} of the IANA database, whose rules hold even if the file brings a
 *       {@code VTIMEZONE} of that name; times without a zone where the caller says which.
 * </ul>
 *
 * <p>Whatever else would change the hours is refused, with the reason: rules that implementations read differently
 * ({@code BYSETPOS}, {@code BYWEEKNO} and the like), a {@code DTSTART} that its own rule does not meet, an {@code EXDATE}
 * that excludes nothing, unknown zones, moved instances ({@code RECURRENCE-ID}).
 *
 * <p>No rule is expanded from its beginning: the cost depends on the window asked about, not on its distance.
 *
 * <p>The text form is {@code always}; or the zone and the hours in order, {@code Europe/Berlin: MON 09:00-17:00, SAT
 * 00:00-24:00}; or {@code ics:} or {@code ics(ZONE):} and an iCalendar file, with the zone of times that name none.
 * Immutable and thread-safe.
 */
public final class Availability {
    /** How many weekly hours there may be. */
    public static final int MAX_HOURS = 64;

    /** The longest window that can be asked about. */
    public static final Duration MAX_WINDOW = Duration.ofDays(366);

    /** How many openings a preview can show. */
    public static final int MAX_PREVIEW = 1_000;

    /** How far a preview looks ahead. */
    public static final Duration PREVIEW_HORIZON = Duration.ofDays(3_660);

    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant END = Instant.parse("+10000-01-01T00:00:00Z");
    private static final int MAX_TEXT = 2048;
    private static final int MAX_SUMMARY = 200;
    private static final String ALWAYS_TEXT = "always";
    private static final String CALENDAR_TEXT = "ics";
    private static final Availability ALWAYS = new Availability(new Always());
    private final Times times;

    private sealed interface Times {
        /** Returns what is open of a window, by start, joined where it touches. */
        List<Window> openings(Window window);
    }

    private record Always() implements Times {
        @Override
        public List<Window> openings(Window window) {
            return List.of(window);
        }

        @Override
        public String toString() {
            return ALWAYS_TEXT;
        }
    }

    private record Weekly(ZoneId zone, List<WeeklyHours> hours) implements Times, WallClock.Hours {
        @Override
        public List<Window> openings(Window window) {
            return WallClock.openings(zone, this, window);
        }

        @Override
        public List<WallClock.Stretch> near(WallClock.Stretch asked) {
            List<WallClock.Stretch> near = new ArrayList<>();
            LocalDate last = asked.end().toLocalDate();
            for (LocalDate date = asked.start().toLocalDate();
                    !date.isAfter(last);
                    date = date.plus(1, ChronoUnit.DAYS)) {
                LocalDateTime midnight = date.atStartOfDay();
                for (WeeklyHours open : hours) {
                    if (open.day() == date.getDayOfWeek()) {
                        near.add(new WallClock.Stretch(
                                midnight.plus(open.fromMidnight()), midnight.plus(open.toMidnight())));
                    }
                }
            }
            return near;
        }

        @Override
        public String toString() {
            return zone.getId() + ": "
                    + hours.stream().map(WeeklyHours::toString).collect(Collectors.joining(", "));
        }
    }

    private record Dated(Optional<ZoneId> floating, OpenCalendar calendar) implements Times {
        @Override
        public List<Window> openings(Window window) {
            return calendar.openings(window);
        }

        @Override
        public String toString() {
            return CALENDAR_TEXT
                    + floating.map(zone -> "(" + zone.getId() + ")").orElse("") + ":" + calendar.text();
        }
    }

    private Availability(Times times) {
        this.times = times;
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
        return new Availability(new Weekly(zone, sorted));
    }

    /**
     * Returns the open hours of an iCalendar file in which every time names its zone or is in UTC.
     *
     * @param file the file's text, at most 65,536 characters
     * @throws IllegalArgumentException if it is malformed, over a limit, or has no sure meaning; the message says which
     *     part, and what to write instead
     */
    public static Availability icalendar(String file) {
        return new Availability(new Dated(Optional.empty(), OpenCalendar.read(file, Optional.empty())));
    }

    /**
     * Returns the open hours of an iCalendar file.
     *
     * @param file the file's text, at most 65,536 characters
     * @param floating the zone of dates, and of times that name none; a name of the IANA database, or UTC
     * @throws IllegalArgumentException if it is malformed, over a limit, or has no sure meaning; the message says which
     *     part, and what to write instead
     */
    public static Availability icalendar(String file, ZoneId floating) {
        Optional<ZoneId> zone = Optional.of(
                floating.normalized().equals(ZoneOffset.UTC) ? ZoneOffset.UTC : HoursReader.zone(floating.getId()));
        OpenCalendar calendar = OpenCalendar.read(file, zone);
        return new Availability(new Dated(zone.filter(any -> calendar.hasDates()), calendar));
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
        if (text.startsWith(CALENDAR_TEXT + ":")) {
            return icalendar(text.substring(CALENDAR_TEXT.length() + 1));
        }
        int floating = text.indexOf("):");
        if (text.startsWith(CALENDAR_TEXT + "(") && floating > 0) {
            return icalendar(text.substring(floating + 2), zone(text.substring(CALENDAR_TEXT.length() + 1, floating)));
        }
        int colon = text.indexOf(": ");
        if (text.length() > MAX_TEXT || colon < 0) {
            throw new IllegalArgumentException(
                    "availability %s must be %s, or at most %d characters like Europe/Berlin: MON 09:00-17:00, TUE 09:00-24:00, or ics: and an iCalendar file"
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
        return times instanceof Always || openings(window).equals(List.of(window));
    }

    /**
     * Returns the available parts of a window: by start, and apart from each other.
     *
     * @throws IllegalArgumentException if the window is longer than {@link #MAX_WINDOW}, or its year is not 0 to 9999
     */
    public List<Window> openings(Window window) {
        if (window.length().compareTo(MAX_WINDOW) > 0) {
            throw new IllegalArgumentException(
                    "window %s is longer than %d days: ask for a shorter one".formatted(window, MAX_WINDOW.toDays()));
        }
        checkYear(window.start());
        checkYear(window.end());
        return times.openings(window);
    }

    /**
     * Returns the next openings, for a lender to see what was understood.
     *
     * @param from where to begin; an opening that has begun is cut there
     * @param count how many, 1 to {@value #MAX_PREVIEW}
     * @return as many, or fewer if {@link #PREVIEW_HORIZON} holds no more; one that reaches over the horizon is cut there
     * @throws IllegalArgumentException if the count or the year is out of range
     */
    public List<Window> preview(Instant from, int count) {
        if (count < 1 || count > MAX_PREVIEW) {
            throw new IllegalArgumentException("preview of %d is out of range: 1 to %d".formatted(count, MAX_PREVIEW));
        }
        checkYear(from);
        Instant horizon = Window.of(from, PREVIEW_HORIZON).end();
        Instant last = horizon.isBefore(END) ? horizon : END.minusSeconds(1);
        List<Window> found = List.of();
        Duration step = Duration.ofDays(32);
        Instant start = from;
        while (start.isBefore(last) && found.size() <= count) {
            Instant end = start.plus(step).isBefore(last) ? start.plus(step) : last;
            List<Window> all = new ArrayList<>(found);
            all.addAll(openings(new Window(start, end)));
            found = WallClock.joined(all);
            start = end;
            step = step.multipliedBy(2).compareTo(MAX_WINDOW) < 0 ? step.multipliedBy(2) : MAX_WINDOW;
        }
        return found.stream().limit(count).toList();
    }

    private static void checkYear(Instant instant) {
        if (instant.isBefore(FIRST) || !instant.isBefore(END)) {
            throw new IllegalArgumentException("%s is out of range: years 0 to 9999".formatted(instant));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Availability that && toString().equals(that.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /** Returns the text form on one line and cut to be read in a message. */
    public String summary() {
        String line = toString().replace('\n', ' ');
        return line.length() <= MAX_SUMMARY ? line : line.substring(0, MAX_SUMMARY) + "…";
    }

    /** Returns the text form, which {@link #parse} reads. */
    @Override
    public String toString() {
        return times.toString();
    }
}
