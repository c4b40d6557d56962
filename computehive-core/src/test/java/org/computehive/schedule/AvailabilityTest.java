package org.computehive.schedule;

import static java.time.DayOfWeek.FRIDAY;
import static java.time.DayOfWeek.MONDAY;
import static java.time.DayOfWeek.SATURDAY;
import static java.time.DayOfWeek.SUNDAY;
import static java.time.DayOfWeek.TUESDAY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;

class AvailabilityTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    private static WeeklyHours hours(DayOfWeek day, String from, String to) {
        return new WeeklyHours(day, LocalTime.parse(from), LocalTime.parse(to));
    }

    private static Window window(String start, String end) {
        return new Window(Instant.parse(start), Instant.parse(end));
    }

    @Test
    void always_coversEveryWindow() {
        assertTrue(Availability.always().covers(window("2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z")));
    }

    @Test
    void weekly_coversWindowsWithinItsHours_onTheLendersClock() {
        Availability office = Availability.weekly(BERLIN, List.of(hours(MONDAY, "09:00", "17:00")));
        // 2026-11-23 is a Monday; Berlin is an hour before UTC in winter.
        assertTrue(office.covers(window("2026-11-23T08:00:00Z", "2026-11-23T16:00:00Z")));
        assertFalse(office.covers(window("2026-11-23T07:59:59Z", "2026-11-23T16:00:00Z")));
        assertFalse(office.covers(window("2026-11-23T08:00:00Z", "2026-11-23T16:00:01Z")));
        assertFalse(office.covers(window("2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z")));
        // 2026-07-06 is a Monday too; in summer the same wall clock is an hour earlier.
        assertTrue(office.covers(window("2026-07-06T07:00:00Z", "2026-07-06T15:00:00Z")));
        assertFalse(office.covers(window("2026-07-06T07:00:00Z", "2026-07-06T16:00:00Z")));
    }

    @Test
    void weekly_hoursThatTouch_areOneStretch() {
        Availability overnight = Availability.weekly(
                BERLIN,
                List.of(
                        hours(MONDAY, "22:00", "00:00"),
                        hours(TUESDAY, "00:00", "04:00"),
                        hours(TUESDAY, "04:00", "06:00")));
        assertTrue(overnight.covers(window("2026-11-23T21:00:00Z", "2026-11-24T05:00:00Z")));
        assertFalse(overnight.covers(window("2026-11-23T21:00:00Z", "2026-11-24T05:00:01Z")));
    }

    @Test
    void weekly_allWeek_coversAYearWithBothClockChanges() {
        List<WeeklyHours> all = new ArrayList<>();
        for (DayOfWeek day : DayOfWeek.values()) {
            all.add(hours(day, "00:00", "00:00"));
        }
        Availability whole = Availability.weekly(BERLIN, all);
        assertTrue(whole.covers(Window.of(Instant.parse("2026-01-01T00:00:00Z"), Availability.MAX_WINDOW)));
        assertThrows(
                IllegalArgumentException.class,
                () -> whole.covers(
                        Window.of(Instant.parse("2026-01-01T00:00:00Z"), Availability.MAX_WINDOW.plusSeconds(1))));
        assertThrows(
                IllegalArgumentException.class,
                () -> whole.covers(new Window(Instant.MAX.minusSeconds(1), Instant.MAX)));
    }

    @Test
    void weekly_inTheSkippedHour_isNotMovedElsewhere() {
        // On Sunday 2026-03-29 Berlin's clocks go from 02:00 to 03:00, at 01:00 UTC.
        Availability skipped = Availability.weekly(BERLIN, List.of(hours(SUNDAY, "02:00", "03:00")));
        assertFalse(skipped.covers(window("2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z")));
        assertFalse(skipped.covers(window("2026-03-29T01:00:00Z", "2026-03-29T01:01:00Z")));
        Availability night = Availability.weekly(BERLIN, List.of(hours(SUNDAY, "01:00", "02:30")));
        assertTrue(night.covers(window("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")));
        assertFalse(night.covers(window("2026-03-29T00:00:00Z", "2026-03-29T01:00:01Z")));
        Availability across = Availability.weekly(BERLIN, List.of(hours(SUNDAY, "01:00", "04:00")));
        assertTrue(across.covers(window("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z")));
        assertFalse(across.covers(window("2026-03-29T00:00:00Z", "2026-03-29T02:00:01Z")));
    }

    @Test
    void weekly_inTheRepeatedHour_isAvailableBothTimes() {
        // On Sunday 2026-10-25 Berlin's clocks go from 03:00 back to 02:00, at 01:00 UTC.
        Availability repeated = Availability.weekly(BERLIN, List.of(hours(SUNDAY, "02:30", "03:00")));
        assertTrue(repeated.covers(window("2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z")));
        assertTrue(repeated.covers(window("2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z")));
        assertFalse(repeated.covers(window("2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z")));
        Availability night = Availability.weekly(BERLIN, List.of(hours(SUNDAY, "00:00", "06:00")));
        assertEquals(
                Duration.ofHours(7),
                window("2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z").length());
        assertTrue(night.covers(window("2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z")));
        assertFalse(night.covers(window("2026-10-24T22:00:00Z", "2026-10-25T05:00:01Z")));
    }

    @Test
    void covers_randomWindows_isWhatTheWallClockShowsMinuteByMinute() {
        long seed = Long.getLong("computehive.seed", 1);
        Random random = new Random(seed);
        List<String> zones =
                List.of("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia");
        for (int round = 0; round < 150; round++) {
            ZoneId zone = ZoneId.of(zones.get(random.nextInt(zones.size())));
            List<WeeklyHours> hours = new ArrayList<>();
            for (DayOfWeek day : DayOfWeek.values()) {
                int from = random.nextInt(4);
                int to = 20 + random.nextInt(5);
                hours.add(new WeeklyHours(day, LocalTime.of(from, 0), LocalTime.of(to % 24, 0)));
            }
            Collections.shuffle(hours, random);
            Availability availability = Availability.weekly(zone, hours);
            // Around changes of every one of these zones, Apia's lost day of 2011 included.
            List<String> around =
                    List.of("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2011-12-30");
            Instant base = Instant.parse(around.get(random.nextInt(around.size())) + "T00:00:00Z");
            Window window = Window.of(
                    base.plus(Duration.ofMinutes(random.nextInt(2880) - 1440)),
                    Duration.ofMinutes(1 + random.nextInt(1500)));
            boolean expected = true;
            for (Instant at = window.start(); at.isBefore(window.end()); at = at.plusSeconds(60)) {
                ZonedDateTime wall = at.atZone(zone);
                expected &= hours.stream().anyMatch(it -> shows(it, wall));
            }
            assertEquals(expected, availability.covers(window), availability + " " + window + " seed " + seed);
        }
    }

    private static boolean shows(WeeklyHours hours, ZonedDateTime wall) {
        LocalTime time = wall.toLocalTime();
        return hours.day() == wall.getDayOfWeek()
                && !time.isBefore(hours.from())
                && (hours.to().equals(LocalTime.MIDNIGHT) || time.isBefore(hours.to()));
    }

    @Test
    void covers_inAnotherDefaultTimeZone_isTheSame() {
        Availability office = Availability.parse("Europe/Berlin: MON 09:00-17:00");
        TimeZone before = TimeZone.getDefault();
        try {
            for (String zone : List.of("UTC", "Pacific/Kiritimati", "America/Los_Angeles")) {
                TimeZone.setDefault(TimeZone.getTimeZone(zone));
                assertTrue(office.covers(window("2026-11-23T08:00:00Z", "2026-11-23T16:00:00Z")));
                assertFalse(office.covers(window("2026-11-23T07:00:00Z", "2026-11-23T16:00:00Z")));
            }
        } finally {
            TimeZone.setDefault(before);
        }
    }

    @Test
    void text_isStableAndReadsBack() {
        assertEquals(Availability.always(), Availability.parse("always"));
        Availability weekly = Availability.weekly(
                BERLIN,
                List.of(
                        hours(SATURDAY, "00:00", "00:00"),
                        hours(MONDAY, "13:00", "17:30"),
                        hours(MONDAY, "09:00", "12:00")));
        String text = "Europe/Berlin: MON 09:00-12:00, MON 13:00-17:30, SAT 00:00-24:00";
        assertEquals(text, weekly.toString());
        assertEquals(weekly, Availability.parse(text));
        assertEquals(weekly.hashCode(), Availability.parse(text).hashCode());
        assertNotEquals(weekly, Availability.always());
        assertEquals(
                "+05:30: FRI 10:00-11:00",
                Availability.parse("+05:30: FRI 10:00-11:00").toString());
    }

    @Test
    void text_thatIsMalformed_isRefused() {
        for (String bad : List.of(
                "",
                "Always",
                "never",
                "Europe/Berlin",
                "Europe/Berlin: ",
                "Mars/Olympus: MON 09:00-17:00",
                "Europe/Berlin: MON 9:00-17:00",
                "Europe/Berlin: MON 09:00-17:00,TUE 09:00-17:00",
                "Europe/Berlin: MON 09:00-17:00, ",
                "Europe/Berlin: MON 17:00-09:00",
                "Europe/Berlin: MON 09:00-09:00",
                "Europe/Berlin: MON 09:00-00:00",
                "Europe/Berlin: MON 24:00-24:00",
                "Europe/Berlin: MON 09:00-25:00",
                "Europe/Berlin: MON 09:00-12:00, MON 11:00-13:00",
                "Europe/Berlin: MON 09:00-24:00, MON 10:00-11:00",
                "Europe/Berlin: FOO 09:00-17:00",
                "x".repeat(100_000))) {
            assertThrows(IllegalArgumentException.class, () -> Availability.parse(bad), bad);
        }
    }

    @Test
    void weekly_withNoneOrTooManyOrSplitMinutes_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> Availability.weekly(BERLIN, List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> Availability.weekly(BERLIN, Collections.nCopies(65, hours(FRIDAY, "09:00", "10:00"))));
        assertThrows(IllegalArgumentException.class, () -> hours(FRIDAY, "09:00:01", "10:00"));
    }
}
