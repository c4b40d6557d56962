package org.computehive.demand;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.computehive.demand.BookingPattern.Booked;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

class BookingPatternTest {
    private static final Instant MONDAY = Instant.parse("2026-11-02T00:00:00Z");
    private static final Window FORTNIGHT = Window.of(MONDAY, Duration.ofDays(14));
    private static final long SEED = Long.getLong("computehive.seed", 1);

    private static Booked booked(int day, int hour, int hours, int lead) {
        Instant start = MONDAY.plus(Duration.ofDays(day)).plus(Duration.ofHours(hour));
        return new Booked(start.minus(Duration.ofHours(lead)), Window.of(start, Duration.ofHours(hours)), 1);
    }

    @Test
    void of_mondayToFridayAtNoon_knowsThatPartOfTheWeek() {
        List<Booked> all = IntStream.of(0, 1, 2, 3, 4, 7, 8, 9, 10, 11)
                .mapToObj(day -> booked(day, 12, 6, 10))
                .toList();
        BookingPattern pattern = BookingPattern.of(all, 2, FORTNIGHT);
        assertEquals(List.of(0., 0., .5, 0., 0., 0., 0., 0.), pattern.utilisation());
        assertEquals(.5 * 5 / 28, pattern.usualUtilisation(), 1e-12);
        assertEquals(.5, pattern.utilisationOf(Window.of(MONDAY.plus(Duration.ofHours(37)), Duration.ofHours(2))));
        assertEquals(.25, pattern.utilisationOf(Window.of(MONDAY.plus(Duration.ofHours(9)), Duration.ofHours(6))));
        assertEquals(0, pattern.utilisationOf(Window.of(MONDAY.plus(Duration.ofDays(5)), Duration.ofDays(2))));
    }

    @Test
    void of_bookingThatReachesOutOfThePeriod_countsInside() {
        List<Booked> all = List.of(booked(-3, 0, 24 * 30, 1));
        assertEquals(
                Collections.nCopies(8, 1.), BookingPattern.of(all, 1, FORTNIGHT).utilisation());
    }

    @Test
    void utilisationOf_wholeWeeks_isTheUsual() {
        var random = new Random(SEED);
        var all = new ArrayList<Booked>();
        for (int i = 0; i < 100; i++) {
            all.add(booked(random.nextInt(14), random.nextInt(24), 1 + random.nextInt(30), random.nextInt(50)));
        }
        BookingPattern pattern = BookingPattern.of(all, 9, FORTNIGHT);
        for (int days : new int[] {7, 14, 700}) {
            assertEquals(
                    pattern.usualUtilisation(),
                    pattern.utilisationOf(Window.of(MONDAY.plusSeconds(12_345), Duration.ofDays(days))),
                    1e-12,
                    "seed " + SEED);
        }
    }

    @Test
    void shareWithin_moreNotice_neverLess() {
        List<Booked> all =
                IntStream.range(0, 101).mapToObj(lead -> booked(1, 0, 1, lead)).toList();
        BookingPattern pattern = BookingPattern.of(all, 1, FORTNIGHT);
        assertEquals(.5, pattern.shareWithin(Duration.ofHours(50)), 1e-9);
        assertEquals(.05, pattern.shareWithin(Duration.ofHours(5)), 1e-9);
        assertEquals(1, pattern.shareWithin(Duration.ofHours(100)));
        double before = 0;
        for (int minutes = 0; minutes < 7_000; minutes += 7) {
            double share = pattern.shareWithin(Duration.ofMinutes(minutes));
            assertTrue(share >= before && share <= 1, minutes + " minutes");
            before = share;
        }
        List<Booked> alike = Collections.nCopies(30, booked(1, 0, 1, 5));
        assertEquals(0, BookingPattern.of(alike, 1, FORTNIGHT).shareWithin(Duration.ofHours(4)));
        assertEquals(1, BookingPattern.of(alike, 1, FORTNIGHT).shareWithin(Duration.ofHours(5)));
    }

    @Test
    void of_noBookings_saysNothing() {
        BookingPattern pattern = BookingPattern.of(List.of(), 1, FORTNIGHT);
        assertEquals(0, pattern.usualUtilisation());
        assertEquals(1, pattern.shareWithin(Duration.ZERO));
    }

    @Test
    void pattern_outOfRange_isRefused() {
        List<Double> none = Collections.nCopies(8, 0.);
        List<Duration> leads = Collections.nCopies(11, Duration.ZERO);
        assertThrows(IllegalArgumentException.class, () -> new BookingPattern(-1, none, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new BookingPattern(1, none, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new BookingPattern(1, none.subList(0, 7), leads));
        assertThrows(
                IllegalArgumentException.class, () -> new BookingPattern(1, Collections.nCopies(8, Double.NaN), leads));
        assertThrows(
                IllegalArgumentException.class,
                () -> new BookingPattern(1, none, Collections.nCopies(11, Duration.ofHours(-1))));
        assertThrows(IllegalArgumentException.class, () -> BookingPattern.of(List.of(), 0, FORTNIGHT));
        assertThrows(
                IllegalArgumentException.class,
                () -> BookingPattern.of(List.of(), 1, Window.of(MONDAY, Duration.ofDays(400))));
    }
}
