package org.computehive.schedule;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A recurrence rule of RFC 5545 (section 3.3.10): the subset on whose meaning the RFC and its implementations agree.
 *
 * <p>That subset recurs at most once a day, always at the same time of day, so a rule is a question that a date answers by
 * itself. Nothing is expanded from the first date on: asking about the year 9000 costs as much as asking about today.
 *
 * <p>Immutable and thread-safe.
 */
final class Recurrence {
    /** The longest interval. */
    static final int MAX_INTERVAL = 1_000;

    /** The largest count. */
    static final int MAX_COUNT = 10_000;

    private static final Set<String> KNOWN =
            Set.of("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "WKST");
    private static final Pattern DAY = Pattern.compile("([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)");
    private static final Pattern NUMBER = Pattern.compile("[+-]?[0-9]{1,6}");
    private static final int DAYS_OF_WEEK = 7;
    private final Frequency frequency;
    private final int interval;
    private final Optional<Integer> count;
    private final Optional<String> until;
    private final List<WeekDay> days;
    private final Set<Integer> monthDays;
    private final Set<Integer> months;
    private final DayOfWeek weekStart;
    private final String text;

    private enum Frequency {
        DAILY,
        WEEKLY,
        MONTHLY,
        YEARLY
    }

    /** A day of the week: the n-th of its month or year, counted from the end if negative, or with 0 every one. */
    private record WeekDay(int ordinal, DayOfWeek day) {
        boolean inMonth(LocalDate date) {
            return in(date, date.getDayOfMonth(), date.lengthOfMonth());
        }

        boolean inYear(LocalDate date) {
            return in(date, date.getDayOfYear(), date.lengthOfYear());
        }

        private boolean in(LocalDate date, int position, int length) {
            return day == date.getDayOfWeek()
                    && (ordinal == 0
                            || ordinal == (position - 1) / DAYS_OF_WEEK + 1
                            || ordinal == -((length - position) / DAYS_OF_WEEK + 1));
        }
    }

    private Recurrence(Map<String, String> parts) {
        frequency = frequency(parts);
        interval = number("INTERVAL", parts.getOrDefault("INTERVAL", "1"), 1, MAX_INTERVAL);
        count = Optional.ofNullable(parts.get("COUNT")).map(value -> number("COUNT", value, 1, MAX_COUNT));
        until = Optional.ofNullable(parts.get("UNTIL"));
        days = list(parts, "BYDAY").map(Recurrence::weekDay).toList();
        monthDays = list(parts, "BYMONTHDAY")
                .map(value -> notZero("BYMONTHDAY", number("BYMONTHDAY", value, -31, 31)))
                .collect(Collectors.toUnmodifiableSet());
        months = list(parts, "BYMONTH")
                .map(value -> number("BYMONTH", value, 1, 12))
                .collect(Collectors.toUnmodifiableSet());
        WeekDay start = weekDay(parts.getOrDefault("WKST", "MO"));
        if (start.ordinal() != 0) {
            throw refused("WKST", parts.getOrDefault("WKST", ""), "name a day without a number");
        }
        weekStart = start.day();
        text = parts.entrySet().stream()
                .map(part -> part.getKey() + "=" + part.getValue())
                .collect(Collectors.joining(";"));
        checkTogether(parts);
    }

    /**
     * Reads the value of an {@code RRULE}.
     *
     * @throws IllegalArgumentException if it is malformed, or outside the subset
     */
    static Recurrence parse(String value) {
        Map<String, String> parts =
                new TreeMap<>(Comparator.comparing((String name) -> name.equals("FREQ") ? "" : name));
        for (String part : value.toUpperCase(Locale.ROOT).split(";", -1)) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? part : part.substring(0, equals);
            if (equals < 1 || equals == part.length() - 1) {
                throw new IllegalArgumentException(
                        "RRULE %s is malformed at %s: write parts as NAME=VALUE, separated by semicolons"
                                .formatted(Line.quote(value), Line.quote(part)));
            }
            if (!KNOWN.contains(name)) {
                throw refused(
                        name,
                        part.substring(equals + 1),
                        "implementations disagree on it, or it is unknown: use "
                                + "FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH and WKST");
            }
            if (parts.put(name, part.substring(equals + 1)) != null) {
                throw refused(name, part.substring(equals + 1), "it is there twice: keep one");
            }
        }
        return new Recurrence(parts);
    }

    private static Frequency frequency(Map<String, String> parts) {
        String name = parts.getOrDefault("FREQ", "");
        return Arrays.stream(Frequency.values())
                .filter(it -> it.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        refused("FREQ", name, "use DAILY, WEEKLY, MONTHLY or YEARLY; open hours recur at most daily"));
    }

    private static WeekDay weekDay(String value) {
        Matcher form = DAY.matcher(value);
        if (!form.matches()) {
            throw refused("BYDAY", value, "write days as MO or, in a month or year, 2MO and -1FR");
        }
        String ordinal = form.group(1);
        int number = ordinal == null ? 0 : notZero("BYDAY", Integer.parseInt(ordinal));
        DayOfWeek day = Arrays.stream(DayOfWeek.values())
                .filter(it -> it.name().startsWith(value.substring(value.length() - 2)))
                .findFirst()
                .orElseThrow();
        return new WeekDay(number, day);
    }

    private static Stream<String> list(Map<String, String> parts, String name) {
        String value = parts.get(name);
        return value == null ? Stream.empty() : Arrays.stream(value.split(",", -1));
    }

