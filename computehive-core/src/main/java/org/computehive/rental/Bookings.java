package org.computehive.rental;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.rental.Asking.Answering;
import org.computehive.schedule.Window;

/** Quotes, and the reservations that take them up. */
final class Bookings {
    private static final int LANE_TRIES = 100;

    private final RentalStore store;
    private final Market market;
    private final Journal journal;
    private final RentalPolicy policy;
    private final Supplier<RentalId> ids;

    Bookings(RentalStore store, Market market, Journal journal, RentalPolicy policy, Supplier<RentalId> ids) {
        this.store = store;
        this.market = market;
        this.journal = journal;
        this.policy = policy;
        this.ids = ids;
    }

    Quote quote(Account renter, ListingId id, Window window, Answering<Quote> answering) {
        return onOffer(id, offered -> {
            Quote quote = write(renter, offered, window);
            answering
                    .keeping(quote)
                    .ifPresentOrElse(
                            answer -> store.putQuote(quote, offered.change(), answer),
                            () -> store.putQuote(quote, offered.change()));
            return quote;
        });
    }

    /** Takes a listing as it was last read, and reads it anew if that can't be had (any more). */
    private <T> T onOffer(ListingId id, Function<Market.Offered, T> taken) {
        for (Market.Offered offered = market.lastOffered(id); ; ) {
            try {
                return taken.apply(offered);
            } catch (RentalException.Superseded | RentalException.Unacceptable e) {
                Market.Offered now = market.offered(id);
                if (now.change() == offered.change()) {
                    throw e;
                }
                offered = now;
            }
        }
    }

    private Quote write(Account renter, Market.Offered offered, Window window) {
        Listing listing = offered.listing();
        ListingRules.check(listing, window, journal.now());
        return new Quote(ids.get(), renter, listing, window, journal.now().plus(policy.quoteLife()), offered.setup());
    }

    /** Books in one step. The quote that it takes up is kept nowhere. */
    Rental reserve(Account renter, ListingId id, Window window, Amount most, Answering<Rental> answering) {
        return onOffer(id, offered -> {
            Quote quote = write(renter, offered, window);
            if (quote.total().compareTo(most) > 0) {
                throw new RentalException.Unacceptable(
                        "listing %s costs %s units in %s, more than the %s that are offered: offer more, or choose another"
                                .formatted(id, quote.total(), window, most));
            }
            return onFreeLane(quote, event -> journal.begin(quote.id(), event, offered.change(), answering));
        });
    }

    Rental reserve(RentalId id, Account renter, Answering<Rental> answering) {
        Optional<Quote> quote = store.quote(id).filter(known -> known.renter().equals(renter));
        if (quote.isEmpty()) {
            // Taken up long ago, perhaps: then the quote may have been pruned.
            return taken(id, renter, answering)
                    .orElseThrow(() -> new RentalException.NotFound("there is no quote %s for you".formatted(id)));
        }
        try {
            return reserve(quote.get(), answering);
        } catch (RentalException.Expired | RentalException.Unacceptable | RentalException.Superseded e) {
            // Taken up before, perhaps at this very moment: whoever asks again gets the one rental.
            return taken(id, renter, answering).orElseThrow(() -> e);
        }
    }

    private Optional<Rental> taken(RentalId id, Account renter, Answering<Rental> answering) {
        Optional<Rental> taken =
                store.rental(id).filter(known -> known.terms().renter().equals(renter));
        taken.flatMap(answering::keeping).ifPresent(store::putAnswer);
        return taken;
    }

    private Rental reserve(Quote quote, Answering<Rental> answering) {
        if (!journal.now().isBefore(quote.expires())) {
            throw new RentalException.Expired(
                    "quote %s expired at %s: ask for a new one".formatted(quote.id(), quote.expires()));
        }
        ListingRules.check(quote.offered(), quote.window(), journal.now());
        return onFreeLane(quote, event -> journal.begin(quote.id(), event, answering));
    }

    /** A lane is a hint: when another process was faster, it is tried with the next. */
    private Rental onFreeLane(Quote quote, Function<RentalEvent.Reserved, Rental> taken) {
        for (int attempt = 0; ; attempt++) {
            try {
                return taken.apply(new RentalEvent.Reserved(journal.now(), terms(quote)));
            } catch (RentalException.LaneTaken e) {
                if (attempt == LANE_TRIES) {
                    throw e;
                }
            }
        }
    }

    private RentalTerms terms(Quote quote) {
        Listing listing = quote.offered();
        return new RentalTerms(
                quote.renter(),
                listing.lender(),
                listing.id(),
                listing.host(),
                listing.gpus(),
                listing.shape(),
                quote.window(),
                listing.rules().turnover(),
                listing.token(),
                quote.rate(),
                listing.rules().grace(),
                listing.rules().disputeWindow(),
                store.freeLane(listing.lender()),
                holdUntil(quote.window()),
                listing.emulated(),
                listing.rules().cancellation(),
                listing.rules().stakes(),
                quote.setup(),
                listing.assurance());
    }

    /** The hold's end, in whole seconds as the chain tells time; by the window's start it is funded or over. */
    private Instant holdUntil(Window window) {
        Instant until = journal.now().plus(policy.hold()).truncatedTo(ChronoUnit.SECONDS);
        return until.isBefore(window.start()) ? until : window.start();
    }
}
