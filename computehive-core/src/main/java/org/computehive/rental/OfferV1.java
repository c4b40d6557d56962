package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.schedule.Window;

/** An offer as it was stored before it said anything of bonds, of calling off late and of not coming. */
record OfferV1(
        Account lender,
        BigInteger lane,
        BigInteger sequence,
        Account renter,
        Account token,
        Account arbiter,
        Rate rate,
        Window window,
        Duration grace,
        Duration disputeWindow,
        Instant expiry,
        Hash32 spec,
        Hash32 digest) {

    /** Whether this form holds all that an offer says. */
    static boolean holds(EscrowOffer offer) {
        return offer.cancellation().equals(Cancellation.FREE)
                && offer.stakes().equals(stakes(offer.stakes().arbiter()));
    }

    static OfferV1 of(EscrowOffer offer) {
        return new OfferV1(
                offer.lender(),
                offer.lane(),
                offer.sequence(),
                offer.renter(),
                offer.token(),
                offer.stakes().arbiter(),
                offer.rate(),
                offer.window(),
                offer.grace(),
                offer.disputeWindow(),
                offer.expiry(),
                offer.spec(),
                offer.digest());
    }

    EscrowOffer offer() {
        return new EscrowOffer(
                lender,
                lane,
                sequence,
                renter,
                token,
                stakes(arbiter),
                rate,
                window,
                grace,
                disputeWindow,
                Cancellation.FREE,
                expiry,
                spec,
                digest);
    }

    private static Stakes stakes(Account arbiter) {
        return new Stakes(arbiter, Amount.ZERO, Amount.ZERO);
    }
}
