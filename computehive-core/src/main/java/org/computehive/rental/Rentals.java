package org.computehive.rental;

import org.computehive.market.Account;
import org.computehive.rental.EscrowOffer.Hash32;

/** Rentals as those who ask may see them. */
final class Rentals {
    private final RentalStore store;
    private final Escrow escrow;

    Rentals(RentalStore store, Escrow escrow) {
        this.store = store;
        this.escrow = escrow;
    }

    Rental existing(RentalId id) {
        return store.rental(id).orElseThrow(() -> new RentalException.NotFound("there is no rental %s".formatted(id)));
    }

    /** Returns it to its renter or its lender; to others there is none. */
    Rental ofParty(RentalId id, Account caller) {
        Rental rental = existing(id);
        if (!caller.equals(rental.terms().renter())
                && !caller.equals(rental.terms().lender())) {
            throw new RentalException.NotFound("there is no rental %s".formatted(id));
        }
        return rental;
    }

    Rental ofRenter(RentalId id, Account caller) {
        Rental rental = ofParty(id, caller);
        if (!caller.equals(rental.terms().renter())) {
            throw new RentalException.NotAllowed("only the renter of %s may do this".formatted(id));
        }
        return rental;
    }

    Hash32 receiptToSign(RentalId id) {
        Rental rental = existing(id);
        if (rental.endedAt().isEmpty()) {
            throw new RentalException.WrongState(
                    "rental %s is %s: a receipt is for a session that ended".formatted(id, rental.state()));
        }
        return escrow.receiptDigest(rental.offer().orElseThrow(), rental.used());
    }

    Hash32 releaseToSign(RentalId id) {
        Rental rental = existing(id);
        return escrow.releaseDigest(rental.offer()
                .orElseThrow(() -> new RentalException.WrongState("rental %s has no offer".formatted(id))));
    }
}
