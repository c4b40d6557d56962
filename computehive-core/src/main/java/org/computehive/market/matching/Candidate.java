package org.computehive.market.matching;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.computehive.market.Rate;
import org.computehive.schedule.Window;

/**
 * Gpus that are rented as one lot, and when a rental of them could be.
 *
 * <p>Immutable and thread-safe.
 *
 * @param id its name, such as its listing's; 1 to 80 characters
 * @param gpus how many gpus the lot has, at least one
 * @param rate the rent of the lot; all candidates in one call are in one token
 * @param turnover how long the gpus stay blocked after a rental, from nothing to 366 days
 * @param free within which windows a rental may lie, in any order, none overlapping: the lender's hours without what is
 *     booked, each booking with the turnovers before and after it. Give them whole, not cut to the request: what is left
 *     over beside a window is part of the choice
 */
public record Candidate(String id, int gpus, Rate rate, Duration turnover, List<Window> free) {
    /** How many free windows there may be. */
    public static final int MAX_FREE = 10_000;

    /**
     * Copies and sorts the windows, and checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range, or windows overlap
     */
    public Candidate {
        Objects.requireNonNull(rate, "rate");
        Request.checkId(id);
        if (gpus < 1 || turnover.isNegative() || turnover.compareTo(Request.MAX_SPAN) > 0 || free.size() > MAX_FREE) {
            throw new IllegalArgumentException(
                    "candidate %s with %d gpus, turnover %s and %d free windows is out of range: at least 1 gpu, PT0S to %d days, at most %d windows"
                            .formatted(id, gpus, turnover, free.size(), Request.MAX_SPAN.toDays(), MAX_FREE));
        }
        free = free.stream()
                .sorted(java.util.Comparator.comparing(Window::start))
                .toList();
        for (int i = 1; i < free.size(); i++) {
            if (free.get(i - 1).overlaps(free.get(i))) {
                throw new IllegalArgumentException("free windows %s and %s of candidate %s overlap: join them"
                        .formatted(free.get(i - 1), free.get(i), id));
            }
        }
    }
}
