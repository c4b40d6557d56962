package org.computehive.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CalendarAvailabilityTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    /** A file with one event, its lines divided by {@code |}. */
    private static String event(String lines) {
        return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
                + lines.replace("|", "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    }

    private static String calendar(String lines) {
        return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + lines.replace("|", "\r\n") + "\r\nEND:VCALENDAR\r\n";
    }

    private static Window window(String start, String end) {
        return new Window(Instant.parse(start), Instant.parse(end));
    }

    private static List<Window> next(String lines, String from, int count) {
        return Availability.icalendar(event(lines), BERLIN).preview(Instant.parse(from), count);
    }

    @Test
    void weeklyOffice_keepsTheWallClockInSummerAndWinter() {
        Availability office = Availability.icalendar(
                event(
                        "DTSTART;TZID=Europe/Berlin:20261023T090000|DTEND;TZID=Europe/Berlin:20261023T170000|RRULE:FREQ=WEEKLY;BYDAY=MO,FR"));
        assertEquals(
                List.of(
                        window("2026-10-23T07:00:00Z", "2026-10-23T15:00:00Z"),
                        window("2026-10-26T08:00:00Z", "2026-10-26T16:00:00Z"),
                        window("2026-10-30T08:00:00Z", "2026-10-30T16:00:00Z")),
                office.preview(Instant.parse("2026-01-01T00:00:00Z"), 3));
        assertTrue(office.covers(window("2026-10-26T08:00:00Z", "2026-10-26T16:00:00Z")));
        assertFalse(office.covers(window("2026-10-26T07:59:59Z", "2026-10-26T16:00:00Z")));
    }

    @Test
    void night_isOnTheWallClockAtBothEnds_howeverLongItIs() {
        String night = "DTSTART;TZID=Europe/Berlin:20260101T220000|%s|RRULE:FREQ=DAILY";
        for (String end : List.of("DTEND;TZID=Europe/Berlin:20260102T060000", "DURATION:PT8H")) {
            assertEquals(
                    List.of(window("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z")),
                    next(night.formatted(end), "2026-03-28T20:00:00Z", 1));
            assertEquals(
                    List.of(window("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z")),
                    next(night.formatted(end), "2026-10-24T19:00:00Z", 1));
        }
    }

    @Test
    void recurrence_whoseStartIsSkipped_doesNotExistAndIsNotCounted() {
        // Clocks go from 02:00 to 03:00 on 2026-03-29.
        String rule = "DTSTART;TZID=Europe/Berlin:20260328T023000|DURATION:PT2H|RRULE:FREQ=DAILY;COUNT=2";
        assertEquals(
                List.of(
                        window("2026-03-28T01:30:00Z", "2026-03-28T03:30:00Z"),
                        window("2026-03-30T00:30:00Z", "2026-03-30T02:30:00Z")),
                next(rule, "2026-03-01T00:00:00Z", 5));
    }

    @Test
    void end_thatIsSkipped_isWhereTheClockSkipsIt() {
        String rule = "DTSTART;TZID=Europe/Berlin:20260328T010000|DURATION:PT1H30M|RRULE:FREQ=DAILY";
        assertEquals(
                List.of(window("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")), next(rule, "2026-03-28T12:00:00Z", 1));
    }

    @Test
    void repeatedTime_isOpenBothTimes() {
        String rule = "DTSTART;TZID=Europe/Berlin:20261024T023000|DURATION:PT30M|RRULE:FREQ=DAILY";
        assertEquals(
                List.of(
                        window("2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
                        window("2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z")),
                next(rule, "2026-10-24T12:00:00Z", 2));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FREQ=MONTHLY;BYDAY=1MO | 20260105 | 2026-01-05 2026-02-02 2026-03-02",
                "FREQ=MONTHLY;BYDAY=-1FR | 20260130 | 2026-01-30 2026-02-27 2026-03-27",
                "FREQ=MONTHLY | 20260131 | 2026-01-31 2026-03-31 2026-05-31",
                "FREQ=MONTHLY;BYMONTHDAY=-1 | 20260131 | 2026-01-31 2026-02-28 2026-03-31",
                "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13 | 20260213 | 2026-02-13 2026-03-13 2026-11-13",
                "FREQ=YEARLY | 20240229 | 2024-02-29 2028-02-29 2032-02-29",
                "FREQ=YEARLY;BYDAY=20MO | 19970519 | 1997-05-19 1998-05-18 1999-05-17",
                "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU | 20260329 | 2026-03-29 2027-03-28 2028-03-26",
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO | 19970805 | 1997-08-05 1997-08-10 1997-08-19 1997-08-24",
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU | 19970805 | 1997-08-05 1997-08-17 1997-08-19 1997-08-31",
                "FREQ=DAILY;INTERVAL=10;COUNT=3 | 19970902 | 1997-09-02 1997-09-12 1997-09-22",
                "FREQ=DAILY;UNTIL=20260103T090000Z | 20260101 | 2026-01-01 2026-01-02 2026-01-03",
                "FREQ=DAILY;UNTIL=20260103T085959Z | 20260101 | 2026-01-01 2026-01-02",
            })
    void rules_ofTheRfcAndAround_recurOnTheseDates(String rule, String first, String dates) {
        Availability hours =
                Availability.icalendar(event("DTSTART:%sT090000Z|DURATION:PT1H|RRULE:%s".formatted(first, rule)));
        List<String> expected = List.of(dates.split(" "));
        boolean endless = !rule.contains("COUNT") && !rule.contains("UNTIL");
        Instant from = Instant.parse(expected.getFirst() + "T00:00:00Z");
        List<String> starts = hours.preview(from, expected.size() + (endless ? 0 : 1)).stream()
                .map(it -> it.start().toString().substring(0, 10))
                .toList();
        assertEquals(expected, starts);
    }

    @Test
    void furtherAndExcludedDates_areAddedAndLeftOut() {
        assertEquals(
                List.of(
                        window("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"),
                        window("2026-11-24T19:00:00Z", "2026-11-24T20:00:00Z"),
                        window("2026-11-25T08:00:00Z", "2026-11-25T09:00:00Z")),
                next(
                        "DTSTART;TZID=Europe/Berlin:20261123T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3"
                                + "|EXDATE:20261124T080000Z|RDATE;TZID=Europe/Berlin:20261124T200000",
                        "2026-01-01T00:00:00Z",
                        9));
    }

    @Test
    void wholeDays_areFromMidnightToMidnightInTheGivenZone() {
        String days = "DTSTART;VALUE=DATE:20260329|DTEND;VALUE=DATE:20260330|RRULE:FREQ=YEARLY;UNTIL=20270329";
        assertEquals(
                List.of(
                        window("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
                        window("2027-03-28T22:00:00Z", "2027-03-29T22:00:00Z")),
                next(days, "2026-01-01T00:00:00Z", 5));
        // Without an end it is one day. Cairo's clocks skip the hour after midnight on 2026-04-24.
        assertEquals(
                List.of(window("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z")),
                Availability.icalendar(event("DTSTART;VALUE=DATE:20260424"), ZoneId.of("Africa/Cairo"))
                        .preview(Instant.parse("2026-01-01T00:00:00Z"), 2));
    }

    @Test
    void floatingTimes_areInTheGivenZone_andStoredWithIt() {
        String floating = "DTSTART:20260105T090000|DTEND:20260105T100000|RRULE:FREQ=WEEKLY;UNTIL=20260112T090000";
        Availability hours = Availability.icalendar(event(floating), BERLIN);
        assertEquals(
                List.of(
                        window("2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z"),
                        window("2026-01-12T08:00:00Z", "2026-01-12T09:00:00Z")),
                hours.preview(Instant.parse("2026-01-01T00:00:00Z"), 5));
        assertTrue(hours.toString().startsWith("ics:BEGIN:VCALENDAR\n"), hours.toString());
        assertEquals(hours, Availability.parse(hours.toString()));
    }

    @Test
    void severalEvents_areOneAvailability_joinedWhereTheyTouch() {
        Availability hours =
                Availability.icalendar(calendar("BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VEVENT|"
                        + "BEGIN:VEVENT|DTSTART:20260105T110000Z|DURATION:PT1H|END:VEVENT|"
                        + "BEGIN:VEVENT|DTSTART:20260105T100000Z|DURATION:PT30M|END:VEVENT|"
                        + "BEGIN:VEVENT|DTSTART:20260106T100000Z|DURATION:PT30M|STATUS:CANCELLED|END:VEVENT"));
        Window whole = window("2026-01-05T09:00:00Z", "2026-01-05T12:00:00Z");
        assertEquals(List.of(whole), hours.preview(Instant.parse("2026-01-01T00:00:00Z"), 5));
        assertTrue(hours.covers(whole));
        assertFalse(hours.covers(whole.extendedBy(Duration.ofSeconds(1))));
    }

    @Test
    void vavailability_isOpenOnlyWithinItsBounds_andTheHigherPriorityHolds() {
        Availability hours = Availability.icalendar(calendar(
                "BEGIN:VTIMEZONE|TZID:Europe/Berlin|BEGIN:STANDARD|DTSTART:19700101T000000|TZOFFSETFROM:+0900|TZOFFSETTO:+0900|END:STANDARD|END:VTIMEZONE|"
                        + "BEGIN:VAVAILABILITY|PRIORITY:9|BUSYTYPE:BUSY-UNAVAILABLE|DTSTART;TZID=Europe/Berlin:20261123T120000|"
                        + "BEGIN:AVAILABLE|DTSTART;TZID=Europe/Berlin:20261123T090000|DTEND;TZID=Europe/Berlin:20261123T170000|RRULE:FREQ=DAILY|END:AVAILABLE|"
                        + "END:VAVAILABILITY|"
                        + "BEGIN:VAVAILABILITY|PRIORITY:1|DTSTART;TZID=Europe/Berlin:20261124T100000|DTEND;TZID=Europe/Berlin:20261125T160000|"
                        + "BEGIN:AVAILABLE|DTSTART;TZID=Europe/Berlin:20261125T000000|DURATION:PT30M|END:AVAILABLE|"
                        + "END:VAVAILABILITY"));
        assertEquals(
                List.of(
                        window("2026-11-23T11:00:00Z", "2026-11-23T16:00:00Z"),
                        window("2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"),
                        window("2026-11-24T23:00:00Z", "2026-11-24T23:30:00Z"),
                        window("2026-11-25T15:00:00Z", "2026-11-25T16:00:00Z"),
                        window("2026-11-26T08:00:00Z", "2026-11-26T16:00:00Z")),
                hours.preview(Instant.parse("2026-01-01T00:00:00Z"), 5));
        assertEquals(hours, Availability.parse(hours.toString()));
    }

    @Test
    void text_readsBackTheSame_andCarriesNothingOfPeople() {
        for (String lines : List.of(
                "SUMMARY:Jane's flat is empty|DTSTART;TZID=\"Europe/Berlin\":20261123T090000|DURATION:P1W|RRULE:freq=yearly;COUNT=3",
                "DTSTART:20261123T090000|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=20301231T090000|EXDATE:20261124T090000,20261125T090000|RDATE:20261123T120000",
                "DTSTART;VALUE=DATE:20261123|RRULE:FREQ=MONTHLY;UNTIL=20301123|EXDATE;VALUE=DATE:20261223",
                "DTSTART:20261123T090000Z|DTEND:20261123T100000Z")) {
            Availability hours = Availability.icalendar(event(lines), BERLIN);
            Availability again = Availability.parse(hours.toString());
            assertEquals(hours, again);
            assertEquals(hours.toString(), again.toString());
            assertEquals(
                    hours.preview(Instant.EPOCH.plus(Duration.ofDays(20_454)), 40),
                    again.preview(Instant.EPOCH.plus(Duration.ofDays(20_454)), 40));
            assertFalse(hours.toString().contains("Jane"));
            assertTrue(hours.summary().length() <= 201 && !hours.summary().contains("\n"));
        }
        assertEquals(
                "ics(Europe/Berlin):BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261123\nDTEND;VALUE=DATE:20261124\nEND:VEVENT\nEND:VCALENDAR",
                Availability.icalendar(event("DTSTART;VALUE=DATE:20261123"), BERLIN)
                        .toString());
    }

    @Test
    void foldedLines_areJoined() {
        assertEquals(
                Availability.icalendar(event("DTSTART:20261123T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY")),
                Availability.icalendar(event("DTSTART:2026112|\t3T090000Z|DURATION:P| T1H|RRU| LE:FREQ=DAILY")));
    }

    @Test
    void ruleFrom1970_askedAbout9000_answersAtOnce() {
        Availability old = Availability.icalendar(
                event("DTSTART;TZID=Europe/Berlin:19700101T090000|DURATION:PT1H|RRULE:FREQ=DAILY"));
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            assertTrue(old.covers(window("9000-07-01T07:00:00Z", "9000-07-01T08:00:00Z")));
            assertEquals(
                    366,
                    old.openings(Window.of(Instant.parse("9000-01-01T00:00:00Z"), Availability.MAX_WINDOW))
                            .size());
            assertEquals(List.of(), old.preview(Instant.parse("9999-12-31T23:59:00Z"), 10));
        });
        Availability rare =
                Availability.icalendar(event("DTSTART:19720229T090000Z|DURATION:PT1H|RRULE:FREQ=YEARLY;INTERVAL=1000"));
        assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertEquals(List.of(), rare.preview(Instant.parse("2026-01-01T00:00:00Z"), 1)));
    }

    @Test
    void largestFile_isReadAndAskedQuickly() {
        String events = IntStream.range(0, OpenCalendar.MAX_HOURS)
                .mapToObj(i ->
                        "BEGIN:VEVENT|DTSTART;TZID=America/Argentina/ComodRivadavia:20260101T00%02d00|DURATION:P366D|RRULE:FREQ=DAILY;COUNT=10000|END:VEVENT|"
                                .formatted(i % 60))
                .collect(java.util.stream.Collectors.joining());
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            Availability hours = Availability.icalendar(calendar(events.substring(0, events.length() - 1)));
            assertTrue(hours.covers(Window.of(Instant.parse("2027-01-01T03:59:00Z"), Availability.MAX_WINDOW)));
            assertEquals(
                    1, hours.preview(Instant.parse("2026-01-01T00:00:00Z"), 3).size());
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "FREQ=SECONDLY",
                "FREQ=MINUTELY",
                "FREQ=HOURLY",
                "FREQ=FORTNIGHTLY",
                "INTERVAL=2",
                "FREQ=DAILY;INTERVAL=0",
                "FREQ=DAILY;INTERVAL=-1",
                "FREQ=DAILY;INTERVAL=1001",
                "FREQ=DAILY;INTERVAL=99999999999999999999",
                "FREQ=DAILY;COUNT=0",
                "FREQ=DAILY;COUNT=10001",
                "FREQ=YEARLY;COUNT=101",
                "FREQ=DAILY;COUNT=2;UNTIL=20301231T000000Z",
                "FREQ=DAILY;UNTIL=20301231",
                "FREQ=DAILY;UNTIL=20301231T000000",
                "FREQ=DAILY;UNTIL=20261231T240000Z",
                "FREQ=DAILY;UNTIL=20260101T000000Z",
                "FREQ=DAILY;UNTIL=never",
                "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1",
                "FREQ=YEARLY;BYWEEKNO=48",
                "FREQ=YEARLY;BYYEARDAY=327",
                "FREQ=DAILY;BYHOUR=9",
                "FREQ=DAILY;BYMINUTE=0",
                "FREQ=DAILY;BYSECOND=0",
                "FREQ=YEARLY;RSCALE=CHINESE",
                "FREQ=YEARLY;SKIP=OMIT",
                "FREQ=DAILY;X-EVERY=2",
                "FREQ=DAILY;FREQ=DAILY",
                "FREQ=DAILY;",
                "FREQ=DAILY;BYDAY",
                "FREQ=DAILY;BYDAY=",
                "FREQ=DAILY;BYDAY=1MO",
                "FREQ=WEEKLY;BYDAY=1MO",
                "FREQ=MONTHLY;BYDAY=0MO",
                "FREQ=MONTHLY;BYDAY=6MO",
                "FREQ=YEARLY;BYDAY=54MO",
                "FREQ=YEARLY;BYMONTH=11;BYDAY=6MO",
                "FREQ=WEEKLY;BYDAY=MON",
                "FREQ=WEEKLY;BYDAY=MO,",
                "FREQ=WEEKLY;BYMONTHDAY=23",
                "FREQ=YEARLY;BYMONTHDAY=23",
                "FREQ=DAILY;BYMONTHDAY=-8",
                "FREQ=MONTHLY;BYDAY=4MO;BYMONTHDAY=23",
                "FREQ=MONTHLY;BYMONTHDAY=0",
                "FREQ=MONTHLY;BYMONTHDAY=32",
                "FREQ=MONTHLY;BYMONTHDAY=23,",
                "FREQ=YEARLY;BYMONTH=13",
                "FREQ=YEARLY;BYMONTH=0",
                "FREQ=YEARLY;BYMONTH=11L",
                "FREQ=WEEKLY;WKST=1MO",
                "FREQ=WEEKLY;WKST=XX",
                "FREQ=WEEKLY;BYDAY=TU", // DTSTART is a Monday
                "FREQ=MONTHLY;BYMONTHDAY=24",
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", // never recurs
                "",
            })
    void rule_thatHasNoSureMeaning_isRefusedWithTheReason(String rule) {
        String file = event("DTSTART;TZID=Europe/Berlin:20261123T090000|DURATION:PT1H|RRULE:" + rule);
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> Availability.icalendar(file, BERLIN));
        String message = refused.getMessage();
        assertTrue(message.contains("RRULE") || message.contains("UNTIL"), message);
        assertTrue(message.length() < 400 && message.contains(":"), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DURATION:PT1H",
                "DTSTART:20261123T090000",
                "DTSTART:20261123T090000Z",
                "DTSTART:20261123T090000Z|DTSTART:20261123T090000Z|DURATION:PT1H",
                "DTSTART:20261123T090000Z|DTEND:20261123T090000Z",
                "DTSTART:20261123T090000Z|DTEND:20261123T080000Z",
                "DTSTART:20261123T090000Z|DTEND:20281123T080000Z",
                "DTSTART:20261123T090000Z|DTEND:20261123T100000Z|DURATION:PT1H",
                "DTSTART:20261123T090000Z|DTEND;TZID=Europe/Berlin:20261123T110000",
                "DTSTART;TZID=Europe/Paris:20261123T090000|DTEND;TZID=Europe/Berlin:20261123T110000",
                "DTSTART;VALUE=DATE:20261123|DTEND:20261124T000000Z",
                "DTSTART;VALUE=DATE:20261123|DURATION:PT1H",
                "DTSTART;VALUE=DATE;TZID=Europe/Berlin:20261123",
                "DTSTART;VALUE=PERIOD:20261123T090000Z/PT1H|DURATION:PT1H",
                "DTSTART;TZID=Europe/Berlin:20261123T090000Z|DURATION:PT1H",
                "DTSTART;TZID=W. Europe Standard Time:20261123T090000|DURATION:PT1H",
                "DTSTART;TZID=/example.org/Europe/Berlin:20261123T090000|DURATION:PT1H",
                "DTSTART;TZID=Mars/Olympus:20261123T090000|DURATION:PT1H",
                "DTSTART;TZID=+02:00:20261123T090000|DURATION:PT1H",
                "DTSTART;TZID=:20261123T090000|DURATION:PT1H",
                "DTSTART;TZID=Europe/Berlin:20260329T023000|DURATION:PT1H", // skipped
                "DTSTART;TZID=Europe/Berlin:20260329T013000|DTEND;TZID=Europe/Berlin:20260329T023000", // skipped
                "DTSTART:20260229T090000Z|DURATION:PT1H",
                "DTSTART:20261123T250000Z|DURATION:PT1H",
                "DTSTART:2026-11-23T09:00:00Z|DURATION:PT1H",
                "DTSTART:99991231T230000Z|DURATION:P2D",
                "DTSTART:20261123T090000Z|DURATION:-PT1H",
                "DTSTART:20261123T090000Z|DURATION:PT",
                "DTSTART:20261123T090000Z|DURATION:P",
                "DTSTART:20261123T090000Z|DURATION:P1Y",
                "DTSTART:20261123T090000Z|DURATION:P400D",
                "DTSTART:20261123T090000Z|DURATION:PT0S",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY",
                "DTSTART:20261123T090000Z|DURATION:PT1H|EXRULE:FREQ=WEEKLY",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RECURRENCE-ID:20261123T090000Z",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY|EXDATE:20261124T100000Z",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY|EXDATE;VALUE=DATE:20261124",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|EXDATE:20261125T090000Z",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY|EXDATE:",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RDATE:20261122T090000Z",
                "DTSTART:20261123T090000Z|DURATION:PT1H|RDATE;VALUE=PERIOD:20261124T090000Z/PT1H",
                "DTSTART;TZID=Europe/Berlin:20260101T023000|DURATION:PT1H|RDATE;TZID=Europe/Berlin:20260329T023000",
                "DTSTART:20261123T090000Z|DURATION:PT1H|STATUS:TENTATIVE",
                "DTSTART:20261123T090000Z|DURATION:PT1H|no colon",
                "DTSTART;;:20261123T090000Z|DURATION:PT1H",
                "DTSTART;TZID=UTC;TZID=UTC:20261123T090000|DURATION:PT1H",
            })
    void event_thatHasNoSureMeaning_isRefused(String lines) {
        String message = assertThrows(IllegalArgumentException.class, () -> Availability.icalendar(event(lines)), lines)
                .getMessage();
        assertTrue(message.contains(":") && message.length() < 400, message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "METHOD:CANCEL|BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VEVENT",
                "CALSCALE:CHINESE|BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VEVENT",
                "BEGIN:VFREEBUSY|FREEBUSY:20260105T090000Z/PT1H|END:VFREEBUSY",
                "BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VTODO",
                "BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H",
                "END:VCALENDAR|END:VCALENDAR",
                "BEGIN:VAVAILABILITY|END:VAVAILABILITY",
                "BEGIN:VAVAILABILITY|BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VEVENT|END:VAVAILABILITY",
                "BEGIN:VAVAILABILITY|BEGIN:AVAILABLE|DTSTART;VALUE=DATE:20260105|END:AVAILABLE|END:VAVAILABILITY",
                "BEGIN:VAVAILABILITY|PRIORITY:10|BEGIN:AVAILABLE|DTSTART:20260105T090000Z|DURATION:PT2H|END:AVAILABLE|END:VAVAILABILITY",
                "BEGIN:VAVAILABILITY|BUSYTYPE:FREE|BEGIN:AVAILABLE|DTSTART:20260105T090000Z|DURATION:PT2H|END:AVAILABLE|END:VAVAILABILITY",
                "BEGIN:VAVAILABILITY|DTSTART:20260105T090000Z|DTEND:20260105T090000Z|BEGIN:AVAILABLE|DTSTART:20260105T090000Z|DURATION:PT2H|END:AVAILABLE|END:VAVAILABILITY",
                "BEGIN:VAVAILABILITY|BEGIN:AVAILABLE|DTSTART:20260105T090000Z|DURATION:PT2H|END:AVAILABLE|END:VAVAILABILITY|"
                        + "BEGIN:VAVAILABILITY|BEGIN:AVAILABLE|DTSTART:20260105T090000Z|DURATION:PT2H|END:AVAILABLE|END:VAVAILABILITY",
                "BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VEVENT|BEGIN:VAVAILABILITY|END:VAVAILABILITY",
            })
    void file_thatHasNoSureMeaning_isRefused(String lines) {
        assertThrows(IllegalArgumentException.class, () -> Availability.icalendar(calendar(lines)), lines);
    }

    @Test
    void file_overALimit_isRefusedQuickly() {
        String event = "BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|END:VEVENT|";
        String dates = "BEGIN:VEVENT|DTSTART:20260105T090000Z|DURATION:PT2H|RDATE:%s|END:VEVENT"
                .formatted(String.join(",", java.util.Collections.nCopies(1_001, "20260106T090000Z")));
        for (String file : List.of(
                calendar(event.repeat(65) + "X:y"),
                calendar(dates),
                calendar("BEGIN:X|".repeat(200)),
                calendar("X:y|".repeat(5_000)),
                "\n ".repeat(30_000),
                "BEGIN:VCALENDAR" + " ".repeat(100_000),
                "x".repeat(10_000_000))) {
            assertTimeoutPreemptively(
                    Duration.ofSeconds(20),
                    () -> assertThrows(IllegalArgumentException.class, () -> Availability.icalendar(file)));
            assertThrows(IllegalArgumentException.class, () -> Availability.parse("ics:" + file));
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> Availability.icalendar(calendar(event + "X:y"), ZoneId.of("+02:00")));
        assertThrows(
                IllegalArgumentException.class, () -> Availability.parse("ics(Nowhere):" + calendar(event + "X:y")));
    }

    @Test
    void mutatedFiles_areReadAndReadBackTheSame_orRefusedAsBadInput() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        List<String> files = List.of(
                event(
                        "DTSTART;TZID=Europe/Berlin:20261023T090000|DTEND;TZID=Europe/Berlin:20261023T170000|RRULE:FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20281231T000000Z"),
                event(
                        "DTSTART:20261123T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=9;INTERVAL=2|EXDATE:20261125T090000|RDATE:20261124T090000"),
                event("DTSTART;VALUE=DATE:20261130|RRULE:FREQ=MONTHLY;BYMONTHDAY=-1|EXDATE;VALUE=DATE:20261231"),
                calendar(
                        "BEGIN:VAVAILABILITY|PRIORITY:1|DTSTART:20261124T100000Z|DTEND:20271125T160000Z|"
                                + "BEGIN:AVAILABLE|DTSTART:20261125T000000Z|DURATION:P1DT30M|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=-1WE|END:AVAILABLE|END:VAVAILABILITY"));
        String alphabet = "0123456789TZ;:=,-+\r\n \"PWDMO";
        Instant from = Instant.parse("2026-11-01T00:00:00Z");
        int read = 0;
        for (int round = 0; round < 20_000; round++) {
            var file = new StringBuilder(files.get(random.nextInt(files.size())));
            for (int i = random.nextInt(3); i >= 0; i--) {
                int at = random.nextInt(file.length());
                String one = String.valueOf(alphabet.charAt(random.nextInt(alphabet.length())));
                int other = Math.min(file.length(), at + 1 + random.nextInt(9));
                switch (random.nextInt(4)) {
                    case 0 -> file.replace(at, at + 1, one);
                    case 1 -> file.deleteCharAt(at);
                    case 2 -> file.insert(at, one);
                    default -> file.insert(at, file.substring(at, other));
                }
            }
            try {
                Availability hours = Availability.icalendar(file.toString(), BERLIN);
                read++;
                Availability again = Availability.parse(hours.toString());
                assertEquals(hours, again, "seed " + seed + " " + file);
                assertEquals(hours.preview(from, 3), again.preview(from, 3), "seed " + seed + " " + file);
            } catch (IllegalArgumentException refused) {
                assertTrue(refused.getMessage() != null && refused.getMessage().length() < 500, "seed " + seed);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " " + file, e);
            }
        }
        assertTrue(read > 1_000 && read < 19_000, "%d of 20000 were read, seed %d".formatted(read, seed));
    }

    @Test
    void timesAtTheEndOfTheYears_areRefusedWhereAnotherZoneCantShowThem() {
        ZoneId east = ZoneId.of("Pacific/Kiritimati");
        ZoneId west = ZoneId.of("America/New_York");
        String until = "DTSTART:20261123T090000|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=99991231T235959";
        assertThrows(IllegalArgumentException.class, () -> Availability.icalendar(event(until), west));
        Availability hours = Availability.icalendar(event(until), east);
        assertEquals(hours, Availability.parse(hours.toString()));
        assertEquals(
                1,
                Availability.icalendar(event(until + "Z"), west)
                        .openings(window("9999-12-30T00:00:00Z", "9999-12-31T00:00:00Z"))
                        .size());
        String excluded =
                "DTSTART;TZID=Pacific/Kiritimati:20261123T090000|DURATION:PT1H|RRULE:FREQ=DAILY|EXDATE:99991231T190000Z";
        assertThrows(IllegalArgumentException.class, () -> Availability.icalendar(event(excluded)));
    }

    @Test
    void preview_outOfRange_isRefused() {
        Availability always = Availability.always();
        Instant now = Instant.parse("2026-01-01T00:00:00Z");
        assertEquals(List.of(Window.of(now, Availability.PREVIEW_HORIZON)), always.preview(now, 3));
        assertThrows(IllegalArgumentException.class, () -> always.preview(now, 0));
        assertThrows(IllegalArgumentException.class, () -> always.preview(now, Availability.MAX_PREVIEW + 1));
        assertThrows(IllegalArgumentException.class, () -> always.preview(Instant.MAX, 1));
        assertEquals(
                ZoneOffset.UTC,
                Availability.icalendar(event("DTSTART:20260105T090000|DURATION:PT2H"), ZoneId.of("Z"))
                        .preview(now, 1)
                        .getFirst()
                        .start()
                        .atOffset(ZoneOffset.UTC)
                        .getOffset());
    }
}
