package org.computehive.rental;

import java.util.List;
import java.util.function.Function;
import org.computehive.market.Account;
import org.computehive.rental.Asking.Answering;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rentals as those who ask may see and change them. */
final class Rentals {
    private static final Logger LOG = LoggerFactory.getLogger(Rentals.class);

    private final RentalStore store;
    private final Journal journal;

    Rentals(RentalStore store, Journal journal) {
        this.store = store;
        this.journal = journal;
    }

    Rental existing(RentalId id) {
        return store.rental(id).orElseThrow(() -> new RentalException.NotFound("there is no rental %s".formatted(id)));
    }

    /** Returns it to its renter or its lender; to others there is none. */
    Rental ofParty(RentalId id, Account caller) {
        Rental rental = existing(id);
        if (!rental.isParty(caller)) {
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

    /** Commits an event to a rental as it is now: what comes between is no reason to fail. */
    Rental commit(RentalId id, Function<Rental, RentalEvent> event, Answering<Rental> answering) {
        return commitAll(id, rental -> List.of(event.apply(rental)), answering);
    }

    /**
     * Commits events that follow one another to a rental as it is now, all or nothing.
     *
     * @param events what is left to happen to it; none if another command has done it all
     */
    Rental commitAll(RentalId id, Function<Rental, List<RentalEvent>> events, Answering<Rental> answering) {
        while (true) {
            Rental rental = existing(id);
            List<RentalEvent> left = events.apply(rental);
            if (left.isEmpty()) {
                return unchanged(rental, answering);
            }
            try {
                return journal.commit(rental, left, answering);
            } catch (RentalException.Superseded e) {
                LOG.debug("{} changed meanwhile; looking again", rental);
            }
        }
    }

    /** Keeps the answer of a command that found done what it was to do. */
    Rental unchanged(Rental rental, Answering<Rental> answering) {
        answering.keeping(rental).ifPresent(store::putAnswer);
        return rental;
    }
}
