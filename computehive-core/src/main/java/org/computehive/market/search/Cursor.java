package org.computehive.market.search;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.PriorityQueue;
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

    private static final Comparator<Draft> EARLIEST_FIRST = Comparator.comparing(Draft::start)
            .thenComparing(draft -> draft.listing().id().value());

    private final Segment segment;
    private final ListingQuery query;
    private final FreeIndex free;
    private final Predicate<Account> trusted;
    private final long[] bits;
    private final long seconds;
    private final long unitsPerGpu;
    /** Those of the price at hand that are free. */
    private final PriorityQueue<Draft> drafts = new PriorityQueue<>(EARLIEST_FIRST);

    private @Nullable FreeWindow found;
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
        while (found == null && (!drafts.isEmpty() || next >= 0)) {
            if (drafts.isEmpty()) {
                findMore();
            } else {
                settle(drafts.remove());
            }
        }
        return found;
    }

    /** Moves on. */
    void pass() {
        found = null;
    }

    /** Finds those at the next price that are free; for one window they are in order as they come. */
    private void findMore() {
        Listing first = segment.listing(next);
        int looked = 0;
        int most = query.isExact() ? 1 : RUN;
        do {
            lookAt(next);
            looked++;
            next = following(next + 1);
        } while (next >= 0 && looked < most && segment.listing(next).price().equals(first.price()));
    }

    private void lookAt(int number) {
        Listing listing = segment.listing(number);
        if (!segment.suits(number, query, seconds, unitsPerGpu)
                || (possible != null && !segment.all(number, possible))
                || !trusted.test(listing.lender())) {
            return;
        }
        Optional<Instant> start = free(number, query.within());
        start.ifPresent(at -> drafts.add(new Draft(number, listing, at, false)));
        if (start.isEmpty() && !query.isExact() && ++misses == MISSES) {
            possible = free.mayBeFreeFor(query.length(), query.within());
        }
    }

    /** Looks at a lender's hours only for what comes next: reading a calendar costs more than all else together. */
    private void settle(Draft draft) {
        if (draft.settled() || draft.listing().availability().covers(Window.of(draft.start(), query.length()))) {
            found = FreeWindow.of(draft.listing(), Window.of(draft.start(), query.length()));
            return;
        }
        for (Window open : draft.listing().availability().openings(query.within())) {
            if (open.length().compareTo(query.length()) >= 0) {
                Optional<Instant> start = free(draft.number(), open);
                if (start.isPresent()) {
                    drafts.add(new Draft(draft.number(), draft.listing(), start.get(), true));
                    return;
                }
            }
        }
    }

    /** Returns the earliest start within a window at which a listing's gpus are free, turnover included. */
    private Optional<Instant> free(int number, Window within) {
        Duration turnover = segment.listing(number).rules().turnover();
        return free.earliest(segment.gpus(number), query.length().plus(turnover), within.extendedBy(turnover));
    }

    /** A listing and its earliest start; the lender's hours are looked at once it is settled. */
    private record Draft(int number, Listing listing, Instant start, boolean settled) {}
}
