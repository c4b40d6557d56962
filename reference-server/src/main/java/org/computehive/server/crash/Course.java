package org.computehive.server.crash;

/** What becomes of a rental, by its parties' will or by what breaks. */
enum Course {
    /** To the window's end; both sign the receipt. */
    TO_THE_END,
    /** The renter ends it early; both sign the receipt. */
    EARLY_END,
    /** To the window's end; nobody signs, the time lock pays. */
    TIME_LOCK,
    /** The renter calls it off once it is funded, and ends the escrow by its own hand. */
    CANCEL_FUNDED,
    /** The guest never answers; the lender gives all back. */
    DEAF_GUEST,
    /** The domain is destroyed behind the engine's back; the lender gives all back. */
    LOST_MACHINE,
    /** The renter closes the escrow on the chain while the session runs. */
    CLOSED_ON_CHAIN,
    /** The lender gives all back before the start. */
    RELEASE,
    /** The renter calls it off before anybody signed. */
    CANCEL_EARLY,
    /** The lender never signs. */
    NEVER_SIGNED,
    /** The renter never funds. */
    NEVER_FUNDED;

    /** Returns the course of a gpu's rentals. */
    static Course of(int number) {
        return values()[number % values().length];
    }
}
