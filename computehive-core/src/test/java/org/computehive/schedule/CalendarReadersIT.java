package org.computehive.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What others make of our calendars: ical.js (npm), icalendar (Python) and khal, which share no code with ical4j, each in
 * several time zones.
 */
@Timeout(300)
class CalendarReadersIT {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path SOURCE = Path.of("src/test/calendar-readers");
    /** Kept between runs, so that only the first one installs. */
    private static final Path INSTALLED = Path.of("target/calendar-readers").toAbsolutePath();

    private static final Instant STAMP = Instant.parse("2027-03-01T10:00:00Z");
    // Over the night in which most of North America's clocks go forward.
    private static final Window WINDOW =
            new Window(Instant.parse("2027-03-13T23:30:00Z"), Instant.parse("2027-03-14T12:30:15Z"));
    private static final CalendarUser PLATFORM =
            new CalendarUser(URI.create("urn:computehive:platform"), "ComputeHive");
    private static final List<CalendarUser> PARTIES = List.of(
            new CalendarUser(URI.create("mailto:renter@example.org"), "Rénter; the, „first“: 🐝"),
            new CalendarUser(URI.create("urn:computehive:account:0x" + "ab".repeat(20)), "Lender 0xabab…abab"));
    private static final String SUMMARY = "GPU rental; zwölf, 100 % 日本語の長い説明文がここにあります 🐝🐝🐝🐝";
    private static final String DESCRIPTION =
            "Shortened: it ends, at last\nBEGIN:VEVENT\nATTENDEE:mailto:eve@example.org\n\nYou \"are\" the renter. 🐝";

    @TempDir
    Path folder;

