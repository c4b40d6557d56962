package org.computehive.feed;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.Listing;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalCalendar;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore;
import org.computehive.schedule.CalendarFeed;
import org.computehive.schedule.CalendarUser;
import org.computehive.schedule.FreeBusy;
import org.computehive.schedule.Window;

/** Makes feeds' texts from the store. The same rentals give the same text. Thread-safe. */
final class FeedContent {
    /** The rentals that were reserved last are the ones looked at. */
    private static final int MOST_RENTALS = 1_000;

    private static final int MOST_LISTINGS = 200;
    private static final Duration PAST = Duration.ofDays(90);
    private static final Duration AHEAD = Duration.ofDays(180);

    private final RentalStore store;
    private final RentalCalendar calendar;

    FeedContent(RentalStore store, RentalCalendar calendar) {
        this.store = store;
        this.calendar = calendar;
    }

    /** A feed's text and when something in it changed last. */
    record Calendar(String text, Instant modified) {}

    Calendar of(Account party, FeedScope scope, Instant now) {
        return switch (scope) {
            case RENTALS -> rentals(party, now);
            case FREE_BUSY -> freeBusy(party, now);
        };
    }

    private Calendar rentals(Account party, Instant now) {
        List<CalendarFeed.Entry> entries = store.of(party, MOST_RENTALS).stream()
                .flatMap(rental -> calendar.entry(rental, party).stream())
                .filter(entry -> entry.booking().window().end().isAfter(now.minus(PAST)))
                .sorted(Comparator.comparing((CalendarFeed.Entry entry) ->
                                entry.booking().window().start())
                        .thenComparing(entry -> entry.booking().uid()))
                .toList();
        Instant modified = entries.stream()
                .map(CalendarFeed.Entry::modified)
                .max(Comparator.naturalOrder())
                .orElse(Instant.EPOCH);
        return new Calendar(CalendarFeed.events("GPU rentals", CalendarFeeds.REFRESH, entries), modified);
    }

    private Calendar freeBusy(Account party, Instant now) {
        Instant from = now.truncatedTo(ChronoUnit.HOURS);
        Window range = Window.of(from, AHEAD);
        List<Rental> rentals = store.of(party, MOST_RENTALS);
        var things = new ArrayList<FreeBusy>();
        store.listings().stream()
                .filter(listing -> listing.lender().equals(party))
                .limit(MOST_LISTINGS)
                .map(listing -> ofListing(listing, range, rentals))
                .forEach(things::add);
        List<Rental> own = rentals.stream()
                .filter(rental -> rental.terms().renter().equals(party))
                .toList();
        if (!own.isEmpty() || things.isEmpty()) {
            things.add(ofRenter(party, range, own));
        }
        return new Calendar(
                CalendarFeed.freeBusy("GPU rentals: free or busy", CalendarFeeds.REFRESH, from, things), from);
    }

    /** A listing is rented whole, so it is taken while any of its gpus is, turnover included. */
    private static FreeBusy ofListing(Listing listing, Window range, List<Rental> rentals) {
        Set<GpuId> gpus = Set.copyOf(listing.gpus());
        var taken = new ArrayList<Window>();
        var held = new ArrayList<Window>();
        for (Rental rental : rentals) {
            List<Window> to = rental.state() == RentalState.RESERVED ? held : taken;
            for (Occupancy occupancy : rental.occupied()) {
                if (gpus.contains(occupancy.gpu())) {
                    to.add(wholeSeconds(occupancy.window()));
                }
            }
        }
        return FreeBusy.of(
                "free-busy-listing-%s@computehive".formatted(listing.id()),
                new CalendarUser(URI.create("urn:computehive:listing:" + listing.id()), "Listing " + listing.id()),
                "Listing %s on host %s".formatted(listing.id(), listing.host()),
                range,
                taken,
                held);
    }

    private FreeBusy ofRenter(Account party, Window range, List<Rental> own) {
        var taken = new ArrayList<Window>();
        var held = new ArrayList<Window>();
        for (Rental rental : own) {
            if (rental.state() == RentalState.RESERVED) {
                held.add(rental.terms().window());
            } else {
                rental.toTell().filter(told -> rental.funded()).ifPresent(told -> taken.add(told.window()));
            }
        }
        return FreeBusy.of(
                "free-busy-%s@computehive".formatted(party),
                calendar.user(party, "Party"),
                "Own rentals",
                range,
                taken,
                held);
    }

    /** Calendars know no fraction of a second: what is taken in part of one is taken in all of it. */
    private static Window wholeSeconds(Window window) {
        Instant start = window.start().truncatedTo(ChronoUnit.SECONDS);
        Instant end = window.end().truncatedTo(ChronoUnit.SECONDS);
        return new Window(start, end.isBefore(window.end()) ? end.plusSeconds(1) : end);
    }
}
