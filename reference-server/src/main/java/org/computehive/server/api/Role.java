package org.computehive.server.api;

/** What a token lets its holder do, besides what the engine lets its account do. */
public enum Role {
    /** Offers gpus and is paid. */
    LENDER,
    /** Rents and pays. */
    RENTER,
    /** Runs the platform: makes tokens. */
    OPERATOR,
    /** Decides disputes of the rentals whose offers name it. */
    ARBITER,
    /** May only read and verify. */
    AUDITOR
}
