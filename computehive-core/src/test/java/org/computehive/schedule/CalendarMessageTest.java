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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TimeZone;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import net.fortuna.ical4j.model.component.VEvent;
import org.junit.jupiter.api.Test;

class CalendarMessageTest {
    private static final Instant STAMP = Instant.parse("2026-11-22T10:00:00Z");
    private static final Window WINDOW =
            new Window(Instant.parse("2026-11-23T08:00:00Z"), Instant.parse("2026-11-23T16:30:15Z"));
    private static final CalendarUser PLATFORM =
            new CalendarUser(URI.create("urn:computehive:platform"), "ComputeHive");
    private static final CalendarUser LENDER = new CalendarUser(
            URI.create("urn:computehive:account:0x00000000000000000000000000000000000000aa"),
            "Lender: 0x00…aa, the first");
    private static final CalendarUser RENTER =
            new CalendarUser(URI.create("mailto:renter@example.org"), "Renter Ümläut");
    private static final Instant CREATED = Instant.parse("2026-11-21T07:00:00Z");
    private static final String HARD =
            "Zwölf GPUs; 50 %, \"gut\" \\ für 日本語の長い説明文がここにあります 🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝 BEGIN:VEVENT";

    private static Booking booking(String summary, String description) {
        return booking("rental-1@computehive", List.of(RENTER, LENDER), summary, description, Optional.empty());
    }

    private static Booking booking(
            String uid, List<CalendarUser> attendees, String summary, String description, Optional<URI> url) {
        return new Booking(
                uid,
                WINDOW,
                PLATFORM,
                attendees,
                summary,
                description,
                List.of(
                        new Alarm(Alarm.End.START, Duration.ZERO, "It begins"),
                        new Alarm(Alarm.End.END, Duration.ofMinutes(10), "It ends soon")),
                url,
                CREATED);
    }

    private static Calendar parse(String text) throws Exception {
        Calendar calendar = new CalendarBuilder().build(new StringReader(text));
        assertFalse(calendar.validate(true).hasErrors());
        return calendar;
    }

    private static String value(VEvent event, String property) {
        return event.getProperty(property).orElseThrow().getValue();
    }

    /** RFC 5545 section 3.1, without the library: CRLF only, at most 75 octets, unfolds to the lines that it returns. */
    private static List<String> lines(String text) {
        assertTrue(text.endsWith("\r\n"));
        List<String> lines = new ArrayList<>();
        for (String line : text.substring(0, text.length() - 2).split("\r\n", -1)) {
            assertTrue(line.getBytes(UTF_8).length <= 75, line);
            assertTrue(line.chars().noneMatch(c -> c < ' ' || c == 0x7f), line);
            assertFalse(line.isEmpty());
            assertFalse(Character.isLowSurrogate(line.charAt(0)));
            if (line.startsWith(" ")) {
                lines.add(lines.removeLast() + line.substring(1));
            } else {
                assertTrue(line.matches("[A-Z-]+[:;].*"), line);
                lines.add(line);
            }
        }
        return lines;
    }

    @Test
    void request_hasOneEventInUtcAsRfc5546Wants() {
        assertEquals(
                List.of(
                        "BEGIN:VCALENDAR",
                        "PRODID:-//ComputeHive//Rentals//EN",
                        "VERSION:2.0",
                        "CALSCALE:GREGORIAN",
                        "METHOD:REQUEST",
                        "BEGIN:VEVENT",
                        "UID:rental-1@computehive",
                        "DTSTAMP:20261122T100000Z",
                        "SEQUENCE:2",
                        "CREATED:20261121T070000Z",
                        "LAST-MODIFIED:20261122T100000Z",
                        "DTSTART:20261123T080000Z",
                        "DTEND:20261123T163015Z",
                        "ORGANIZER;CN=ComputeHive:urn:computehive:platform",
                        "ATTENDEE;CN=\"Renter Ümläut\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:"
                                + RENTER.address(),
                        "ATTENDEE;CN=\"Lender: 0x00…aa, the first\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:"
                                + LENDER.address(),
                        "SUMMARY:Two GPUs",
                        "DESCRIPTION:Enter with ssh\\, as shown\\; see you.\\nBye",
                        "STATUS:CONFIRMED",
                        "TRANSP:OPAQUE",
                        "BEGIN:VALARM",
                        "ACTION:DISPLAY",
                        "TRIGGER:PT0S",
                        "DESCRIPTION:It begins",
                        "END:VALARM",
                        "BEGIN:VALARM",
                        "ACTION:DISPLAY",
                        "TRIGGER;RELATED=END:-PT10M",
                        "DESCRIPTION:It ends soon",
                        "END:VALARM",
                        "END:VEVENT",
                        "END:VCALENDAR"),
                lines(CalendarMessage.request(booking("Two GPUs", "Enter with ssh, as shown; see you.\nBye"), 2, STAMP)
                        .text()));
    }

