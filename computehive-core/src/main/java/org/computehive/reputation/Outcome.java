package org.computehive.reputation;

import java.time.Instant;
import java.util.Objects;
import org.computehive.market.Account;
import org.computehive.market.Amount;

/**
 * How one rental came out: a fact that the engine observed or the chain recorded, not a rating that somebody gave.
 *
 * @param rental the rental's id; an outcome of an id that was seen before is the same outcome
 * @param lender who was to serve
 * @param renter who was to pay
 * @param at when it was over
 * @param verdict what happened, and so who it speaks for or against
 * @param paid what the lender got, by the chain, in the token's smallest unit
 */
public record Outcome(String rental, Account lender, Account renter, Instant at, Verdict verdict, Amount paid) {
    /** Checks that nothing is missing. */
    public Outcome {
        Objects.requireNonNull(rental, "rental");
        Objects.requireNonNull(lender, "lender");
        Objects.requireNonNull(renter, "renter");
        Objects.requireNonNull(at, "at");
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(paid, "paid");
    }

    /** What happened. */
    public enum Verdict {
        /** Usable in time, and ended as agreed. */
        SERVED(Weight.GOOD, Weight.GOOD),
        /** Usable, but only after the agreed time to start or with an interruption. */
        SERVED_WITH_FAULTS(Weight.HALF, Weight.GOOD),
        /** The lender's host could not start it, lost it, or took it back. */
        LENDER_FAULT(Weight.BAD, Weight.NONE),
        /** The renter never came, or called off after the free time. */
        RENTER_FAULT(Weight.NONE, Weight.BAD),
        /** An arbiter decided against the lender. */
        DISPUTE_LOST_BY_LENDER(Weight.BAD, Weight.GOOD),
        /** An arbiter decided against the renter. */
        DISPUTE_LOST_BY_RENTER(Weight.GOOD, Weight.BAD),
        /** Called off in time, the platform's fault, or nobody's: says nothing of either. */
        NEUTRAL(Weight.NONE, Weight.NONE);

        private final Weight lender;
        private final Weight renter;

        Verdict(Weight lender, Weight renter) {
            this.lender = lender;
            this.renter = renter;
        }

        Weight of(Role role) {
            return role == Role.LENDER ? lender : renter;
        }
    }

    /** In which role a party is judged. */
    public enum Role {
        /** Owns hosts. */
        LENDER,
        /** Pays. */
        RENTER
    }

    /** What an outcome says of a party: the share of a success, or nothing. */
    enum Weight {
        GOOD(1),
        HALF(0.5),
        BAD(0),
        NONE(0);

        private final double success;

        Weight(double success) {
            this.success = success;
        }

        double success() {
            return success;
        }
    }

    Account counterparty(Role role) {
        return role == Role.LENDER ? renter : lender;
    }
}
