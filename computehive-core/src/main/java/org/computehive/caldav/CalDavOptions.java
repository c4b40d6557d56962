package org.computehive.caldav;

import java.time.Duration;

/**
 * What the operator decides about CalDAV.
 *
 * @param privateAddresses whether a server may have an address that is not one of the public Internet's, such as loopback
 *     or a company's own network: only where the operator, and no party, says which servers are written to
 * @param patience how long one delivery may take, up to a minute
 */
public record CalDavOptions(boolean privateAddresses, Duration patience) {
    private static final Duration MOST = Duration.ofMinutes(1);

    /** Public addresses alone, 10 seconds. */
    public static final CalDavOptions DEFAULT = new CalDavOptions(false, Duration.ofSeconds(10));

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if the patience is not positive, or over a minute
     */
    public CalDavOptions {
        if (!patience.isPositive() || patience.compareTo(MOST) > 0) {
            throw new IllegalArgumentException(
                    "CalDAV patience %s must be more than zero and at most %s".formatted(patience, MOST));
        }
    }
}
