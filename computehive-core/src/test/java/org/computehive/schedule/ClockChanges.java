package org.computehive.schedule;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Open hours around clock changes, with what the wall clock itself shows, minute by minute.
 *
 * <p>Run as a program it prints every answer, for a test to compare machines in different zones.
 */
final class ClockChanges {
    /**
     * Both hemispheres, offsets of 30 and 45 minutes, a change of 30 minutes (Lord Howe), winter time that is the exception
     * (Casablanca, El Aaiun, Dublin), a day skipped (Apia, Fakaofo) and zones that changed their rules.
     */
    static final List<String> ZONES = List.of(
            "Europe/Berlin",
            "Europe/London",
            "Europe/Dublin",
            "Europe/Lisbon",
            "Europe/Istanbul",
            "Europe/Moscow",
            "Europe/Chisinau",
            "Atlantic/Azores",
            "Africa/Casablanca",
            "Africa/El_Aaiun",
            "Africa/Cairo",
            "Asia/Beirut",
            "Asia/Jerusalem",
            "Asia/Gaza",
            "Asia/Tehran",
            "Asia/Kathmandu",
            "Asia/Kolkata",
            "Asia/Pyongyang",
            "Australia/Adelaide",
            "Australia/Lord_Howe",
            "Australia/Sydney",
            "Pacific/Chatham",
            "Pacific/Apia",
            "Pacific/Fakaofo",
            "America/New_York",
            "America/St_Johns",
            "America/Havana",
            "America/Caracas",
            "America/Santiago",
            "America/Sao_Paulo");

    /** How many availabilities there are for a change. */
    static final int FORMS = 6;

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss", Locale.ROOT);
    private static final Instant UNTIL = Instant.parse("2028-01-01T00:00:00Z");
    private static final Instant SINCE = Instant.parse("1973-01-01T00:00:00Z");

    private ClockChanges() {}

    /**
     * One availability around one change: the hours of every day that begin at a time and last some minutes.
     *
     * @param availability what is tested
     * @param zone its zone
     * @param start when the hours begin, on the wall clock
     * @param minutes how long they last on it
     * @param skipping whether a day whose start is skipped has no hours at all
     * @param window where to look
     */
    record Case(Availability availability, ZoneId zone, LocalTime start, int minutes, boolean skipping, Window window) {

        List<Window> openings() {
            return availability.openings(window);
        }

        /** Reads the wall clock at every minute. */
        List<Window> expected() {
            List<Window> minutesOpen = new ArrayList<>();
            for (Instant at = window.start(); at.isBefore(window.end()); at = at.plusSeconds(60)) {
                LocalDateTime shown = LocalDateTime.ofInstant(at, zone);
                if (open(shown.toLocalDate().atTime(start), shown)
                        || open(shown.toLocalDate().minusDays(1).atTime(start), shown)) {
                    minutesOpen.add(Window.of(at, Duration.ofMinutes(1)));
                }
            }
            return WallClock.joined(minutesOpen);
        }

        private boolean open(LocalDateTime begin, LocalDateTime shown) {
            boolean exists = !skipping || begin.atZone(zone).toLocalDateTime().equals(begin);
            return exists && !shown.isBefore(begin) && shown.isBefore(begin.plusMinutes(minutes));
        }
    }

    /**
     * Returns the cases of a zone's last changes by each length that its clocks were ever moved by.
     *
     * @param each how many changes of a length
     */
    static List<Case> of(String name, int each) {
        ZoneId zone = ZoneId.of(name);
        ZoneRules rules = zone.getRules();
        List<Case> cases = new ArrayList<>();
        Map<Duration, Integer> seen = new HashMap<>();
        ZoneOffsetTransition change = rules.previousTransition(UNTIL);
        while (change != null && change.getInstant().isAfter(SINCE)) {
            if (seen.merge(change.getDuration(), 1, Integer::sum) <= each) {
                cases.addAll(around(zone, change));
            }
            change = rules.previousTransition(change.getInstant());
        }
        return cases;
    }

    private static List<Case> around(ZoneId zone, ZoneOffsetTransition change) {
        // Two days on both sides, from a whole minute on.
        Instant middle = Instant.ofEpochSecond(change.getInstant().getEpochSecond() / 60 * 60);
        Window window = new Window(middle.minus(Duration.ofHours(50)), middle.plus(Duration.ofHours(50)));
        LocalTime at = change.getDateTimeBefore().toLocalTime();
        return List.of(
                dated(zone, at.plusMinutes(10), 15, window),
                dated(zone, at.minusMinutes(10), 30, window),
                dated(zone, at.minusMinutes(10), 600, window),
                dated(zone, LocalTime.of(22, 0), 480, window),
                dated(zone, LocalTime.MIDNIGHT, 1440, window),
                weekly(zone, window));
    }

    private static Case dated(ZoneId zone, LocalTime start, int minutes, Window window) {
        LocalDateTime first = LocalDateTime.ofInstant(window.start(), zone)
                .toLocalDate()
                .minusDays(300)
                .atTime(start);
        while (!first.atZone(zone).toLocalDateTime().equals(first)) {
            first = first.minusDays(1);
        }
        String file =
                "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nDTSTART;TZID=%s:%s\nDURATION:PT%dM\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR"
                        .formatted(zone, TIME.format(first), minutes);
        return new Case(Availability.icalendar(file), zone, start, minutes, true, window);
    }

    private static Case weekly(ZoneId zone, Window window) {
        LocalTime start = LocalTime.of(0, 30);
        List<WeeklyHours> hours = Stream.of(DayOfWeek.values())
                .map(day -> new WeeklyHours(day, start, LocalTime.of(3, 0)))
                .toList();
        return new Case(Availability.weekly(zone, hours), zone, start, 150, false, window);
    }

    /** Returns every answer to every case as text, read back from its text form as a store would. */
    static List<String> report() {
        List<String> lines = new ArrayList<>();
        for (String zone : ZONES) {
            for (Case it : of(zone, 1)) {
                Availability stored = Availability.parse(it.availability().toString());
                lines.add("%s %s %s %s %s"
                        .formatted(
                                it.availability().summary(),
                                it.openings(),
                                stored.openings(it.window()),
                                stored.preview(it.window().start(), 5),
                                it.openings().stream().allMatch(stored::covers)));
            }
        }
        return lines;
    }

    public static void main(String[] arguments) {
        System.out.println(java.util.TimeZone.getDefault().getID());
        report().forEach(System.out::println);
    }
}
