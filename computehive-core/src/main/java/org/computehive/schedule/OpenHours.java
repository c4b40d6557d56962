package org.computehive.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * One {@code VEVENT} or {@code AVAILABLE} as stretches on the wall clock of its zone.
 *
 * <p>A recurrence whose start is skipped by a clock change does not exist and is not counted, as RFC 5545, section 3.3.10,
 * says; nothing is moved. Its end is a time on the wall clock too: hours from 22:00 to 06:00 are that in every night,
 * however long the night is. Immutable and thread-safe.
 */
final class OpenHours implements WallClock.Hours {
    /** The longest stretch. */
    static final Duration MAX_LENGTH = Duration.ofDays(366);

    /** How long after its first date a rule that counts must be done. */
    static final int MAX_COUNTED_YEARS = 100;

    private final ZoneId zone;
    private final boolean wholeDays;
    private final LocalDateTime start;
    private final Duration length;
    private final Optional<Recurrence> rule;
    private final LocalDate last;
    private final NavigableSet<LocalDateTime> more;
    private final SortedSet<LocalDateTime> except;

    private OpenHours(Draft draft, LocalDate last) {
        zone = draft.zone();
        wholeDays = draft.wholeDays();
        start = draft.start();
        length = draft.length();
        rule = draft.rule();
        more = new TreeSet<>(draft.more());
        except = new TreeSet<>(draft.except());
        this.last = last;
    }

    /**
     * What a component says, times in its zone.
     *
     * @param zone the zone that its times are in
     * @param wholeDays whether it gives dates, not times
     * @param start the first start
     * @param length the time from start to end on the wall clock
     * @param rule its recurrence rule
     * @param until the last instant at which it may recur
     * @param lastDay the last date on which it may recur
     * @param more further starts ({@code RDATE})
     * @param except starts left out ({@code EXDATE})
     */
    record Draft(
            ZoneId zone,
            boolean wholeDays,
            LocalDateTime start,
            Duration length,
            Optional<Recurrence> rule,
            Optional<Instant> until,
            Optional<LocalDate> lastDay,
            List<LocalDateTime> more,
            List<LocalDateTime> except) {}

    /**
     * Checks that a component has one sure meaning.
     *
     * @throws IllegalArgumentException if not
     */
    static OpenHours of(Draft draft) {
        if (!draft.length().isPositive() || draft.length().compareTo(MAX_LENGTH) > 0) {
            throw new IllegalArgumentException("hours from %s are %s long: end them later, at most %d days"
                    .formatted(draft.start(), draft.length(), MAX_LENGTH.toDays()));
        }
        OpenHours unbounded = new OpenHours(draft, LocalDate.MAX);
        unbounded.checkStarts("DTSTART", List.of(draft.start()));
        unbounded.checkStarts("RDATE", draft.more());
        LocalDate first = draft.start().toLocalDate();
        draft.rule().filter(it -> !it.recurs(first, first)).ifPresent(rule -> {
            throw new IllegalArgumentException(
                    "DTSTART %s is no date of RRULE %s, which RFC 5545 leaves undefined: move it to the rule's first date"
                            .formatted(draft.start(), rule));
        });
        OpenHours hours = new OpenHours(draft, unbounded.lastDate(draft));
        for (LocalDateTime excluded : draft.except()) {
            if (!hours.isStart(excluded)) {
                throw new IllegalArgumentException(
                        "EXDATE %s excludes nothing, as no hours begin then: give the exact start, or leave it out"
                                .formatted(excluded));
            }
        }
        return hours;
    }

    private void checkStarts(String property, List<LocalDateTime> starts) {
        for (LocalDateTime at : starts) {
            if (!exists(at)) {
                throw new IllegalArgumentException("%s %s is skipped by a clock change in %s: choose a time that exists"
                        .formatted(property, at, zone));
            }
            if (at.isBefore(start)) {
                throw new IllegalArgumentException(
                        "%s %s is before DTSTART %s: begin with the earliest".formatted(property, at, start));
            }
        }
    }

    private LocalDate lastDate(Draft draft) {
        Optional<LocalDate> until = draft.lastDay().or(() -> draft.until().map(this::lastDate));
        until.filter(it -> it.isBefore(start.toLocalDate())).ifPresent(it -> {
            throw new IllegalArgumentException(
                    "RRULE part UNTIL is before DTSTART %s: end the rule later, or leave it out".formatted(start));
        });
        return until.or(() -> rule.flatMap(Recurrence::count).map(this::dateOf)).orElse(LocalDate.MAX);
    }

    private LocalDate lastDate(Instant until) {
        // No clock change is two days long.
        LocalDate date = LocalDateTime.ofInstant(until, zone).toLocalDate().plusDays(2);
        while (instant(date.atTime(start.toLocalTime())).isAfter(until)) {
            date = date.minusDays(1);
        }
        return date;
    }

    private LocalDate dateOf(int count) {
        int left = count;
        LocalDate end = start.toLocalDate().plusYears(MAX_COUNTED_YEARS);
        for (LocalDate date = start.toLocalDate(); date.isBefore(end); date = date.plusDays(1)) {
            left -= recurs(date) ? 1 : 0;
            if (left == 0) {
                return date;
            }
        }
        throw new IllegalArgumentException(
                "RRULE part COUNT=%d is not reached within %d years: use UNTIL, or leave it out"
                        .formatted(count, MAX_COUNTED_YEARS));
    }

    /** The first of both passes where a clock change repeats a time (section 3.3.5). */
    private Instant instant(LocalDateTime time) {
        return time.atZone(zone).toInstant();
    }

    private boolean exists(LocalDateTime time) {
        return wholeDays || !zone.getRules().getValidOffsets(time).isEmpty();
    }

    private boolean recurs(LocalDate date) {
        return rule.map(it -> it.recurs(start.toLocalDate(), date)).orElse(date.equals(start.toLocalDate()))
                && exists(date.atTime(start.toLocalTime()));
    }

    private boolean isStart(LocalDateTime time) {
        LocalDate date = time.toLocalDate();
        return more.contains(time)
                || (time.toLocalTime().equals(start.toLocalTime()) && !date.isAfter(last) && recurs(date));
    }

    @Override
    public List<WallClock.Stretch> near(WallClock.Stretch asked) {
        LocalDateTime earliest = asked.start().minus(length);
        TreeSet<LocalDateTime> starts = new TreeSet<>(more.subSet(earliest, true, asked.end(), true));
        LocalDate from = max(earliest.toLocalDate(), start.toLocalDate());
        LocalDate to = min(asked.end().toLocalDate(), rule.isPresent() ? last : start.toLocalDate());
        LocalTime at = start.toLocalTime();
        for (LocalDate date = from; !date.isAfter(to); date = date.plus(1, ChronoUnit.DAYS)) {
            if (recurs(date)) {
                starts.add(date.atTime(at));
            }
        }
        starts.removeAll(except);
        List<WallClock.Stretch> near = new ArrayList<>();
        for (LocalDateTime begin : starts) {
            near.add(new WallClock.Stretch(begin, begin.plus(length)));
        }
        return near;
    }

    private static LocalDate max(LocalDate one, LocalDate other) {
        return one.isAfter(other) ? one : other;
    }

    private static LocalDate min(LocalDate one, LocalDate other) {
        return one.isBefore(other) ? one : other;
    }

    /** Returns the parts of a window that are open. */
    List<Window> openings(Window window) {
        return WallClock.openings(zone, this, window);
    }
}
