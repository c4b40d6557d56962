package org.computehive.rental;

import java.time.Instant;

/**
 * Something to be done outside for a rental. Keyed by the rental's id and the step; safe to repeat.
 *
 * @param step what is to be done
 * @param due when, at the earliest
 */
public record RentalEffect(Step step, Instant due) {
    /** What can be done, in the order of a rental's life. */
    public enum Step {
        /** Write the offer that the lender is to sign. */
        WRITE_OFFER,
        /** See whether the escrow was opened, or the hold ran out. */
        WATCH_FUNDING,
        /** Send the parties their calendar message. */
        NOTIFY,
        /** See whether the escrow was closed on the chain behind our back. */
        WATCH_ESCROW,
        /** Begin the lead time. */
        START,
        /** Make keys, overlay and VM. */
        BOOT,
        /** Find another place that is equal, once the one before is taken down. */
        PLACE,
        /** Admit the renter at the gateway and prove that the session is usable. */
        PROVE,
        /** Write the offer of an extension that the lender is to sign. */
        WRITE_EXTENSION,
        /** See whether the escrow of an extension was opened, or its hold ran out. */
        WATCH_EXTENSION,
        /** Tell VM and gateway that the session ends at another time. */
        MOVE_END,
        /** End the session because its renter never came. */
        END_NO_SHOW,
        /** End the session because its window is over. */
        END,
        /** Close the renter's connections and let none in. */
        CUT_ACCESS,
        /** Destroy the VM. */
        DESTROY,
        /** Erase the disk key. */
        ERASE,
        /** Ready the gpus for the next session. */
        TURN_OVER,
        /** Take down what was left at a place whose host was lost, once it answers again. */
        SWEEP,
        /** Settle the escrow. */
        SETTLE
    }
}
