package org.computehive.access;

/**
 * How much one rental may send and receive through a gateway, both directions and all its connections together.
 *
 * <p>Counted in the gateway's memory: a restarted gateway counts anew.
 *
 * @param bytes how many in all; when they are used up its connections end
 * @param bytesPerSecond how many a second, averaged over a second; what is more waits
 */
public record Traffic(long bytes, long bytesPerSecond) {
    /** No limit. */
    public static final Traffic UNLIMITED = new Traffic(Long.MAX_VALUE, Long.MAX_VALUE);

    /** Less would not get a login through. */
    private static final long LEAST_PER_SECOND = 1024;

    /**
     * Checks both.
     *
     * @throws IllegalArgumentException if there are no bytes, or fewer than 1,024 a second
     */
    public Traffic {
        if (bytes < 1 || bytesPerSecond < LEAST_PER_SECOND) {
            throw new IllegalArgumentException(
                    "traffic of %d bytes and %d bytes per second is not allowed: use at least 1 and at least %d"
                            .formatted(bytes, bytesPerSecond, LEAST_PER_SECOND));
        }
    }
}
