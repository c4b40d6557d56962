package org.computehive.pricing;

import java.time.Duration;
import java.util.Optional;

/**
 * What the booking store says of demand for one class of gpus, over some time up to now. Immutable.
 *
 * @param utilisation the share of gpu-hours that were booked, 0 to 1
 * @param searches how many searches there were for such gpus, 0 or more
 * @param foundNothing how many of them found no free gpu, 0 to {@code searches}
 * @param leadTime the median time from booking to the window's start, if there were bookings
 */
public record DemandSignals(double utilisation, long searches, long foundNothing, Optional<Duration> leadTime) {
    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range; the message names it
     */
    public DemandSignals {
        if (!(utilisation >= 0 && utilisation <= 1)) {
            throw new IllegalArgumentException("utilisation %s is not 0 to 1".formatted(utilisation));
        }
        if (searches < 0 || foundNothing < 0 || foundNothing > searches) {
            throw new IllegalArgumentException("%d of %d searches found nothing: give counts from 0, not more than all"
                    .formatted(foundNothing, searches));
        }
        leadTime.ifPresent(time -> {
            if (time.isNegative()) {
                throw new IllegalArgumentException("lead time %s is negative: leave it out".formatted(time));
            }
        });
    }

    /** Returns the share of searches that found nothing, or 0 without searches. */
    public double missedShare() {
        return searches == 0 ? 0 : (double) foundNothing / searches;
    }
}
