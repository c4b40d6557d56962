package org.computehive.demand;

import java.time.Duration;
import java.time.Instant;

/**
 * What was seen of demand for one class of gpus, over some time up to an instant, such as a day. Immutable.
 *
 * @param until the end of that time
 * @param utilisation the share of the gpu-hours on offer that were booked, 0 to 1
 * @param searches how many searches there were for such gpus, 0 or more
 * @param foundNothing how many of them found no free gpu, 0 to {@code searches}
 * @param bookings how many bookings were made, 0 or more
 * @param leadTime the median time from booking to the window's start, 0 or more; 0 without bookings
 */
public record DemandSignals(
        Instant until, double utilisation, long searches, long foundNothing, long bookings, Duration leadTime) {
    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range; the message names it
     */
    public DemandSignals {
        if (!(utilisation >= 0 && utilisation <= 1)) {
            throw new IllegalArgumentException(
                    "utilisation %s is not 0 to 1: leave it out if unknown".formatted(utilisation));
        }
        if (searches < 0 || foundNothing < 0 || foundNothing > searches) {
            throw new IllegalArgumentException("%d of %d searches found nothing: give counts from 0, not more than all"
                    .formatted(foundNothing, searches));
        }
        if (bookings < 0 || leadTime.isNegative()) {
            throw new IllegalArgumentException(
                    "%d bookings with a lead time of %s: neither may be negative".formatted(bookings, leadTime));
        }
    }

    /** Returns the share of searches that found nothing, or 0 without searches. */
    public double missedShare() {
        return searches == 0 ? 0 : (double) foundNothing / searches;
    }
}
