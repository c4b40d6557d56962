package org.computehive.schedule;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Hours of one day of every week on a wall clock, {@code [from, to)}, in whole minutes.
 *
 * <p>Immutable and thread-safe.
 *
 * @param day the day
 * @param from the first minute
 * @param to the first minute after; {@link LocalTime#MIDNIGHT} means 24:00, the day's end
 */
public record WeeklyHours(DayOfWeek day, LocalTime from, LocalTime to) implements Comparable<WeeklyHours> {
    private static final Pattern FORM = Pattern.compile(
            "(MON|TUE|WED|THU|FRI|SAT|SUN) ([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)");
    private static final int LETTERS = 3;

    /**
     * Checks the order of the bounds.
     *
     * @throws IllegalArgumentException if the hours are empty, reach over midnight, or are not in whole minutes
     */
    public WeeklyHours {
        Objects.requireNonNull(day, "day");
        if (!from.equals(from.truncatedTo(ChronoUnit.MINUTES)) || !to.equals(to.truncatedTo(ChronoUnit.MINUTES))) {
            throw new IllegalArgumentException("hours %s-%s must be in whole minutes".formatted(from, to));
        }
        if (!to.equals(LocalTime.MIDNIGHT) && !from.isBefore(to)) {
            throw new IllegalArgumentException(
                    "hours %s-%s on %s end before they begin: split hours over midnight into two days"
                            .formatted(from, to, day));
        }
    }

    /**
     * Reads the form that {@link #toString} writes, such as {@code MON 09:00-24:00}.
     *
     * @throws IllegalArgumentException if it is malformed
     */
    static WeeklyHours parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "hours %s are malformed: write them as MON 09:00-17:00".formatted(Line.quote(text)));
        }
        DayOfWeek day = DayOfWeek.MONDAY;
        while (!shortName(day).equals(form.group(1))) {
            day = day.plus(1);
        }
        LocalTime from = LocalTime.of(number(form, 2), number(form, 3));
        LocalTime to = text.endsWith("-24:00") ? LocalTime.MIDNIGHT : LocalTime.of(number(form, 4), number(form, 5));
        if (to.equals(LocalTime.MIDNIGHT) && !text.endsWith("-24:00")) {
            throw new IllegalArgumentException(
                    "hours %s end at 00:00: write the day's end as 24:00".formatted(Line.quote(text)));
        }
        return new WeeklyHours(day, from, to);
    }

    private static int number(Matcher form, int group) {
        return Integer.parseInt(Objects.requireNonNull(form.group(group)));
    }

    private static String shortName(DayOfWeek day) {
        return day.name().substring(0, LETTERS);
    }

    /** Returns the time from midnight to {@code from}, on a clock that is never changed. */
    Duration fromMidnight() {
        return Duration.ofSeconds(from.toSecondOfDay());
    }

    /** Returns the time from midnight to {@code to}, on a clock that is never changed. */
    Duration toMidnight() {
        return to.equals(LocalTime.MIDNIGHT) ? Duration.ofDays(1) : Duration.ofSeconds(to.toSecondOfDay());
    }

    @Override
    public int compareTo(WeeklyHours other) {
        int days = day.compareTo(other.day);
        return days != 0 ? days : from.compareTo(other.from);
    }

    @Override
    public String toString() {
        String end = to.equals(LocalTime.MIDNIGHT) ? "24:00" : to.toString();
        return String.format(Locale.ROOT, "%s %s-%s", shortName(day), from, end);
    }
}
