package org.computehive.market.search;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.schedule.FreeIndex;
import org.computehive.schedule.Window;

/**
 * Finds the listings that fit a query and when they are free, cheapest first, from memory: what it was told of listings and
 * bookings. Its answers are exact for that, but hints to the market, where others book at the same time.
 *
 * <p>Listings lie in two parts: most of them in one that is built seldom, and those that came or changed since in a small
 * one that is built each time. Thread-safe: writers wait for each other, readers for nobody.
 */
public final class ListingIndex {
    /** How many listings the small part may have before all are put together anew. */
    private static final int SMALL = 512;

    private static final Comparator<FreeWindow> BEST_FIRST = Comparator.comparing(
                    (FreeWindow found) -> found.listing().price())
            .thenComparing(found -> found.window().start())
            .thenComparing(found -> found.listing().id().value());

    private final FreeIndex free;
    private final ReentrantLock writing = new ReentrantLock();
    private final Map<GpuId, Integer> numbers = new HashMap<>();
    private final Holders holders = new Holders();
    /** The gpus of bookings that have one gpu alone: one list for all of them. */
    private final Map<Integer, int[]> alone = new HashMap<>();

    private final Map<ListingId, Offer> known = new HashMap<>();
    private final Map<ListingId, Offer> recent = new HashMap<>();
    private final Map<ListingId, Integer> inMain = new HashMap<>();
    private volatile Parts parts = new Parts(Segment.EMPTY, new long[0], Segment.EMPTY);

    private record Parts(Segment main, long[] dead, Segment recent) {}

    /**
     * Creates an empty index.
     *
     * @param now the time; see {@link FreeIndex}
     */
    public ListingIndex(Instant now) {
        free = new FreeIndex(now);
    }

    /** Takes in listings, each in place of what was known under its id. Many at once cost little more than one. */
    public void put(Collection<Offer> offers) {
        writing.lock();
        try {
            boolean changed = false;
            for (Offer offer : offers) {
                ListingId id = offer.listing().id();
                if (!offer.equals(known.put(id, offer))) {
                    recent.put(id, offer);
                    changed = true;
                }
            }
            if (changed) {
                rebuild();
            }
        } finally {
            writing.unlock();
        }
    }

    private void rebuild() {
        Parts old = parts;
        if (recent.size() > SMALL) {
            var main = new Segment(known.values(), this::number);
            inMain.clear();
            for (int i = 0; i < main.size(); i++) {
                inMain.put(main.listing(i).id(), i);
            }
            recent.clear();
            parts = new Parts(main, new long[0], Segment.EMPTY);
            return;
        }
        long[] dead = Arrays.copyOf(old.dead(), Inverted.words(old.main().size()));
        for (ListingId id : recent.keySet()) {
            Integer number = inMain.get(id);
            if (number != null) {
                dead[number / Long.SIZE] |= 1L << number;
            }
        }
        parts = new Parts(old.main(), dead, new Segment(recent.values(), this::number));
    }

    private int number(GpuId gpu) {
        return Objects.requireNonNullElseGet(numbers.putIfAbsent(gpu, numbers.size()), () -> numbers.size() - 1);
    }

    /** Returns the listings that it knows and that are wanted. */
    public List<Listing> listings(Predicate<Listing> wanted) {
        writing.lock();
        try {
            return known.values().stream().map(Offer::listing).filter(wanted).toList();
        } finally {
            writing.unlock();
        }
    }

    /**
     * Says which gpus a booking has when, in place of all that was said of it before.
     *
     * @param booking the booking, by a number that others don't have
     * @param held its gpus, whether or not a listing has them, and when it has each, turnover included; none if it is over
     * @throws IllegalArgumentException as {@link FreeIndex#book} does; what it had before is as it was, or gone
     */
    public void book(long booking, Map<GpuId, List<Window>> held) {
        writing.lock();
        try {
            int[] now = new int[held.size()];
            int count = 0;
            for (Map.Entry<GpuId, List<Window>> entry : held.entrySet()) {
                now[count] = number(entry.getKey());
                free.book(now[count], booking, entry.getValue());
                count++;
            }
            for (int before : holders.of(booking)) {
                if (Arrays.stream(now).noneMatch(gpu -> gpu == before)) {
                    free.release(before, booking);
                }
            }
            holders.put(booking, now.length == 1 ? alone.computeIfAbsent(now[0], gpu -> now) : now);
        } finally {
            writing.unlock();
        }
    }

