package org.computehive.market.search;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.market.Maintenance;
import org.computehive.market.search.MarketFeed.Booked;
import org.computehive.market.search.MarketFeed.BookingChange;
import org.computehive.market.search.MarketFeed.Changed;
import org.computehive.schedule.Window;

/**
 * An index that follows a market: filled when it is first asked, and brought up to date before every answer, so that it
 * shows what others committed too. Thread-safe; those who ask at the same time share one look at the market.
 */
public final class Catalogue {
    private static final int PAGE = 5_000;
    private static final int TOGETHER = 500;

    private final MarketFeed feed;
    private final InstantSource clock;
    private final ListingIndex index;
    private final ReentrantLock following = new ReentrantLock();
    private final Tail hostTail = new Tail();
    private final Tail listingTail = new Tail();
    private final Tail bookingTail = new Tail();
    private final Map<HostId, Host> hosts = new HashMap<>();
    private boolean filled;
    /** How many looks at the market were begun, and which of them was the last that saw all. */
    private volatile long begun;

    private long seen;

    /**
     * Creates one that has not looked at the market yet.
     *
     * @param feed the market
     * @param clock says which day it is
     */
    public Catalogue(MarketFeed feed, InstantSource clock) {
        this.feed = feed;
        this.clock = clock;
        this.index = new ListingIndex(clock.instant());
    }

    /**
     * Finds what fits in the market as it is now; see {@link ListingIndex#find}.
     *
     * @param query what is looked for
     * @param reputation a lender's, from memory
     */
    public Iterator<FreeWindow> find(ListingQuery query, Function<Account, OptionalInt> reputation) {
        catchUp();
        return index.find(query, reputation);
    }

    /** Takes in every change that is in sight. Called now and then, it keeps the next answer from waiting for many. */
    public void catchUp() {
        long before = begun;
        following.lock();
        try {
            // A look that began after we came has seen all that we want to see.
            if (seen <= before) {
                long look = begun + 1;
                begun = look;
                follow();
                seen = look;
            }
        } finally {
            following.unlock();
        }
    }

    private void follow() {
        index.advance(clock.instant());
        if (!filled) {
            bookingTail.beginAfter(feed.lastBookingChange());
        }
        followListings();
        if (!filled) {
            fillBookings();
            filled = true;
        }
        followBookings();
    }

    private void followListings() {
        Set<HostId> changedHosts = new HashSet<>();
        follow(hostTail, feed::hostsChangedAfter, Changed::change, changed -> {
            hosts.put(changed.value().id(), changed.value());
            changedHosts.add(changed.value().id());
        });
        List<Listing> changed = new ArrayList<>(
                changedHosts.isEmpty() ? List.of() : index.listings(listing -> changedHosts.contains(listing.host())));
        follow(listingTail, feed::listingsChangedAfter, Changed::change, each -> changed.add(each.value()));
        List<Offer> offers = new ArrayList<>();
        for (Listing listing : changed) {
            Host host = hosts.get(listing.host());
            if (host != null) {
                offers.add(Offer.of(listing, host));
            }
        }
        index.put(offers);
        followMaintenance(List.copyOf(changedHosts));
    }

    private void followMaintenance(List<HostId> changed) {
        for (int from = 0; from < changed.size(); from += TOGETHER) {
            List<HostId> some = changed.subList(from, Math.min(changed.size(), from + TOGETHER));
            Map<HostId, Map<GpuId, List<Window>>> kept = new LinkedHashMap<>();
            some.forEach(host -> kept.put(host, new HashMap<>()));
            for (Maintenance maintenance : feed.maintained(some)) {
                maintenance
                        .gpus()
                        .forEach(gpu -> kept.computeIfAbsent(maintenance.host(), any -> new HashMap<>())
                                .computeIfAbsent(gpu, any -> new ArrayList<>())
                                .add(maintenance.window()));
            }
            // A blank tells them from bookings: no rental's name has one.
            kept.forEach((host, gpus) -> index.book(number("maintenance " + host), gpus));
        }
    }

    private void fillBookings() {
        String last = "";
        for (List<Booked> page = feed.bookedAfter(last, PAGE); !page.isEmpty(); page = feed.bookedAfter(last, PAGE)) {
            take(Set.of(), page);
            last = page.getLast().booking();
        }
    }

    private void followBookings() {
        Set<String> changed = new LinkedHashSet<>();
        follow(bookingTail, feed::bookingChangesAfter, BookingChange::change, each -> changed.add(each.booking()));
        List<String> names = List.copyOf(changed);
        for (int from = 0; from < names.size(); from += TOGETHER) {
            List<String> some = names.subList(from, Math.min(names.size(), from + TOGETHER));
            take(some, feed.booked(some));
        }
    }

    /** Takes in what bookings hold; those that are named and hold nothing are over. */
    private void take(Collection<String> named, List<Booked> rows) {
        Map<String, Map<GpuId, List<Window>>> held = new LinkedHashMap<>();
        named.forEach(booking -> held.put(booking, new HashMap<>()));
        for (Booked row : rows) {
            held.computeIfAbsent(row.booking(), any -> new HashMap<>())
                    .computeIfAbsent(row.gpu(), any -> new ArrayList<>())
                    .add(row.window());
        }
        held.forEach((booking, gpus) -> index.book(number(booking), gpus));
    }

    private <C> void follow(
            Tail tail, BiFunction<Long, Integer, List<C>> changes, Function<C, Long> number, Consumer<C> taker) {
        long after = tail.from();
        List<C> page;
        do {
            page = changes.apply(after, PAGE);
            for (C change : page) {
                if (tail.isNew(number.apply(change))) {
                    taker.accept(change);
                }
            }
            after = page.isEmpty() ? after : number.apply(page.getLast());
        } while (page.size() == PAGE);
        tail.read(clock.instant());
    }

    /** A booking's number: 64 bits of its name. Two names of one number would at worst hide one of the two. */
    private static long number(String booking) {
        long hash = 0xCBF29CE484222325L;
        for (int i = 0; i < booking.length(); i++) {
            hash = (hash ^ booking.charAt(i)) * 0x100000001B3L;
        }
        return hash;
    }

    /** Returns the index, for its size and memory. */
    public ListingIndex index() {
        return index;
    }
}
