package org.computehive.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.TimeZone;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import org.junit.jupiter.api.Test;

class CalendarFeedTest {
    private static final Instant NOON = Instant.parse("2027-03-01T12:00:00Z");
    private static final CalendarUser PLATFORM =
            new CalendarUser(URI.create("urn:computehive:platform"), "ComputeHive");
    private static final CalendarUser RENTER = new CalendarUser(URI.create("mailto:renter@example.org"), "Renter");
    private static final Duration HOUR = Duration.ofHours(1);

    private static CalendarFeed.Entry entry(String uid, int sequence, boolean cancelled) {
        return new CalendarFeed.Entry(
                new Booking(
                        uid,
                        new Window(NOON.plusSeconds(60), NOON.plusSeconds(7200)),
                        PLATFORM,
                        List.of(RENTER),
                        "GPU rental",
                        "text, with; marks",
                        List.of(new Alarm(Alarm.End.START, Duration.ZERO, "begins")),
                        Optional.empty(),
                        NOON.minusSeconds(90)),
                sequence,
                NOON,
                cancelled);
    }

    private static List<String> lines(String text) {
        assertTrue(text.endsWith("\r\n"));
        for (String line : text.split("\r\n", -1)) {
            assertTrue(line.getBytes(UTF_8).length <= 75, line);
        }
        return List.of(text.replace("\r\n ", "").split("\r\n"));
    }

    private static Calendar parse(String text) throws Exception {
        Calendar calendar = new CalendarBuilder().build(new StringReader(text));
        assertFalse(calendar.validate(true).hasErrors());
        return calendar;
    }

    @Test
    void events_arePublishedWithoutThoseWhoTakePart() throws Exception {
        String text =
                CalendarFeed.events("Mine, all; of them", HOUR, List.of(entry("a", 0, false), entry("b", 3, true)));
        assertEquals(
                List.of(
                        "BEGIN:VCALENDAR",
                        "PRODID:-//ComputeHive//Rentals//EN",
                        "VERSION:2.0",
                        "CALSCALE:GREGORIAN",
                        "METHOD:PUBLISH",
                        "NAME:Mine\\, all\\; of them",
                        "X-WR-CALNAME:Mine\\, all\\; of them",
                        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
                        "X-PUBLISHED-TTL:PT1H",
                        "BEGIN:VEVENT",
                        "UID:a",
                        "DTSTAMP:20270301T120000Z",
                        "SEQUENCE:0",
                        "CREATED:20270301T115830Z",
                        "LAST-MODIFIED:20270301T120000Z",
                        "DTSTART:20270301T120100Z",
                        "DTEND:20270301T140000Z",
                        "ORGANIZER;CN=ComputeHive:urn:computehive:platform",
                        "SUMMARY:GPU rental",
                        "DESCRIPTION:text\\, with\\; marks",
                        "STATUS:CONFIRMED",
                        "TRANSP:OPAQUE",
                        "BEGIN:VALARM",
                        "ACTION:DISPLAY",
                        "TRIGGER:PT0S",
                        "DESCRIPTION:begins",
                        "END:VALARM",
                        "END:VEVENT",
                        "BEGIN:VEVENT",
                        "UID:b",
                        "DTSTAMP:20270301T120000Z",
                        "SEQUENCE:3",
                        "CREATED:20270301T115830Z",
                        "LAST-MODIFIED:20270301T120000Z",
                        "DTSTART:20270301T120100Z",
                        "DTEND:20270301T140000Z",
                        "ORGANIZER;CN=ComputeHive:urn:computehive:platform",
                        "SUMMARY:GPU rental",
                        "DESCRIPTION:text\\, with\\; marks",
                        "STATUS:CANCELLED",
                        "TRANSP:TRANSPARENT",
                        "END:VEVENT",
                        "END:VCALENDAR"),
                lines(text));
        parse(text);
    }