    private static int number(String part, String value, int least, int most) {
        int number = NUMBER.matcher(value).matches() ? Integer.parseInt(value) : Integer.MIN_VALUE;
        if (number < least || number > most) {
            throw refused(part, value, "use %d to %d".formatted(least, most));
        }
        return number;
    }

    private static int notZero(String part, int number) {
        if (number == 0) {
            throw refused(part, "0", "count from 1, or from -1 backwards");
        }
        return number;
    }

    private void checkTogether(Map<String, String> parts) {
        if (count.isPresent() && until.isPresent()) {
            throw refused("COUNT", parts.getOrDefault("COUNT", ""), "UNTIL is there too: keep one of them");
        }
        String byDay = parts.getOrDefault("BYDAY", "");
        String byMonthDay = parts.getOrDefault("BYMONTHDAY", "");
        boolean ordinals = days.stream().anyMatch(it -> it.ordinal() != 0);
        int most = frequency == Frequency.MONTHLY || !months.isEmpty() ? 5 : 53;
        if (ordinals && frequency != Frequency.MONTHLY && frequency != Frequency.YEARLY) {
            throw refused("BYDAY", byDay, "numbers need FREQ=MONTHLY or YEARLY");
        }
        if (days.stream().anyMatch(it -> Math.abs(it.ordinal()) > most)) {
            throw refused("BYDAY", byDay, "a month has no more than 5 of a day, a year no more than 53");
        }
        if (!monthDays.isEmpty() && frequency == Frequency.WEEKLY) {
            throw refused("BYMONTHDAY", byMonthDay, "a weekly rule has none: use FREQ=MONTHLY");
        }
        if (monthDays.stream().anyMatch(it -> it < 0) && frequency == Frequency.DAILY) {
            // libical 3.0 leaves such days out.
            throw refused("BYMONTHDAY", byMonthDay, "days counted from the end need FREQ=MONTHLY");
        }
        if (!monthDays.isEmpty() && frequency == Frequency.YEARLY && months.isEmpty()) {
            throw refused("BYMONTHDAY", byMonthDay, "add BYMONTH, or use FREQ=MONTHLY");
        }
        if (!monthDays.isEmpty() && ordinals) {
            throw refused("BYMONTHDAY", byMonthDay, "BYDAY has numbers: keep one of them");
        }
    }

    /** Returns how many times it recurs, if the rule counts. */
    Optional<Integer> count() {
        return count;
    }

    /** Returns the value of {@code UNTIL} as written, if there is one. */
    Optional<String> until() {
        return until;
    }

    /**
     * Returns whether the rule recurs on a date, leaving aside {@code COUNT} and {@code UNTIL}.
     *
     * @param first the date of {@code DTSTART}
     */
    boolean recurs(LocalDate first, LocalDate date) {
        return !date.isBefore(first)
                && inPeriod(first, date)
                && (months.isEmpty() || months.contains(date.getMonthValue()))
                && onDay(first, date);
    }

    private boolean inPeriod(LocalDate first, LocalDate date) {
        long periods = switch (frequency) {
            case DAILY -> ChronoUnit.DAYS.between(first, date);
            case WEEKLY -> ChronoUnit.WEEKS.between(week(first), week(date));
            case MONTHLY -> ChronoUnit.MONTHS.between(YearMonth.from(first), YearMonth.from(date));
            case YEARLY -> date.getYear() - first.getYear();
        };
        return periods % interval == 0;
    }

    private LocalDate week(LocalDate date) {
        return date.minusDays(Math.floorMod(date.getDayOfWeek().getValue() - weekStart.getValue(), DAYS_OF_WEEK));
    }

    /** The table of section 3.3.10: where a part that would name the day is left out, the first date stands in for it. */
    private boolean onDay(LocalDate first, LocalDate date) {
        boolean named = !days.isEmpty() || !monthDays.isEmpty();
        boolean sameDay = date.getDayOfMonth() == first.getDayOfMonth();
        return switch (frequency) {
            case DAILY -> onMonthDay(date) && onWeekDay(date, false);
            case WEEKLY -> named ? onWeekDay(date, false) : date.getDayOfWeek() == first.getDayOfWeek();
            case MONTHLY -> named ? onMonthDay(date) && onWeekDay(date, false) : sameDay;
            case YEARLY ->
                named
                        ? onMonthDay(date) && onWeekDay(date, months.isEmpty())
                        : sameDay && (!months.isEmpty() || date.getMonth() == first.getMonth());
        };
    }

    private boolean onMonthDay(LocalDate date) {
        return monthDays.isEmpty()
                || monthDays.contains(date.getDayOfMonth())
                || monthDays.contains(date.getDayOfMonth() - date.lengthOfMonth() - 1);
    }

    private boolean onWeekDay(LocalDate date, boolean ofYear) {
        return days.isEmpty() || days.stream().anyMatch(it -> ofYear ? it.inYear(date) : it.inMonth(date));
    }

    private static IllegalArgumentException refused(String part, String value, String remedy) {
        return new IllegalArgumentException(
                "RRULE part %s can't be used: %s".formatted(Line.quote(part + "=" + value), remedy));
    }

    /** Returns the value that {@link #parse} reads: in capitals, {@code FREQ} first and then by name. */
    @Override
    public String toString() {
        return text;
    }
}