    @BeforeAll
    static void install() throws Exception {
        String lock = Files.readString(SOURCE.resolve("package-lock.json"));
        assertFalse(lock.contains("\"resolved\""), "the lock file names a host to install from");
        Files.createDirectories(INSTALLED);
        Path done = INSTALLED.resolve("done");
        for (String file : List.of("read.mjs", "read.py", "package.json", "package-lock.json")) {
            Files.writeString(INSTALLED.resolve(file), Files.readString(SOURCE.resolve(file)));
        }
        if (Files.notExists(done) || !Files.readString(done).equals(lock)) {
            run(INSTALLED, Map.of(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
            Files.writeString(done, lock);
        }
    }

    @BeforeEach
    void makeFolder() throws IOException {
        Files.createDirectories(folder.resolve("rentals"));
    }

    private static final Map<String, String> PACKAGES =
            Map.of("npm", "npm", "node", "nodejs", "khal", "khal", "python3", "python3 python3-icalendar");

    private static String run(Path folder, Map<String, String> environment, String... command) throws Exception {
        Path program = Path.of("/usr/bin", command[0]);
        if (!Files.isExecutable(program)) {
            return fail("%s is not installed: run apt-get install %s".formatted(program, PACKAGES.get(command[0])));
        }
        Path out = Files.createTempFile("computehive-readers-", ".out");
        Path err = Files.createTempFile("computehive-readers-", ".err");
        try {
            command[0] = program.toString();
            var builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(120, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                fail(List.of(command) + " did not end");
            }
            assertEquals(0, process.exitValue(), Files.readString(out) + Files.readString(err));
            return Files.readString(out);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private static Booking booking(String uid) {
        return new Booking(
                uid,
                WINDOW,
                PLATFORM,
                PARTIES,
                SUMMARY,
                DESCRIPTION,
                List.of(
                        new Alarm(Alarm.End.START, Duration.ZERO, "begins"),
                        new Alarm(Alarm.End.END, Duration.ofMinutes(10), "ends soon")),
                Optional.of(URI.create("https://example.org/rentals/1")),
                STAMP.minusSeconds(3600));
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    /** What each reader makes of each file: first ical.js's, then icalendar's. */
    private List<List<JsonNode>> read(String zone, Path... files) throws Exception {
        var all = new ArrayList<List<JsonNode>>();
        for (List<String> reader : List.of(List.of("node", "read.mjs"), List.of("python3", "read.py"))) {
            var command = new ArrayList<>(reader);
            for (Path file : files) {
                command.add(file.toAbsolutePath().toString());
            }
            var lines = new ArrayList<JsonNode>();
            for (String line : run(INSTALLED, Map.of("TZ", zone), command.toArray(String[]::new))
                    .lines()
                    .toList()) {
                lines.add(MAPPER.readTree(line));
            }
            assertEquals(files.length, lines.size());
            all.add(lines);
        }
        return all;
    }

    private static void assertEvent(JsonNode event, String uid, int sequence, String status, boolean published) {
        assertEquals("VEVENT", event.path("kind").asText());
        assertEquals(uid, event.path("uid").asText());
        assertEquals(sequence, event.path("sequence").asInt(-1));
        assertEquals(status, event.path("status").asText());
        assertEquals(WINDOW.start().getEpochSecond(), event.path("start").asLong());
        assertEquals(WINDOW.end().getEpochSecond(), event.path("end").asLong());
        assertEquals(STAMP.getEpochSecond() - 3600, event.path("created").asLong());
        assertEquals(STAMP.getEpochSecond(), event.path("modified").asLong());
        assertEquals(SUMMARY, event.path("summary").asText());
        assertEquals(DESCRIPTION, event.path("description").asText());
        assertEquals("urn:computehive:platform", event.path("organizer").asText());
        List<String> attendees = new ArrayList<>();
        event.path("attendees").forEach(one -> attendees.add(one.asText()));
        assertEquals(
                published
                        ? List.of()
                        : PARTIES.stream().map(one -> one.name() + " ACCEPTED").toList(),
                attendees);
        List<Long> alarms = new ArrayList<>();
        event.path("alarms").forEach(one -> alarms.add(one.asLong()));
        assertEquals(
                status.equals("CANCELLED")
                        ? List.of()
                        : List.of(WINDOW.start().getEpochSecond(), WINDOW.end().getEpochSecond() - 600),
                alarms);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTC", "America/St_Johns", "Asia/Kathmandu"})
    void messages_meanToOthersWhatTheyMeanToUs(String zone) throws Exception {
        for (List<JsonNode> read : read(
                zone,
                file(
                        "request.ics",
                        CalendarMessage.request(booking("a@computehive"), 0, STAMP)
                                .text()),
                file(
                        "update.ics",
                        CalendarMessage.request(booking("a@computehive"), 7, STAMP)
                                .text()),
                file(
                        "cancel.ics",
                        CalendarMessage.cancel(booking("a@computehive"), 8, STAMP)
                                .text()),
                file(
                        "stored.ics",
                        CalendarMessage.request(booking("a@computehive"), 7, STAMP)
                                .storedText()))) {
            assertEquals(
                    List.of("REQUEST", "REQUEST", "CANCEL", "null"),
                    read.stream().map(one -> one.path("method").asText()).toList());
            read.forEach(one -> assertEquals(1, one.path("components").size()));
            assertEvent(read.get(0).path("components").get(0), "a@computehive", 0, "CONFIRMED", false);
            assertEvent(read.get(1).path("components").get(0), "a@computehive", 7, "CONFIRMED", false);
            assertEvent(read.get(2).path("components").get(0), "a@computehive", 8, "CANCELLED", false);
            assertEvent(read.get(3).path("components").get(0), "a@computehive", 7, "CONFIRMED", false);
        }
    }

    /** By ical.js alone: icalendar 4, and khal with it, take a backslash before an n or a semicolon for an escape. */
    @Test
    void backslashes_areKept() throws Exception {
        String text = "C:\\new; \\; \\\\, \\N";
        var booking = new Booking(
                "a", WINDOW, PLATFORM, PARTIES, text, text + "\n" + text, List.of(), Optional.empty(), STAMP);
        Path file = file(
                "backslashes.ics", CalendarMessage.request(booking, 0, STAMP).text());
        JsonNode event = MAPPER.readTree(run(INSTALLED, Map.of(), "node", "read.mjs", file.toString()))
                .path("components")
                .get(0);
        assertEquals(text, event.path("summary").asText());
        assertEquals(text + "\n" + text, event.path("description").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTC", "America/St_Johns"})
    void feeds_meanToOthersWhatTheyMeanToUs(String zone) throws Exception {
        FreeBusy busy = FreeBusy.of(
                "listing-1@computehive",
                PLATFORM,
                "Listing 1",
                new Window(STAMP, STAMP.plusSeconds(86_400 * 30)),
                List.of(WINDOW, Window.of(STAMP.plusSeconds(60), Duration.ofSeconds(60))),
                List.of(Window.of(STAMP.plusSeconds(600), Duration.ofSeconds(1))));
        for (List<JsonNode> read : read(
                zone,
                file(
                        "events.ics",
                        CalendarFeed.events(
                                "Mine, all",
                                Duration.ofHours(1),
                                List.of(
                                        new CalendarFeed.Entry(booking("a"), 0, STAMP, false),
                                        new CalendarFeed.Entry(booking("b"), 3, STAMP, true)))),
                file("busy.ics", CalendarFeed.freeBusy("Busy", Duration.ofHours(1), STAMP, List.of(busy))),
                file("none.ics", CalendarFeed.events("None", Duration.ofHours(1), List.of())))) {
            read.forEach(one -> assertEquals("PUBLISH", one.path("method").asText()));
            JsonNode events = read.get(0).path("components");
            assertEquals(2, events.size());
            assertEvent(events.get(0), "a", 0, "CONFIRMED", true);
            assertEvent(events.get(1), "b", 3, "CANCELLED", true);
            JsonNode freeBusy = read.get(1).path("components").get(0);
            assertEquals(STAMP.getEpochSecond(), freeBusy.path("start").asLong());
            List<String> periods = new ArrayList<>();
            freeBusy.path("busy").forEach(one -> periods.add(one.asText()));
            long stamp = STAMP.getEpochSecond();
            assertEquals(
                    List.of(
                            "BUSY %d %d".formatted(stamp + 60, stamp + 120),
                            "BUSY %d %d"
                                    .formatted(
                                            WINDOW.start().getEpochSecond(),
                                            WINDOW.end().getEpochSecond()),
                            "BUSY-TENTATIVE %d %d".formatted(stamp + 600, stamp + 601)),
                    periods);
            assertEquals(0, read.get(2).path("components").size());
        }
    }

    @Test
    void khal_showsTheRental_itsUpdate_andItsCancellation_onTheWallClock() throws Exception {
        Path config = Files.writeString(folder.resolve("config"), """
                [calendars]
                [[rentals]]
                path = %1$s/rentals
                [sqlite]
                path = %1$s/khal.db
                [locale]
                local_timezone = America/St_Johns
                default_timezone = America/St_Johns
                timeformat = %%H:%%M:%%S
                dateformat = %%Y-%%m-%%d
                longdateformat = %%Y-%%m-%%d
                datetimeformat = %%Y-%%m-%%d %%H:%%M:%%S
                longdatetimeformat = %%Y-%%m-%%d %%H:%%M:%%S
                """.formatted(folder));
        // The clocks went forward that night, from UTC-3:30 to UTC-2:30.
        String times = "a@computehive|2027-03-13 20:00:00|2027-03-14 10:00:15|";
        khalImport(config, CalendarMessage.request(booking("a@computehive"), 0, STAMP));
        assertEquals(
                List.of(times + "| ⏰|" + SUMMARY),
                khalList(config, 1).stream()
                        .map(line -> line.replace("CONFIRMED ", ""))
                        .toList());
        khalImport(config, CalendarMessage.request(booking("a@computehive"), 1, STAMP));
        assertEquals(1, khalList(config, 1).size());
        khalImport(config, CalendarMessage.cancel(booking("a@computehive"), 2, STAMP));
        List<String> cancelled = khalList(config, 1);
        assertEquals(1, cancelled.size(), cancelled.toString());
        assertTrue(cancelled.getFirst().startsWith(times + "CANCELLED"), cancelled.toString());
        assertEquals(List.of(), khalList(config, 9));
    }

    private void khalImport(Path config, CalendarMessage message) throws Exception {
        Path file = file("message.ics", message.text());
        run(folder, Map.of(), "khal", "-c", config.toString(), "import", "--batch", "-a", "rentals", file.toString());
    }

    private List<String> khalList(Path config, int daysLater) throws Exception {
        String day = "2027-03-%02d".formatted(12 + daysLater);
        return run(
                        folder,
                        Map.of(),
                        "khal",
                        "-c",
                        config.toString(),
                        "list",
                        "--day-format",
                        "",
                        "--format",
                        "{uid}|{start}|{end}|{status}|{alarm-symbol}|{title}",
                        day,
                        "1d")
                .lines()
                .filter(line -> line.startsWith("a@"))
                .toList();
    }
}