    @Test
    void feed_withoutAnything_isACalendarStill() throws Exception {
        for (String text : List.of(
                CalendarFeed.events("Mine", HOUR, List.of()), CalendarFeed.freeBusy("Mine", HOUR, NOON, List.of()))) {
            parse(text);
            assertEquals(
                    List.of("BEGIN:VTIMEZONE"),
                    lines(text).stream()
                            .filter(line -> line.startsWith("BEGIN:VT"))
                            .toList());
            assertFalse(text.contains("VEVENT"));
        }
    }

    @Test
    void freeBusy_saysWhenAndNothingElse() throws Exception {
        FreeBusy thing = FreeBusy.of(
                "listing-1@computehive",
                new CalendarUser(URI.create("urn:computehive:listing:1"), "listing 1"),
                "Listing 1 on host a",
                new Window(NOON, NOON.plusSeconds(86_400)),
                List.of(
                        new Window(NOON.minusSeconds(5), NOON.plusSeconds(60)),
                        new Window(NOON.plusSeconds(100), NOON.plusSeconds(200))),
                List.of(new Window(NOON.plusSeconds(300), NOON.plusSeconds(400))));
        String text = CalendarFeed.freeBusy("Busy", HOUR, NOON, List.of(thing));
        parse(text);
        List<String> lines = lines(text);
        assertEquals(
                List.of(
                        "BEGIN:VFREEBUSY",
                        "UID:listing-1@computehive",
                        "DTSTAMP:20270301T120000Z",
                        "DTSTART:20270301T120000Z",
                        "DTEND:20270302T120000Z",
                        "ORGANIZER;CN=listing 1:urn:computehive:listing:1",
                        "COMMENT:Listing 1 on host a",
                        "FREEBUSY;FBTYPE=BUSY:20270301T120000Z/20270301T120100Z",
                        "FREEBUSY;FBTYPE=BUSY:20270301T120140Z/20270301T120320Z",
                        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T120500Z/20270301T120640Z",
                        "END:VFREEBUSY",
                        "END:VCALENDAR"),
                lines.subList(lines.indexOf("BEGIN:VFREEBUSY"), lines.size()));
    }

    @Test
    void freeBusy_ofWhatIsNeverTaken_saysItsRangeAlone() {
        FreeBusy free = FreeBusy.of("u", RENTER, "c", new Window(NOON, NOON.plusSeconds(60)), List.of(), List.of());
        String text = CalendarFeed.freeBusy("Free", HOUR, NOON, List.of(free));
        List<String> lines = lines(text);
        assertTrue(lines.contains("DTEND:20270301T120100Z"), text);
        assertFalse(lines.stream().anyMatch(line -> line.startsWith("FREEBUSY")), text);
    }

    @Test
    void feed_inAnotherDefaultTimeZone_isTheSame() {
        List<CalendarFeed.Entry> entries = List.of(entry("a", 0, false));
        FreeBusy thing = FreeBusy.of(
                "u",
                RENTER,
                "c",
                new Window(NOON, NOON.plusSeconds(60)),
                List.of(new Window(NOON, NOON.plusSeconds(6))),
                List.of());
        String events = CalendarFeed.events("n", HOUR, entries);
        String busy = CalendarFeed.freeBusy("n", HOUR, NOON, List.of(thing));
        String none = CalendarFeed.events("n", HOUR, List.of());
        TimeZone before = TimeZone.getDefault();
        try {
            TimeZone.setDefault(TimeZone.getTimeZone("America/St_Johns"));
            assertEquals(events, CalendarFeed.events("n", HOUR, entries));
            assertEquals(busy, CalendarFeed.freeBusy("n", HOUR, NOON, List.of(thing)));
            assertEquals(none, CalendarFeed.events("n", HOUR, List.of()));
        } finally {
            TimeZone.setDefault(before);
        }
    }

    @Test
    void badValues_areRefused() {
        assertThrows(IllegalArgumentException.class, () -> CalendarFeed.events("a\r\nb", HOUR, List.of()));
        assertThrows(IllegalArgumentException.class, () -> entry("a", -1, false));
        assertThrows(
                IllegalArgumentException.class, () -> CalendarFeed.freeBusy("n", HOUR, NOON.plusMillis(1), List.of()));
    }
}
