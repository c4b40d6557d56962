package org.computehive.rental;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.Supplier;
import org.computehive.market.Listing;
import org.computehive.rental.Asking.Answering;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.schedule.Window;

/** Quotes for more time, and the holds that take them up. */
final class Extensions {
    private static final int LANE_TRIES = 100;

    private final RentalStore store;
    private final Market market;
    private final Journal journal;
    private final RentalPolicy policy;
    private final Supplier<RentalId> ids;

    Extensions(RentalStore store, Market market, Journal journal, RentalPolicy policy, Supplier<RentalId> ids) {
        this.store = store;
        this.market = market;
        this.journal = journal;
        this.policy = policy;
        this.ids = ids;
    }

    Quote quote(Rental rental, Instant newEnd, Answering<Quote> answering) {
        Listing listing = market.listing(rental.terms().listing());
        if (!newEnd.isAfter(rental.window().end())) {
            throw unacceptable("end %s is not after the end of rental %s at %s: name a later one"
                    .formatted(newEnd, rental.id(), rental.window().end()));
        }
        var further = new Window(rental.window().end(), newEnd);
        check(rental, listing, further);
        var quote = new Quote(
                ids.get(),
                rental.terms().renter(),
                listing,
                further,
                journal.now().plus(policy.quoteLife()),
                rental.terms().setup());
        answering.keeping(quote).ifPresentOrElse(answer -> store.putQuote(quote, answer), () -> store.putQuote(quote));
        return quote;
    }

    Rental extend(Rental known, RentalId id, Answering<Rental> answering) {
        Rental rental = known;
        for (int attempt = 0; ; attempt++) {
            // The rental first: its quote may have been pruned.
            if (isExtendedBy(rental, id)) {
                answering.keeping(rental).ifPresent(store::putAnswer);
                return rental;
            }
            try {
                return journal.commit(rental, held(rental, existing(id, rental)), answering);
            } catch (RentalException.LaneTaken e) {
                if (attempt == LANE_TRIES) {
                    throw e;
                }
            } catch (RentalException.Superseded e) {
                rental = store.rental(known.id()).orElseThrow(() -> e);
            }
        }
    }

    private static boolean isExtendedBy(Rental rental, RentalId quote) {
        return rental.legs().stream()
                .flatMap(leg -> leg.extension().stream())
                .anyMatch(extension -> extension.quote().equals(quote));
    }

    private Quote existing(RentalId id, Rental rental) {
        return store.quote(id)
                .filter(kept -> kept.renter().equals(rental.terms().renter())
                        && kept.listing().equals(rental.terms().listing()))
                .orElseThrow(() -> new RentalException.NotFound(
                        "there is no quote %s for more time of rental %s".formatted(id, rental.id())));
    }

    private OfLeg.Held held(Rental rental, Quote quote) {
        if (!journal.now().isBefore(quote.expires())) {
            throw new RentalException.Expired(
                    "quote %s expired at %s: ask for a new one".formatted(quote.id(), quote.expires()));
        }
        if (!quote.window().start().equals(rental.window().end())) {
            throw unacceptable("quote %s is for more time after %s, but rental %s ends at %s: ask for a new one"
                    .formatted(
                            quote.id(),
                            quote.window().start(),
                            rental.id(),
                            rental.window().end()));
        }
        check(rental, quote.offered(), quote.window());
        EscrowOffer before = lastOffer(rental);
        return new OfLeg.Held(
                journal.now(),
                rental.legs().size(),
                new Extension(
                        quote.id(),
                        quote.window(),
                        quote.rate(),
                        freeLane(rental),
                        holdUntil(quote.window().start()),
                        before.digest()));
    }

    /** Another replica's hint may be a lane that this very rental took meanwhile. */
    private long freeLane(Rental rental) {
        long lane = store.freeLane(rental.terms().lender());
        while (rental.lanes().contains(lane)) {
            lane = store.freeLane(rental.terms().lender());
        }
        return lane;
    }

    private static EscrowOffer lastOffer(Rental rental) {
        return rental.allLegs().last().offer().orElseThrow();
    }

    private void check(Rental rental, Listing listing, Window further) {
        RentalTerms terms = rental.terms();
        ExtensionPolicy limits = policy.extensions();
        if (!rental.mayEnter()) {
            throw new RentalException.WrongState(
                    "rental %s is %s: only a funded rental whose session is not over can be extended"
                            .formatted(rental.id(), rental.state()));
        }
        if (rental.reclaimedAt().isPresent()) {
            throw new RentalException.WrongState("the lender of rental %s takes its gpus back at %s: book elsewhere"
                    .formatted(rental.id(), rental.reclaimedAt().get()));
        }
        if (rental.pendingExtension().isPresent()) {
            throw new RentalException.WrongState("rental %s has an extension that waits to be funded until %s"
                    .formatted(rental.id(), rental.pendingExtension().get().holdUntil()));
        }
        if (rental.legs().size() > limits.most()) {
            throw unacceptable("rental %s was extended %d times, and %d are allowed: book a window of its own"
                    .formatted(rental.id(), rental.legs().size() - 1, limits.most()));
        }
        if (isAfter(further.end(), terms.window().end(), limits)) {
            throw unacceptable("end %s is more than %s after the booked end %s: name an earlier one"
                    .formatted(further.end(), limits.longest(), terms.window().end()));
        }
        if (!holdUntil(further.start()).isAfter(journal.now())) {
            throw unacceptable("rental %s ends at %s: an extension must be funded %s before, which is over"
                    .formatted(rental.id(), further.start(), limits.confirm()));
        }
        if (!listing.gpus().equals(terms.gpus())
                || !listing.shape().equals(terms.shape())
                || !listing.token().equals(terms.token())) {
            throw unacceptable("listing %s no longer offers what rental %s has: book a window of its own"
                    .formatted(listing.id(), rental.id()));
        }
        ListingRules.checkExtension(listing, rental.window(), further);
    }

    private static boolean isAfter(Instant end, Instant booked, ExtensionPolicy limits) {
        try {
            return end.isAfter(booked.plus(limits.longest()));
        } catch (DateTimeException | ArithmeticException e) {
            return true;
        }
    }

    /** The hold's end, in whole seconds as the chain tells time; the confirmations come before the session's end. */
    private Instant holdUntil(Instant end) {
        Instant until = journal.now().plus(policy.hold());
        Instant last = end.minus(policy.extensions().confirm());
        return (until.isBefore(last) ? until : last).truncatedTo(ChronoUnit.SECONDS);
    }

    private static RentalException.Unacceptable unacceptable(String message) {
        return new RentalException.Unacceptable(message);
    }
}
