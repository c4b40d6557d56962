package org.computehive.rental;

/**
 * What went wrong, and who answers for it: that chooses the settlement.
 *
 * @param blame who answers
 * @param what what happened, for people
 */
public record Fault(Blame blame, String what) {
    private static final int LIMIT = 500;

    /** Cuts a long text. */
    public Fault {
        what = what.length() > LIMIT ? what.substring(0, LIMIT) + "…" : what;
    }

    /** Who answers for a fault. */
    public enum Blame {
        /** The lender's host. */
        LENDER,
        /** The renter. */
        RENTER,
        /** The platform. */
        PLATFORM,
        /** Nobody. */
        NOBODY
    }
}
