package org.computehive.market;

import java.time.Duration;
import java.time.Instant;
import org.computehive.schedule.Window;

/**
 * What a renter owes who calls a rental off late, ends it soon after, or never comes. Part of a listing's rules and of what
 * both parties sign.
 *
 * <p>Shares are in basis points of the deposit and charged in whole seconds of the window, rounded down, since the escrow
 * counts in seconds. Immutable and thread-safe.
 *
 * <h2>What enforces it</h2>
 *
 * The offer carries these terms, for what was booked and for each extension by its own window, so the escrow's contract knows
 * them: a renter who ends the escrow by its own hand pays the late share there and then, to the unit that the engine's
 * receipt would say; a lender that gives up late loses the same share of its bond, and all of it within the grace. A lender
 * reports on the chain that the renter never came, and is paid the share unless the renter disputes; that takes an {@link
 * Stakes#arbiter arbiter}. Where both sign a receipt, that is what is paid. The engine never pays more than the terms say.
 *
 * @param notice a rental is called off for nothing until so long before the window's start
 * @param lateShare what is owed at least after that, by a renter who calls off or ends the session early, 0 to 10,000 basis
 *     points of the deposit
 * @param noShowAfter how long after the session is usable, and the window begun, a renter must have entered it; the session
 *     ends then. {@link Duration#ZERO}: a session runs to its end whether somebody comes or not
 * @param noShowShare what a renter who never came owes at least, 0 to 10,000 basis points of the deposit; the time for which
 *     the session stood ready is owed in any case
 */
public record Cancellation(Duration notice, int lateShare, Duration noShowAfter, int noShowShare) {
    /** The whole deposit. */
    public static final int WHOLE = 10_000;

    private static final Duration MOST = Duration.ofDays(366);

    /** Called off for nothing until the start, and nobody has to come. */
    public static final Cancellation FREE = new Cancellation(Duration.ZERO, 0, Duration.ZERO, 0);

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a time is negative, over 366 days or not in whole seconds, a share is not 0 to
     *     10,000, or a share is set that nothing calls for
     */
    public Cancellation {
        within("notice", notice);
        within("noShowAfter", noShowAfter);
        within("lateShare", lateShare);
        within("noShowShare", noShowShare);
        if (noShowShare > 0 && noShowAfter.isZero()) {
            throw new IllegalArgumentException(
                    "noShowShare %d is never owed while noShowAfter is zero: set both or neither"
                            .formatted(noShowShare));
        }
    }

    private static void within(String what, Duration value) {
        if (value.isNegative() || value.compareTo(MOST) > 0 || value.getNano() != 0) {
            throw new IllegalArgumentException(
                    "%s %s is out of range: PT0S to %s in whole seconds".formatted(what, value, MOST));
        }
    }

    private static void within(String what, int share) {
        if (share < 0 || share > WHOLE) {
            throw new IllegalArgumentException(
                    "%s %d is out of range: 0 to %d basis points".formatted(what, share, WHOLE));
        }
    }

    /** Returns whether calling off at an instant is too late to be free. */
    public boolean isLate(Instant at, Window window) {
        return at.isAfter(window.start().minus(notice));
    }

    /** Returns the whole seconds of a window that calling it off late costs. */
    public Duration lateCharge(Window window) {
        return share(window, lateShare);
    }

    /** Returns whether a session ends whose renter doesn't come. */
    public boolean endsNoShows() {
        return noShowAfter.isPositive();
    }

    /** Returns the whole seconds of a window that not coming costs at least. */
    public Duration noShowCharge(Window window) {
        return share(window, noShowShare);
    }

    private static Duration share(Window window, int basisPoints) {
        return Duration.ofSeconds(window.length().toSeconds() * basisPoints / WHOLE);
    }
}
