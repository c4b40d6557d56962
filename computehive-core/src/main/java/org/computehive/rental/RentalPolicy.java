package org.computehive.rental;

import java.time.Duration;

/**
 * How long the engine waits for what.
 *
 * @param quoteLife how long a quote can be taken up
 * @param hold how long gpus are held for a renter who has not funded the escrow
 * @param lead how long before a window's start the VM is made
 * @param startLimit how long after a window's start, or after the lead time began where that is later, a session must be
 *     usable; else it failed
 * @param watch how often the chain is read for a rental even when nothing hints at a change
 * @param retry how long to wait before something that failed is tried again
 */
public record RentalPolicy(
        Duration quoteLife, Duration hold, Duration lead, Duration startLimit, Duration watch, Duration retry) {

    /** Minutes and seconds that suit real hosts and chains. */
    public static final RentalPolicy DEFAULT = new RentalPolicy(
            Duration.ofMinutes(10),
            Duration.ofMinutes(15),
            Duration.ofMinutes(5),
            Duration.ofMinutes(10),
            Duration.ofSeconds(15),
            Duration.ofSeconds(5));

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
    }

    private static void positive(String what, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException("%s %s must be positive".formatted(what, value));
        }
    }
}
