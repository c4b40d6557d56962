package org.computehive.schedule;

import java.time.Duration;

/**
 * When a calendar reminds its owner of a booking.
 *
 * <p>Immutable and thread-safe.
 *
 * @param of which end of the booking it is measured from
 * @param before how long before it: whole seconds, zero to 7 days
 * @param text what it says: one line, at most {@value Booking#MAX_SUMMARY} characters
 */
public record Alarm(End of, Duration before, String text) {
    private static final Duration MOST = Duration.ofDays(7);

    /** An end of a booking's window. */
    public enum End {
        /** The window's start. */
        START,
        /** The window's end. */
        END
    }

    /**
     * Checks form and limits.
     *
     * @throws IllegalArgumentException naming the value, its limit and what to do
     */
    public Alarm {
        if (before.isNegative() || before.compareTo(MOST) > 0 || before.getNano() != 0) {
            throw new IllegalArgumentException(
                    "alarm %s must be whole seconds from zero to %s".formatted(before, MOST));
        }
        Booking.checkText("alarm", text, Booking.MAX_SUMMARY, false);
    }
}
