package org.computehive.market.matching;

import java.time.Duration;
import java.util.Objects;
import org.computehive.market.Rate;

/**
 * What makes one window better than another, all in the token's units: the rent, what each second of waiting is worth, and
 * what each second of a gap that nobody can rent is worth. The least sum is the best.
 *
 * <p>Of two windows with the same sum the earlier is the better, then the one that strands less, then the one of the first
 * candidate by id. Immutable and thread-safe.
 *
 * @param delay what a second between the request's earliest start and the window's start costs
 * @param stranded what a second of a stranded gap costs
 * @param usefulGap the shortest gap that somebody would rent; at least one second, at most 366 days
 */
public record Objective(Rate delay, Rate stranded, Duration usefulGap) {
    private static final Rate NOTHING = Rate.of(0);
    private static final Rate EVERYTHING = new Rate(Rate.MAX);
    private static final Duration HOUR = Duration.ofHours(1);

    /** The least rent; a gap of an hour is useful. */
    public static final Objective CHEAPEST = new Objective(NOTHING, NOTHING, HOUR);

    /** The earliest start, whatever it costs; of those the least rent. */
    public static final Objective EARLIEST = new Objective(EVERYTHING, NOTHING, HOUR);

    /** The least time stranded in gaps under an hour, whatever it costs; of those the least rent. */
    public static final Objective LEAST_FRAGMENTATION = new Objective(NOTHING, EVERYTHING, HOUR);

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if the useful gap is out of range
     */
    public Objective {
        Objects.requireNonNull(delay, "delay");
        Objects.requireNonNull(stranded, "stranded");
        if (usefulGap.compareTo(Duration.ofSeconds(1)) < 0 || usefulGap.compareTo(Request.MAX_SPAN) > 0) {
            throw new IllegalArgumentException(
                    "useful gap %s is out of range: PT1S to %d days".formatted(usefulGap, Request.MAX_SPAN.toDays()));
        }
    }
}