    /**
     * Returns within which windows a listing could be rented: its hours without what is booked of its gpus, by start, apart
     * from each other. Before each booking its turnover is left out, so that a rental that ends there is over in time.
     *
     * @param listing the listing
     * @param within where to look, at most 366 days
     * @throws IllegalArgumentException if the window is too long or in the years beyond 9999
     */
    public List<Window> freeOf(Listing listing, Window within) {
        Duration turnover = listing.rules().turnover();
        Window reached = within.extendedBy(turnover);
        List<Window> left = listing.availability().openings(within);
        for (int gpu : numbersOf(listing)) {
            for (Window booked : free.booked(gpu, reached)) {
                var blocked = new Window(booked.start().minus(turnover), booked.end());
                left = left.stream()
                        .flatMap(part -> part.without(blocked).stream())
                        .toList();
            }
        }
        return left;
    }

    private int[] numbersOf(Listing listing) {
        writing.lock();
        try {
            return listing.gpus().stream().mapToInt(this::number).toArray();
        } finally {
            writing.unlock();
        }
    }

    /** Lets days pass; see {@link FreeIndex#advance}. */
    public void advance(Instant now) {
        free.advance(now);
    }

    /**
     * Returns the listings that fit a query and are free, each with its earliest window, one after the other as they are
     * asked for: cheapest first; at one price earliest first; at one time by their ids. Where nothing more is free from the
     * query's start on, the next answer costs a look at every listing of its price that fits.
     *
     * @param query what is looked for; how many answers it wants is the caller's to count
     * @param reputation a lender's, 0 to 1,000, from memory; empty where none is known. Asked at most once for each lender,
     *     and only if the query asks for one
     * @return for one thread
     * @throws IllegalArgumentException if the query's time is out of {@link FreeIndex}'s range
     */
    public Iterator<FreeWindow> find(ListingQuery query, Function<Account, OptionalInt> reputation) {
        Parts now = parts;
        Predicate<Account> trusted = trusted(query, reputation);
        return new Merged(
                new Cursor(now.main(), now.dead(), query, free, trusted),
                new Cursor(now.recent(), new long[0], query, free, trusted));
    }

    private static Predicate<Account> trusted(ListingQuery query, Function<Account, OptionalInt> reputation) {
        if (query.reputation() == 0) {
            return lender -> true;
        }
        Map<Account, Boolean> asked = new HashMap<>();
        return lender -> asked.computeIfAbsent(lender, any -> {
            OptionalInt score = reputation.apply(any);
            return score.isPresent() && score.getAsInt() >= query.reputation();
        });
    }

    /** Returns how many bookings it knows that have a gpu. */
    public int bookings() {
        writing.lock();
        try {
            return holders.size();
        } finally {
            writing.unlock();
        }
    }

    /** Returns how many listings it knows. */
    public int size() {
        writing.lock();
        try {
            return known.size();
        } finally {
            writing.unlock();
        }
    }

    /** Returns about how many bytes it takes, without the listings themselves and the JVM's overhead for each object. */
    public long bytes() {
        writing.lock();
        try {
            return free.bytes()
                    + holders.bytes()
                    + parts.main().bytes()
                    + parts.recent().bytes();
        } finally {
            writing.unlock();
        }
    }

    /** What two cursors find, cheapest first. */
    private static final class Merged implements Iterator<FreeWindow> {
        private final Cursor one;
        private final Cursor other;

        Merged(Cursor one, Cursor other) {
            this.one = one;
            this.other = other;
        }

        @Override
        public boolean hasNext() {
            return one.peek() != null || other.peek() != null;
        }

        @Override
        public FreeWindow next() {
            FreeWindow first = one.peek();
            FreeWindow second = other.peek();
            if (first == null && second == null) {
                throw new NoSuchElementException("nothing more was found");
            }
            if (first != null && (second == null || BEST_FIRST.compare(first, second) <= 0)) {
                one.pass();
                return first;
            }
            other.pass();
            return Objects.requireNonNull(second);
        }
    }
}
