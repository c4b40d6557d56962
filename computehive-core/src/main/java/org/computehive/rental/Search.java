package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.computehive.manifest.Manifest;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.market.matching.Candidate;
import org.computehive.market.matching.Objective;
import org.computehive.market.matching.Proposals;
import org.computehive.market.matching.Proposals.Ranked;
import org.computehive.market.matching.Request;
import org.computehive.market.search.Catalogue;
import org.computehive.market.search.FreeWindow;
import org.computehive.market.search.Offer;
import org.computehive.schedule.Window;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds what fits a query: an index in memory says what may, best first, and the store about each whether it does. */
final class Search implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Search.class);
    /** How often the index looks at the store by itself: a search looks too, and this keeps its look short. */
    private static final Duration PACE = Duration.ofSeconds(1);

    private final RentalStore store;
    private final Market market;
    private final InstantSource clock;
    private final Function<Account, OptionalInt> reputation;
    private final Catalogue catalogue;
    private final ScheduledExecutorService follower = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("computehive-search").factory());

    Search(RentalStore store, Market market, InstantSource clock, Function<Account, OptionalInt> reputation) {
        this.store = store;
        this.market = market;
        this.clock = clock;
        this.reputation = reputation;
        this.catalogue = new Catalogue(store, clock);
    }

    List<FreeWindow> freeWindows(ListingQuery query) {
        Optional<ListingQuery> ahead = ahead(query);
        List<FreeWindow> answers = new ArrayList<>();
        if (ahead.isPresent()) {
            Iterator<FreeWindow> hints = catalogue.find(ahead.get(), reputation);
            while (answers.size() < query.answers() && hints.hasNext()) {
                confirmed(hints.next(), ahead.get()).ifPresent(answers::add);
            }
        }
        return List.copyOf(answers);
    }

    /** Returns what fits a query apart from its time, each with all the time in which it could be rented then. */
    List<Candidate> candidates(ListingQuery query) {
        List<Candidate> candidates = new ArrayList<>();
        Optional<ListingQuery> ahead = ahead(query);
        if (ahead.isPresent()) {
            Iterator<FreeWindow> hints = catalogue.find(ahead.get(), reputation);
            while (candidates.size() < query.answers() && hints.hasNext()) {
                Listing listing = hints.next().listing();
                if (listing.gpus().stream().noneMatch(market::isQuarantined)) {
                    candidates.add(new Candidate(
                            listing.id().value(),
                            listing.gpus().size(),
                            listing.price(),
                            listing.rules().turnover(),
                            catalogue.index().freeOf(listing, ahead.get().within())));
                }
            }
        }
        return List.copyOf(candidates);
    }

    List<Ranked> propose(ListingQuery query, Objective objective, int most) {
        ListingQuery ahead = ahead(query)
                .orElseThrow(() -> new RentalException.Unacceptable(
                        "window %s has no %s left: look further ahead".formatted(query.within(), query.length())));
        var request = new Request(
                "request",
                query.gpusAtLeast(),
                query.length(),
                ahead.within().start(),
                ahead.within().end(),
                new Amount(Amount.MAX_UNITS));
        return Proposals.best(request, candidates(ahead), objective, most);
    }

    List<Rebooking> rebook(Manifest manifest, ListingQuery query) {
        return freeWindows(query).stream()
                .map(free -> new Rebooking(free, manifest.setup().differences(market.setupOf(free.listing()))))
                .sorted()
                .toList();
    }

    /** What is left of a query's time: nobody can rent what has begun already. */
    private Optional<ListingQuery> ahead(ListingQuery query) {
        Instant now = clock.instant();
        Instant second = now.truncatedTo(ChronoUnit.SECONDS);
        Instant start = second.isBefore(now) ? second.plusSeconds(1) : second;
        if (query.isExact() || !query.within().start().isBefore(start)) {
            return Optional.of(query);
        }
        return Duration.between(start, query.within().end()).compareTo(query.length()) < 0
                ? Optional.empty()
                : Optional.of(query.within(new Window(start, query.within().end())));
    }

    /** A hint as the store knows it now: the listing may have changed, and a gpu been taken, meanwhile. */
    private Optional<FreeWindow> confirmed(FreeWindow hint, ListingQuery query) {
        return store.listing(hint.listing().id())
                .filter(listing -> store.host(listing.host())
                        .filter(host ->
                                query.fits(listing, Offer.of(listing, host).devices()))
                        .isPresent())
                .filter(listing -> isRentable(listing, hint.window()))
                .map(listing -> FreeWindow.of(listing, hint.window()));
    }

    private boolean isRentable(Listing listing, Window window) {
        return listing.availability().covers(window)
                && listing.gpus().stream().noneMatch(market::isQuarantined)
                && store.isFree(
                        listing.gpus(), window.extendedBy(listing.rules().turnover()));
    }

    void start() {
        var unused = follower.scheduleWithFixedDelay(this::catchUp, 0, PACE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void catchUp() {
        try {
            catalogue.catchUp();
        } catch (RuntimeException e) {
            LOG.warn("the search index could not follow the store; it will try again", e);
        }
    }

    /** Stops following the store; waits for a look that goes on. */
    @Override
    public void close() {
        follower.close();
    }
}
