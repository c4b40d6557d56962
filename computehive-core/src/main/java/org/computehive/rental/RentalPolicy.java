package org.computehive.rental;

import java.time.Duration;
import java.util.Objects;

/**
 * How long the engine waits for what.
 *
 * @param quoteLife how long a quote can be taken up
 * @param hold how long gpus are held for a renter who has not funded the escrow
 * @param lead how long before a window's start the VM is made
 * @param startLimit how long after a window's start, or after the lead time began where that is later, a session must be
 *     usable; else it failed
 * @param watch how often the chain is read for a rental even when nothing hints at a change
 * @param retry how long to wait at least before something that failed is tried again
 * @param recovery what is done when something fails
 * @param extensions how far a session may go on beyond what was booked
 */
public record RentalPolicy(
        Duration quoteLife,
        Duration hold,
        Duration lead,
        Duration startLimit,
        Duration watch,
        Duration retry,
        Recovery recovery,
        ExtensionPolicy extensions) {

    /** Minutes and seconds that suit real hosts and chains. */
    public static final RentalPolicy DEFAULT = new RentalPolicy(
            Duration.ofMinutes(10),
            Duration.ofMinutes(15),
            Duration.ofMinutes(5),
            Duration.ofMinutes(10),
            Duration.ofSeconds(15),
            Duration.ofSeconds(5));

    /** Creates a policy with {@link Recovery#DEFAULT} and {@link ExtensionPolicy#DEFAULT}. */
    public RentalPolicy(
            Duration quoteLife, Duration hold, Duration lead, Duration startLimit, Duration watch, Duration retry) {
        this(quoteLife, hold, lead, startLimit, watch, retry, Recovery.DEFAULT, ExtensionPolicy.DEFAULT);
    }

    /** Returns this policy with another recovery. */
    public RentalPolicy with(Recovery other) {
        return new RentalPolicy(quoteLife, hold, lead, startLimit, watch, retry, other, extensions);
    }

    /** Returns this policy with other extensions. */
    public RentalPolicy with(ExtensionPolicy other) {
        return new RentalPolicy(quoteLife, hold, lead, startLimit, watch, retry, recovery, other);
    }

    /**
     * Checks that no duration is negative, and that those that pace a loop are positive.
     *
     * @throws IllegalArgumentException if one is
     */
    public RentalPolicy {
        positive("quoteLife", quoteLife);
        positive("hold", hold);
        if (lead.isNegative()) {
            throw new IllegalArgumentException("lead %s is negative".formatted(lead));
        }
        positive("startLimit", startLimit);
        positive("watch", watch);
        positive("retry", retry);
        Objects.requireNonNull(recovery, "recovery");
        Objects.requireNonNull(extensions, "extensions");
        if (recovery.slowest().compareTo(retry) < 0) {
            throw new IllegalArgumentException(
                    "slowest %s is shorter than retry %s, which it bounds".formatted(recovery.slowest(), retry));
        }
    }

    /**
     * What is done when something fails.
     *
     * @param moves how often a rental is given another place at the most, 0 to 100; 0 never tries another
     * @param hostSilence how long a host may not answer before its session counts as lost
     * @param limit how long after an interruption a session must be usable again; else it ends
     * @param slowest how long to wait at the most before something that failed is tried again, give or take a quarter
     * @param stuckAfter how long a step may fail before an operator is told
     * @param teardownLimit how long a step that takes a session down may fail before the rental is settled without waiting
     *     for it; the gpus stay quarantined, and it is still tried
     */
    public record Recovery(
            int moves,
            Duration hostSilence,
            Duration limit,
            Duration slowest,
            Duration stuckAfter,
            Duration teardownLimit) {
        /**
         * Three moves, two minutes of silence, ten to be usable again; at the slowest five minutes, stuck after an hour,
         * settled without teardown after a day.
         */
        public static final Recovery DEFAULT = new Recovery(
                3,
                Duration.ofMinutes(2),
                Duration.ofMinutes(10),
                Duration.ofMinutes(5),
                Duration.ofHours(1),
                Duration.ofDays(1));

        /**
         * Checks the ranges.
         *
         * @throws IllegalArgumentException if the moves are out of range or a duration is not positive
         */
        public Recovery {
            if (moves < 0 || moves > 100) {
                throw new IllegalArgumentException("moves %d is out of range: 0 to 100".formatted(moves));
            }
            positive("hostSilence", hostSilence);
            positive("limit", limit);
            positive("slowest", slowest);
            positive("stuckAfter", stuckAfter);
            positive("teardownLimit", teardownLimit);
        }
    }

    private static void positive(String what, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException("%s %s must be positive".formatted(what, value));
        }
    }
}