    @Test
    void request_parsedBack_hasTheSameValues() throws Exception {
        String description = HARD + "\n\nsecond: line\n" + HARD.repeat(20);
        Calendar calendar = parse(
                CalendarMessage.request(booking(HARD, description), 0, STAMP).text());
        assertEquals("REQUEST", calendar.getProperty("METHOD").orElseThrow().getValue());
        List<VEvent> events = calendar.getComponents(Component.VEVENT);
        assertEquals(1, events.size());
        VEvent event = events.getFirst();
        assertEquals(HARD, value(event, "SUMMARY"));
        assertEquals(description, value(event, "DESCRIPTION"));
        assertEquals("rental-1@computehive", value(event, "UID"));
        assertEquals(
                WINDOW.start(), Instant.from(event.getStartDate().orElseThrow().getDate()));
        assertEquals(WINDOW.end(), Instant.from(event.getEndDate().orElseThrow().getDate()));
        assertEquals(2, event.getAlarms().size());
    }

    @Test
    void cancel_isCancelledUnderTheSameUid() throws Exception {
        Booking booking = booking("Two GPUs", "Bye");
        String text = CalendarMessage.cancel(booking, 3, STAMP).text();
        List<String> lines = lines(text);
        assertTrue(lines.contains("METHOD:CANCEL"));
        assertTrue(lines.contains("STATUS:CANCELLED"));
        assertTrue(lines.contains("SEQUENCE:3"));
        assertTrue(lines.contains("UID:rental-1@computehive"));
        assertFalse(lines.contains("BEGIN:VALARM"));
        parse(text);
    }

    @Test
    void text_ofEveryLength_isFoldedRightly() throws Exception {
        for (int length = 1; length <= 160; length += length > 60 && length < 84 ? 1 : 9) {
            for (String letter : List.of("a", "é", "日", "\\", ";")) {
                String summary = letter.repeat(length);
                String text = CalendarMessage.request(booking(summary, summary), 0, STAMP)
                        .text();
                lines(text);
                VEvent event =
                        (VEvent) parse(text).getComponents(Component.VEVENT).getFirst();
                assertEquals(summary, value(event, "SUMMARY"));
            }
        }
    }

