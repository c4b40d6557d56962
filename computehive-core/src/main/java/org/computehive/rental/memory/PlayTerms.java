package org.computehive.rental.memory;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.rental.EscrowOffer;

/** What an offer's terms mean at a time: the arithmetic of the contract on a chain ({@code libraries/Terms.sol}). */
final class PlayTerms {
    private PlayTerms() {}

    /** What the renter owes if it has not come at an instant. */
    static Duration absent(EscrowOffer offer, Instant time) {
        return most(offer.elapsed(time), offer.cancellation().noShowCharge(offer.window()));
    }

    /** What a lender that gives everything back at an instant loses of its bond. */
    static Amount conceded(EscrowOffer offer, Instant time) {
        Amount bond = offer.stakes().bond();
        if (!offer.cancellation().isLate(time, offer.window())) {
            return Amount.ZERO;
        }
        if (time.isBefore(offer.window().start())) {
            BigInteger share = BigInteger.valueOf(offer.cancellation().lateShare());
            return new Amount(bond.units().multiply(share).divide(BigInteger.valueOf(Cancellation.WHOLE)));
        }
        return isWithinGrace(offer, time) ? bond : Amount.ZERO;
    }

    /** Whether the grace is not over yet; it is not before it began either. */
    static boolean isWithinGrace(EscrowOffer offer, Instant time) {
        return !time.isAfter(offer.window().start().plus(offer.grace()));
    }

    static Duration least(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static Duration most(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }
}
