package org.computehive.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.Leg;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalTerms;
import org.computehive.schedule.Window;

/**
 * What one rental used and what the chain says was paid for it.
 *
 * <p>Metering is per second from proof of usability (the guest's SSH banner through the gateway) to the end of the session,
 * without interruptions. What was paid is what the escrow settled, which the parties may have agreed otherwise. Immutable
 * and thread-safe.
 *
 * @param rental the rental
 * @param renter who paid
 * @param lender who was paid
 * @param listing what was offered
 * @param host where it ran last
 * @param gpus how many
 * @param emulated whether a gpu is an emulated stand-in
 * @param window the rented time, extensions included
 * @param usable when the session was usable, in order, disjoint
 * @param token what was paid in
 * @param charges what was settled, one per leg that was, in order
 */
public record UsageRecord(
        RentalId rental,
        Account renter,
        Account lender,
        ListingId listing,
        HostId host,
        int gpus,
        boolean emulated,
        Window window,
        List<Window> usable,
        Token token,
        List<Charge> charges) {
    /** Copies the lists. */
    public UsageRecord {
        usable = List.copyOf(usable);
        charges = List.copyOf(charges);
    }

    /**
     * What was settled for a leg: what was booked, or an extension.
     *
     * @param leg 0 for what was booked
     * @param window the leg's part of the rented time
     * @param rate its price
     * @param deposit what was locked
     * @param paid what the lender got
     * @param refunded what the renter got back; {@code paid + refunded} is the deposit
     * @param slashed what of the lender's bond went to the renter, beside the deposit
     * @param forfeited what of the bond of the party that disputed went to the other one, beside the deposit
     * @param disputedBy the party that disputed, where the engine saw it
     * @param transaction the transaction that settled it
     * @param settledAt when the engine saw it settled
     */
    public record Charge(
            int leg,
            Window window,
            Rate rate,
            Amount deposit,
            Amount paid,
            Amount refunded,
            Amount slashed,
            Amount forfeited,
            Optional<Account> disputedBy,
            Hash32 transaction,
            Instant settledAt) {
        /**
         * Checks the sum.
         *
         * @throws IllegalArgumentException if not {@code paid + refunded = deposit}
         */
        public Charge {
            if (!paid.plus(refunded).equals(deposit)) {
                throw new IllegalArgumentException(
                        "paid %s and refunded %s are not the deposit %s".formatted(paid, refunded, deposit));
            }
        }
    }

    /** Returns the record of a rental as it stands: with no charges until something is settled. */
    public static UsageRecord of(Rental rental) {
        RentalTerms terms = rental.terms();
        return new UsageRecord(
                rental.id(),
                terms.renter(),
                terms.lender(),
                terms.listing(),
                rental.host(),
                rental.gpus().size(),
                terms.emulated(),
                rental.window(),
                rental.usable(),
                terms.token(),
                rental.legs().stream()
                        .filter(leg -> leg.settlement().isPresent())
                        .map(UsageRecord::charge)
                        .toList());
    }

    private static Charge charge(Leg leg) {
        var settled = leg.settlement().orElseThrow();
        return new Charge(
                leg.number(),
                leg.window(),
                leg.rate(),
                leg.deposit(),
                settled.paid(),
                settled.refunded(),
                settled.slashed(),
                settled.forfeited(),
                leg.dispute().map(OfLeg.Disputed::by),
                settled.transaction(),
                settled.at());
    }

    /** Returns how long the session was usable, in whole seconds. */
    public Duration used() {
        return Duration.ofSeconds(
                usable.stream().mapToLong(window -> window.length().toSeconds()).sum());
    }

    /** Returns how long it was interrupted between its first and last usable second. */
    public Duration interrupted() {
        return usable.isEmpty()
                ? Duration.ZERO
                : Duration.between(usable.getFirst().start(), usable.getLast().end())
                        .minus(usable.stream().map(Window::length).reduce(Duration.ZERO, Duration::plus));
    }
}
