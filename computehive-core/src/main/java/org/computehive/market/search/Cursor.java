package org.computehive.market.search;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.computehive.market.Account;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.schedule.FreeGpus;
import org.computehive.schedule.FreeIndex;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/**
 * Walks through a segment's listings that fit a query, cheapest first, and finds when each is free. For one thread and one
 * query.
 */
final class Cursor {
    /** Of listings at one price so many are put in order of their time together. */
    private static final int RUN = 256;
    /** After so many listings that are nowhere free for long enough, those that can't be are ruled out together. */
    private static final int MISSES = 128;

    private static final Comparator<FreeWindow> EARLIEST_FIRST = Comparator.comparing(
                    (FreeWindow found) -> found.window().start())
            .thenComparing(found -> found.listing().id().value());

    private final Segment segment;
    private final ListingQuery query;
    private final FreeIndex free;
    private final Predicate<Account> trusted;
    private final long[] bits;
    private final long seconds;
    private final long unitsPerGpu;
    private final ArrayDeque<FreeWindow> found = new ArrayDeque<>();
    /** What rules gpus out: for an exact query from the start, else once it pays. */
    private @Nullable FreeGpus possible;

    private int misses;
    private int next;

    Cursor(Segment segment, long[] dead, ListingQuery query, FreeIndex free, Predicate<Account> trusted) {
        this.segment = segment;
        this.query = query;
        this.free = free;
        this.trusted = trusted;
        this.bits = segment.fitting(query);
        for (int i = 0; i < Math.min(bits.length, dead.length); i++) {
            bits[i] &= ~dead[i];
        }
        this.seconds = query.length().toSeconds();
        this.unitsPerGpu = Segment.unitsPerGpu(query);
        this.next = following(0);
        if (query.isExact() && next >= 0) {
            possible = free.freeIn(query.within());
        }
    }

    private int following(int from) {
        int word = from / Long.SIZE;
        if (word >= bits.length) {
            return -1;
        }
        long rest = bits[word] & -1L << from;
        while (rest == 0) {
            if (++word == bits.length) {
                return -1;
            }
            rest = bits[word];
        }
        return word * Long.SIZE + Long.numberOfTrailingZeros(rest);
    }

    /** Returns the next one without moving on; {@code null} if there is none. */
    @Nullable FreeWindow peek() {
        while (found.isEmpty() && next >= 0) {
            findMore();
        }
        return found.peek();
    }

    /** Moves on. */
    void pass() {
        found.remove();
    }

    /** Finds those at the next price that are free; for one window they are in order as they come. */
    private void findMore() {
        Listing first = segment.listing(next);
        List<FreeWindow> run = new ArrayList<>();
        int looked = 0;
        int most = query.isExact() ? 1 : RUN;
        do {
            lookAt(next).ifPresent(run::add);
            looked++;
            next = following(next + 1);
        } while (next >= 0 && looked < most && segment.listing(next).price().equals(first.price()));
        if (run.size() > 1) {
            run.sort(EARLIEST_FIRST);
        }
        found.addAll(run);
    }

    private Optional<FreeWindow> lookAt(int number) {
        Listing listing = segment.listing(number);
        if (!segment.suits(number, query, seconds, unitsPerGpu)
                || (possible != null && !segment.all(number, possible))
                || !trusted.test(listing.lender())) {
            return Optional.empty();
        }
        Optional<Instant> start = start(listing, segment.gpus(number));
        if (start.isEmpty() && !query.isExact() && ++misses == MISSES) {
            possible = free.mayBeFreeFor(query.length(), query.within());
        }
        return start.map(at -> FreeWindow.of(listing, Window.of(at, query.length())));
    }

    /** Returns the earliest start at which its gpus are free, turnover included, and it is offered. */
    private Optional<Instant> start(Listing listing, int[] gpus) {
        Duration turnover = listing.rules().turnover();
        Window within = query.within();
        Optional<Instant> start = free.earliest(gpus, query.length().plus(turnover), within.extendedBy(turnover));
        if (start.isEmpty() || listing.availability().covers(Window.of(start.get(), query.length()))) {
            return start;
        }
        for (Window open : listing.availability().openings(within)) {
            if (open.length().compareTo(query.length()) >= 0) {
                start = free.earliest(gpus, query.length().plus(turnover), open.extendedBy(turnover));
                if (start.isPresent()) {
                    return start;
                }
            }
        }
        return Optional.empty();
    }
}
