package org.computehive.market.matching;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.computehive.market.Amount;

/**
 * What a renter asks for: some gpus for a length of time, not before one instant and done by another.
 *
 * <p>Immutable and thread-safe.
 *
 * @param id its name, for the answer; 1 to 80 characters
 * @param gpus how many gpus at least, 1 to 64
 * @param length how long, in whole seconds
 * @param earliest the earliest start, in whole seconds
 * @param latestEnd the latest end, in whole seconds; at most {@link #MAX_SPAN} after {@code earliest}
 * @param worth the most that the renter gives for it, all that the {@link Objective} counts included
 */
public record Request(String id, int gpus, Duration length, Instant earliest, Instant latestEnd, Amount worth) {
    /** The longest time between the earliest start and the latest end. */
    public static final Duration MAX_SPAN = Duration.ofDays(366);

    private static final int MAX_GPUS = 64;
    private static final int MAX_ID = 80;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range, not in whole seconds, or the length does not fit between
     *     the bounds
     */
    public Request {
        Objects.requireNonNull(worth, "worth");
        checkId(id);
        if (gpus < 1 || gpus > MAX_GPUS) {
            throw new IllegalArgumentException("gpu count %d is out of range: 1 to %d".formatted(gpus, MAX_GPUS));
        }
        Duration span = Duration.between(earliest, latestEnd);
        if (!length.isPositive() || length.compareTo(span) > 0 || span.compareTo(MAX_SPAN) > 0) {
            throw new IllegalArgumentException(
                    "request %s of %s does not fit from %s to %s, or these are over %d days apart"
                            .formatted(id, length, earliest, latestEnd, MAX_SPAN.toDays()));
        }
        if (length.getNano() != 0 || earliest.getNano() != 0 || latestEnd.getNano() != 0) {
            throw new IllegalArgumentException("request %s of %s from %s to %s must be in whole seconds: cut it to %s"
                    .formatted(id, length, earliest, latestEnd, ChronoUnit.SECONDS));
        }
    }

    static void checkId(String id) {
        if (id.isBlank() || id.length() > MAX_ID || id.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "id of %d characters can't be used: give 1 to %d on one line".formatted(id.length(), MAX_ID));
        }
    }
}
