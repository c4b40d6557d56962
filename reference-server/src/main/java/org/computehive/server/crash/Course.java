package org.computehive.server.crash;

import java.util.Iterator;
import java.util.List;

/** What becomes of a rental, by its parties' will or by what breaks; and the events, in order, by which that is seen. */
enum Course {
    /** To the window's end; both sign the receipt. */
    TO_THE_END("activated", "entered", "ending", "receipt-countersigned", "settled"),
    /** The renter ends it early; both sign the receipt. */
    EARLY_END("activated", "ending", "receipt-countersigned", "settled"),
    /** To the window's end; nobody signs, the time lock pays. */
    TIME_LOCK("activated", "ending", "settled"),
    /** The renter extends the running session; both sign a receipt for each leg. */
    EXTENDED(
            "activated",
            "extension-held",
            "extension-offer-signed",
            "extension-funded",
            "end-moved",
            "ending",
            "extension-receipt-countersigned",
            "extension-settled"),
    /** The lender gives notice and takes its gpu back; both sign the receipt. */
    RECLAIMED("activated", "reclaim-announced", "ending", "receipt-countersigned", "settled"),
    /** The domain is destroyed behind the engine's back, and the session goes on at another gpu; both sign the receipt. */
    REPLACED(
            "activated",
            "interrupted",
            "turned-over",
            "placed",
            "machine-started",
            "activated",
            "ending",
            "receipt-countersigned",
            "settled"),
    /** The guest never answers, and the session begins at another gpu; both sign the receipt. */
    PLACED_BEFORE_IT_BEGAN(
            "placement-failed", "turned-over", "placed", "activated", "receipt-countersigned", "settled"),
    /** The lender keeps the gpu free for a while, nobody can rent it then; afterwards to the window's end. */
    AFTER_MAINTENANCE("activated", "ending", "receipt-countersigned", "settled"),
    /** The renter funds as the hold runs out; with outages, while the engine can't read the chain. */
    LAST_MOMENT("funded", "starting", "settled"),
    /** The renter calls it off once it is funded, and ends the escrow by its own hand. */
    CANCEL_FUNDED("funded", "cancelled", "settled"),
    /** The guest never answers, and there is no other; the lender gives all back. */
    DEAF_GUEST("placement-failed", "start-failed", "release-signed", "settled"),
    /** The domain is destroyed behind the engine's back, and there is no other gpu; the lender gives all back. */
    LOST_MACHINE("activated", "interrupted", "ending", "release-signed", "settled"),
    /** The renter closes the escrow on the chain while the session runs. */
    CLOSED_ON_CHAIN("activated", "ending", "settled"),
    /** The lender gives all back before the start. */
    RELEASE("funded", "release-signed", "settled"),
    /** The renter calls it off before anybody signed. */
    CANCEL_EARLY("offer-written", "cancelled"),
    /** The lender never signs. */
    NEVER_SIGNED("offer-written", "hold-expired"),
    /** The renter never funds. */
    NEVER_FUNDED("offer-signed", "hold-expired");

    private final List<String> signs;

    Course(String... signs) {
        this.signs = List.of(signs);
    }

    /** Returns the course of a gpu's rentals. */
    static Course of(int number) {
        return values()[number % values().length];
    }

    /** Returns whether its gpu has an equal one beside it that nobody books. */
    boolean hasSpare() {
        return this == REPLACED || this == PLACED_BEFORE_IT_BEGAN;
    }

    /** Returns whether its guest never answers. */
    boolean isDeaf() {
        return this == DEAF_GUEST || this == PLACED_BEFORE_IT_BEGAN;
    }

    /** Returns whether a rental went this way, and not another that a kill at a bad time led it. */
    boolean isSeenIn(List<String> kinds) {
        Iterator<String> kind = kinds.iterator();
        return signs.stream().allMatch(sign -> {
            while (kind.hasNext()) {
                if (kind.next().equals(sign)) {
                    return true;
                }
            }
            return false;
        });
    }
}