    @Test
    void values_thatWouldBreakOutOfTheirLine_areRefused() {
        for (String bad : List.of("a\r\nATTENDEE:mailto:x@y", "a\nb", "a\rb", "a\u0000b", "a\u0085b", "a\tb", "")) {
            assertThrows(IllegalArgumentException.class, () -> booking(bad, "x"), bad);
        }
        for (String bad : List.of("a\r\nb", "a\rb", "a\u0000b", " ", "a\ud800b", "x".repeat(4001))) {
            assertThrows(IllegalArgumentException.class, () -> booking("x", bad), bad);
        }
        for (String bad : List.of("http://example.org", "mailto:ä@example.org", "urn:" + "x".repeat(300), "tel:1")) {
            assertThrows(IllegalArgumentException.class, () -> new CalendarUser(URI.create(bad), "name"), bad);
        }
        for (String bad : List.of("", "a b", "a\r\nb", "x".repeat(256))) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> booking(bad, List.of(RENTER), "s", "d", Optional.empty()),
                    bad);
        }
        for (String bad : List.of("", "a\"b", "a\r\nb", "a^nb", "a\u0000", "a\ud800", "x".repeat(101))) {
            assertThrows(IllegalArgumentException.class, () -> new CalendarUser(LENDER.address(), bad), bad);
        }
        for (String bad : List.of("ftp://example.org", "https://ä.example", "https://e.org/'", "javascript:alert(1)")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> booking("u", List.of(RENTER), "s", "d", Optional.of(URI.create(bad))),
                    bad);
        }
    }

    @Test
    void description_thatLooksLikeProperties_staysOneProperty() {
        List<String> lines =
                lines(CalendarMessage.request(booking("s", "x\nATTENDEE:mailto:eve@example.org\nEND:VEVENT"), 0, STAMP)
                        .text());
        assertEquals(
                2, lines.stream().filter(line -> line.startsWith("ATTENDEE")).count());
        assertEquals(1, lines.stream().filter(line -> line.equals("END:VEVENT")).count());
    }

    @Test
    void limits_areRefusedByName() {
        assertThrows(IllegalArgumentException.class, () -> CalendarMessage.request(booking("s", "d"), -1, STAMP));
        assertThrows(IllegalArgumentException.class, () -> CalendarMessage.cancel(booking("s", "d"), 0, STAMP));
        assertThrows(
                IllegalArgumentException.class,
                () -> CalendarMessage.request(booking("s", "d"), 0, STAMP.plusMillis(1)));
        assertThrows(IllegalArgumentException.class, () -> CalendarMessage.request(booking("s", "d"), 0, Instant.MAX));
        assertThrows(IllegalArgumentException.class, () -> new Alarm(Alarm.End.START, Duration.ofDays(8), "text"));
        assertThrows(IllegalArgumentException.class, () -> new Alarm(Alarm.End.END, Duration.ofSeconds(-1), "text"));
        assertThrows(IllegalArgumentException.class, () -> new Alarm(Alarm.End.END, Duration.ZERO, "a\r\nb"));
        assertThrows(IllegalArgumentException.class, () -> booking("u", List.of(), "s", "d", Optional.empty()));
        assertThrows(
                IllegalArgumentException.class,
                () -> booking("u", Collections.nCopies(17, RENTER), "s", "d", Optional.empty()));
    }

    @Test
    void request_inAnotherDefaultTimeZone_isTheSame() {
        String expected = CalendarMessage.request(booking("s", "d"), 0, STAMP).text();
        TimeZone before = TimeZone.getDefault();
        try {
            TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
            assertEquals(
                    expected,
                    CalendarMessage.request(booking("s", "d"), 0, STAMP).text());
        } finally {
            TimeZone.setDefault(before);
        }
    }

    @Test
    void storedText_hasNoMethod_andAsksTheServerToTellNobody() throws Exception {
        CalendarMessage message = CalendarMessage.request(booking("s", "METHOD:REQUEST\nMETHOD:REQUEST"), 4, STAMP);
        List<String> lines = lines(message.storedText());
        assertFalse(lines.stream().anyMatch(line -> line.startsWith("METHOD")));
        assertEquals(
                3,
                lines.stream()
                        .filter(line -> line.contains(";SCHEDULE-AGENT=CLIENT"))
                        .count());
        assertEquals(
                lines(message.text()).stream()
                        .filter(line -> !line.startsWith("METHOD"))
                        .toList(),
                lines.stream()
                        .map(line -> line.replace(";SCHEDULE-AGENT=CLIENT", ""))
                        .toList());
    }

    @Test
    void url_isShown() throws Exception {
        Booking booking = booking(
                "u", List.of(RENTER), "s", "d", Optional.of(URI.create("https://example.org/rentals/1?a=b;c,d")));
        String text = CalendarMessage.request(booking, 0, STAMP).text();
        assertTrue(lines(text).contains("URL:https://example.org/rentals/1?a=b;c,d"));
        parse(text);
    }
}
