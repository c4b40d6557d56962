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
import java.util.List;
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
    private static final URI LENDER = URI.create("urn:computehive:account:0x00000000000000000000000000000000000000aa");
    private static final URI RENTER = URI.create("mailto:renter@example.org");
    private static final String HARD =
            "Zwölf GPUs; 50 %, \"gut\" \\ für 日本語の長い説明文がここにあります 🐝🐝🐝🐝🐝🐝🐝🐝🐝🐝 BEGIN:VEVENT";

    private static Booking booking(String summary, String description) {
        return new Booking(
                "rental-1@computehive",
                WINDOW,
                LENDER,
                List.of(LENDER, RENTER),
                summary,
                description,
                Duration.ofMinutes(15));
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
                        "DTSTART:20261123T080000Z",
                        "DTEND:20261123T163015Z",
                        "ORGANIZER:" + LENDER,
                        "ATTENDEE:" + LENDER,
                        "ATTENDEE:" + RENTER,
                        "SUMMARY:Two GPUs",
                        "DESCRIPTION:Enter with ssh\\, as shown\\; see you.\\nBye",
                        "STATUS:CONFIRMED",
                        "TRANSP:OPAQUE",
                        "BEGIN:VALARM",
                        "ACTION:DISPLAY",
                        "TRIGGER:-PT15M",
                        "DESCRIPTION:Two GPUs",
                        "END:VALARM",
                        "END:VEVENT",
                        "END:VCALENDAR"),
                lines(CalendarMessage.request(
                        booking("Two GPUs", "Enter with ssh, as shown; see you.\nBye"), 2, STAMP)));
    }

    @Test
    void request_parsedBack_hasTheSameValues() throws Exception {
        String description = HARD + "\n\nsecond: line\n" + HARD.repeat(20);
        Calendar calendar = parse(CalendarMessage.request(booking(HARD, description), 0, STAMP));
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
        assertEquals(1, event.getAlarms().size());
    }

    @Test
    void cancel_isCancelledUnderTheSameUid() throws Exception {
        Booking booking = booking("Two GPUs", "Bye");
        String text = CalendarMessage.cancel(booking, 3, STAMP);
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
                String text = CalendarMessage.request(booking(summary, summary), 0, STAMP);
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
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Booking("u", WINDOW, LENDER, List.of(URI.create(bad)), "s", "d", Duration.ZERO),
                    bad);
        }
        for (String bad : List.of("", "a b", "a\r\nb", "x".repeat(256))) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Booking(bad, WINDOW, LENDER, List.of(RENTER), "s", "d", Duration.ZERO),
                    bad);
        }
    }

    @Test
    void description_thatLooksLikeProperties_staysOneProperty() {
        List<String> lines = lines(
                CalendarMessage.request(booking("s", "x\nATTENDEE:mailto:eve@example.org\nEND:VEVENT"), 0, STAMP));
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
        assertThrows(
                IllegalArgumentException.class,
                () -> new Booking("u", WINDOW, LENDER, List.of(RENTER), "s", "d", Duration.ofDays(8)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Booking("u", WINDOW, LENDER, List.of(), "s", "d", Duration.ZERO));
    }

    @Test
    void request_inAnotherDefaultTimeZone_isTheSame() {
        String expected = CalendarMessage.request(booking("s", "d"), 0, STAMP);
        TimeZone before = TimeZone.getDefault();
        try {
            TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
            assertEquals(expected, CalendarMessage.request(booking("s", "d"), 0, STAMP));
        } finally {
            TimeZone.setDefault(before);
        }
    }
}
