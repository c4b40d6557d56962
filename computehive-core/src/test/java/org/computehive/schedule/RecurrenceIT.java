package org.computehive.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kind of rule that is read, against two implementations that are not ours: dateutil (Python) and libical (C).
 *
 * <p>{@code -Dcomputehive.seed=N} repeats a run.
 */
class RecurrenceIT {
    private static final int RULES = 1_200;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss");

    @TempDir
    private Path folder;

    /** A rule, when it begins, and when it is looked at. */
    private record Question(LocalDateTime start, String rule, Window window) {
        String line() {
            return String.join(" ", TIME.format(start), rule, utc(window.start()), utc(window.end()));
        }

        private static String utc(Instant at) {
            return TIME.withZone(ZoneOffset.UTC).format(at);
        }

        /** Returns our answer, over the whole way from a file to windows. */
        List<String> answer() {
            String file =
                    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART:%sZ\r\nDURATION:PT1H\r\nRRULE:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
                            .formatted(TIME.format(start), rule);
            List<String> starts = new ArrayList<>();
            Availability hours = Availability.icalendar(file);
            for (Instant at = window.start(); at.isBefore(window.end()); at = at.plus(Duration.ofDays(300))) {
                Instant end = at.plus(Duration.ofDays(300));
                for (Window open : hours.openings(new Window(at, end.isBefore(window.end()) ? end : window.end()))) {
                    assertEquals(Duration.ofHours(1), open.length());
                    starts.add(utc(open.start()));
                }
            }
            return starts;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dateutil", "libical"})
    void recurrences_ofRandomRules_areThoseOfAnotherImplementation(String other) throws Exception {
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("seed " + seed);
        var random = new Random(seed);
        List<Question> questions =
                IntStream.range(0, RULES).mapToObj(i -> question(random)).toList();
        List<String> answers = ask(other, questions);
        assertEquals(RULES, answers.size(), answers.toString());
        int recurrences = 0;
        List<Question> disputed = new ArrayList<>();
        for (int i = 0; i < RULES; i++) {
            List<String> ours = questions.get(i).answer();
            if (!answers.get(i).equals(String.join(",", ours))) {
                disputed.add(questions.get(i));
            }
            recurrences += ours.size();
        }
        // Each of the two has errors of its own (libical 3.0.16 loses count of the weeks in
        // WEEKLY;INTERVAL=2;BYMONTH=…): where
        // one differs, the third decides.
        assertTrue(disputed.size() <= RULES / 100, disputed.size() + " disputed, seed " + seed);
        String third = other.equals("libical") ? "dateutil" : "libical";
        List<String> decisions = disputed.isEmpty() ? List.of() : ask(third, disputed);
        for (int i = 0; i < disputed.size(); i++) {
            System.out.printf(
                    "%s differs from %s and us: %s%n",
                    other, third, disputed.get(i).line());
            assertEquals(
                    decisions.get(i),
                    String.join(",", disputed.get(i).answer()),
                    disputed.get(i).line() + " seed " + seed);
        }
        assertTrue(recurrences > 10 * RULES, "only %d recurrences: the rules are too sparse".formatted(recurrences));
        System.out.printf("%d rules, %d recurrences, %d disputed by %s%n", RULES, recurrences, disputed.size(), other);
    }

    private static Question question(Random random) {
        LocalDate base = LocalDate.of(1970 + random.nextInt(80), 1, 1).plusDays(random.nextInt(365));
        String rule = rule(random);
        Recurrence parsed = Recurrence.parse(rule);
        LocalDate first = base;
        while (!parsed.recurs(first, first)) {
            first = first.plusDays(1);
        }
        LocalDateTime start = first.atTime(9, random.nextInt(2) * 30);
        int count = 1 + random.nextInt(8);
        if (random.nextInt(4) == 0 && reached(parsed, first, count)) {
            rule += ";COUNT=" + count;
        } else if (random.nextInt(3) == 0) {
            rule += ";UNTIL=%sZ".formatted(TIME.format(start.plusDays(random.nextInt(2_000))));
        }
        Instant from = start.minusDays(100).plusDays(random.nextInt(1_500)).toInstant(ZoneOffset.UTC);
        return new Question(start, rule, Window.of(from, Duration.ofDays(1 + random.nextInt(3_000))));
    }

    /** Returns whether there are this many recurrences within 90 years; a count that 100 years don't reach is refused. */
    private static boolean reached(Recurrence rule, LocalDate first, int count) {
        return first.datesUntil(first.plusYears(90))
                        .filter(day -> rule.recurs(first, day))
                        .limit(count)
                        .count()
                == count;
    }

    private static String rule(Random random) {
        List<String> parts = new ArrayList<>();
        String frequency = List.of("DAILY", "WEEKLY", "MONTHLY", "YEARLY").get(random.nextInt(4));
        parts.add("FREQ=" + frequency);
        boolean months = random.nextInt(3) == 0;
        if (random.nextBoolean()) {
            parts.add("INTERVAL=" + (1 + random.nextInt(frequency.equals("YEARLY") ? 2 : 5)));
        }
        if (months) {
            parts.add("BYMONTH=" + some(random, 4, () -> Integer.toString(1 + random.nextInt(12))));
        }
        boolean byDay = random.nextBoolean();
        boolean ordinals =
                byDay && random.nextBoolean() && List.of("MONTHLY", "YEARLY").contains(frequency);
        if (byDay) {
            // Every month has four of a day, every year 52.
            int most = frequency.equals("MONTHLY") || months ? 4 : 52;
            parts.add("BYDAY=" + some(random, 4, () -> (ordinals ? ordinal(random, most) : "") + day(random)));
        }
        boolean mayHaveMonthDays = !frequency.equals("WEEKLY") && !ordinals && (!frequency.equals("YEARLY") || months);
        if (mayHaveMonthDays && random.nextInt(3) == 0) {
            // Enough days that even a rule with days of the week recurs within a few years.
            parts.add("BYMONTHDAY="
                    + some(
                            random,
                            8,
                            () -> frequency.equals("DAILY")
                                    ? Integer.toString(1 + random.nextInt(31))
                                    : ordinal(random, 28)));
        }
        if (random.nextInt(3) == 0) {
            parts.add("WKST=" + day(random));
        }
        return String.join(";", parts);
    }

    private static String ordinal(Random random, int most) {
        return (random.nextBoolean() ? "-" : "") + (1 + random.nextInt(most));
    }

    private static String day(Random random) {
        return DayOfWeek.of(1 + random.nextInt(7)).name().substring(0, 2);
    }

    private static String some(Random random, int most, java.util.function.Supplier<String> one) {
        return IntStream.rangeClosed(0, random.nextInt(most))
                .mapToObj(i -> one.get())
                .distinct()
                .collect(Collectors.joining(","));
    }

    private List<String> ask(String other, List<Question> questions) throws Exception {
        Path script = folder.resolve("recurrences.py");
        try (InputStream in = Objects.requireNonNull(getClass().getResourceAsStream("recurrences.py"))) {
            Files.copy(in, script, StandardCopyOption.REPLACE_EXISTING);
        }
        Path input = Files.write(
                folder.resolve("in"), questions.stream().map(Question::line).toList());
        Path output = folder.resolve("out");
        Process python = new ProcessBuilder("/usr/bin/python3", script.toString(), other)
                .redirectInput(input.toFile())
                .redirectOutput(output.toFile())
                .redirectErrorStream(true)
                .start();
        try {
            assertTrue(python.waitFor(300, TimeUnit.SECONDS), other + " took over 5 minutes");
        } finally {
            python.destroyForcibly();
        }
        List<String> lines = Arrays.asList(Files.readString(output, UTF_8).split("\n", -1));
        assertTrue(
                lines.stream()
                        .noneMatch(line -> line.contains("ModuleNotFoundError") || line.contains("not available")),
                "install python3-dateutil, python3-gi and gir1.2-ical-3.0: " + lines.getFirst());
        return lines.subList(0, lines.size() - 1);
    }
}
