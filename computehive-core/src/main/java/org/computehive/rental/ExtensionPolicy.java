package org.computehive.rental;

import java.time.Duration;

/**
 * How far a session may go on beyond what was booked.
 *
 * @param most how many extensions a rental may have, lapsed ones included; 0 forbids them
 * @param longest how long after the booked end the last one may end; a session's own host key is certified until then
 * @param confirm how long before the end an extension must be funded, so that its confirmations come in time
 */
public record ExtensionPolicy(int most, Duration longest, Duration confirm) {
    /** A dozen extensions, a week, and a minute to confirm. */
    public static final ExtensionPolicy DEFAULT = new ExtensionPolicy(12, Duration.ofDays(7), Duration.ofMinutes(1));

    private static final int LIMIT = 100;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if the number is not 0 to 100, or a duration is negative
     */
    public ExtensionPolicy {
        if (most < 0 || most > LIMIT) {
            throw new IllegalArgumentException("%d extensions are out of range: 0 to %d".formatted(most, LIMIT));
        }
        if (longest.isNegative() || confirm.isNegative()) {
            throw new IllegalArgumentException(
                    "longest %s or confirm %s of extensions is negative".formatted(longest, confirm));
        }
    }
}
