package org.computehive.demand;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.computehive.schedule.Window;

/**
 * When a lender's own gpus are booked, and how long ahead: all that a price may know of the time of the week and of notice.
 *
 * <p>The week has {@value #PARTS} parts: Monday to Friday and the weekend, each in four times of six hours from 00:00 UTC.
 * Immutable.
 *
 * @param bookings how many bookings it was made from, 0 or more
 * @param utilisation for each part the share of its gpu-hours that were booked, 0 to 1; the four of the weekdays first
 * @param leadTimes eleven times from booking to start, from the shortest through the deciles to the longest; empty without
 *     bookings
 */
public record BookingPattern(long bookings, List<Double> utilisation, List<Duration> leadTimes) {
    /** The parts of a week. */
    public static final int PARTS = 8;

    private static final int DECILES = 10;
    private static final long HOUR = 3_600;

    /**
     * Copies the lists and checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range; the message names it
     */
    public BookingPattern {
        utilisation = List.copyOf(utilisation);
        leadTimes = List.copyOf(leadTimes);
        if (bookings < 0 || utilisation.size() != PARTS || leadTimes.size() != (bookings == 0 ? 0 : DECILES + 1)) {
            throw new IllegalArgumentException(
                    "%d bookings, %d parts of the week and %d lead times: give %d parts, and 11 lead times if there are bookings"
                            .formatted(bookings, utilisation.size(), leadTimes.size(), PARTS));
        }
        for (double share : utilisation) {
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException("utilisation %s is not 0 to 1".formatted(share));
            }
        }
        Duration before = Duration.ZERO;
        for (Duration lead : leadTimes) {
            if (lead.compareTo(before) < 0) {
                throw new IllegalArgumentException(
                        "lead time %s after %s: give them in order, none negative".formatted(lead, before));
            }
            before = lead;
        }
    }

    /**
     * A booking of a lender's.
     *
     * @param at when it was made
     * @param window what was booked
     * @param gpus how many gpus, at least 1
     */
    public record Booked(Instant at, Window window, int gpus) {}

    /**
     * Returns the pattern of bookings.
     *
     * @param all the lender's bookings
     * @param gpus how many gpus the lender has, at least 1
     * @param period the time that was looked at, at most a year
     */
    public static BookingPattern of(List<Booked> all, int gpus, Window period) {
        if (gpus < 1 || period.length().compareTo(Duration.ofDays(366)) > 0) {
            throw new IllegalArgumentException(
                    "%d gpus in %s: give 1 gpu at least and a year at most".formatted(gpus, period));
        }
        double[] booked = new double[PARTS];
        double[] there = hours(period);
        long[] leads = all.stream()
                .mapToLong(b ->
                        Math.max(0, Duration.between(b.at(), b.window().start()).toSeconds()))
                .sorted()
                .toArray();
        for (Booked booking : all) {
            if (booking.window().overlaps(period)) {
                Window inside = new Window(
                        later(booking.window().start(), period.start()),
                        earlier(booking.window().end(), period.end()));
                double[] hours = hours(inside);
                for (int i = 0; i < PARTS; i++) {
                    booked[i] += hours[i] * booking.gpus();
                }
            }
        }
        return new BookingPattern(
                leads.length,
                Arrays.stream(shares(booked, there, gpus)).boxed().toList(),
                leads.length == 0 ? List.of() : deciles(leads));
    }

    private static double[] shares(double[] booked, double[] there, int gpus) {
        double[] shares = new double[PARTS];
        for (int i = 0; i < PARTS; i++) {
            shares[i] = there[i] == 0 ? 0 : Math.min(1, booked[i] / (there[i] * gpus));
        }
        return shares;
    }

    private static List<Duration> deciles(long[] sorted) {
        Duration[] deciles = new Duration[DECILES + 1];
        for (int i = 0; i <= DECILES; i++) {
            deciles[i] = Duration.ofSeconds(sorted[(int) ((sorted.length - 1L) * i / DECILES)]);
        }
        return List.of(deciles);
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }

    /** Returns the part of the week that an instant lies in, from 0. */
    static int part(long epochSecond) {
        long day = Math.floorMod(Math.floorDiv(epochSecond, 86_400) + 3, 7); // 1970-01-01 was a Thursday
        int six = (int) (Math.floorMod(epochSecond, 86_400) / (6 * HOUR));
        return (day >= 5 ? 4 : 0) + six;
    }

    /** Returns how many hours of a window lie in each part of the week. */
    static double[] hours(Window window) {
        double[] hours = new double[PARTS];
        long at = window.start().getEpochSecond();
        long end = window.end().getEpochSecond();
        while (at < end) {
            long next = Math.min(end, (Math.floorDiv(at, 6 * HOUR) + 1) * 6 * HOUR);
            hours[part(at)] += (next - at) / (double) HOUR;
            at = next;
        }
        return hours;
    }

    /** Returns the mean of the parts' utilisation, weighted by the hours of a week that they have. */
    public double usualUtilisation() {
        double sum = 0;
        for (int i = 0; i < PARTS; i++) {
            sum += utilisation.get(i) * (i < 4 ? 5 : 2) / 28.;
        }
        return sum;
    }

    /** Returns the utilisation that a window usually has, by the parts of the week that it lies in. */
    public double utilisationOf(Window window) {
        // Whole weeks say nothing, so a long window costs no more than a short one.
        Window last = window.length().compareTo(Duration.ofDays(14)) < 0
                ? window
                : Window.of(window.start(), Duration.ofDays(14));
        double[] hours = hours(last);
        double sum = 0;
        double all = 0;
        for (int i = 0; i < PARTS; i++) {
            sum += hours[i] * utilisation.get(i);
            all += hours[i];
        }
        return all == 0 ? usualUtilisation() : sum / all;
    }

    /** Returns the share of bookings that were made with no more notice than this, 0 to 1; 1 without bookings. */
    public double shareWithin(Duration notice) {
        if (leadTimes.isEmpty()) {
            return 1;
        }
        int within = 0;
        while (within <= DECILES && leadTimes.get(within).compareTo(notice) <= 0) {
            within++;
        }
        if (within == 0 || within > DECILES) {
            return within == 0 ? 0 : 1;
        }
        double from = leadTimes.get(within - 1).toMillis();
        double to = leadTimes.get(within).toMillis();
        return (within - 1 + (notice.toMillis() - from) / (to - from)) / DECILES;
    }
}
