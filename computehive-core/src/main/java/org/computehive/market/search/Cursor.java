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
    /** The earliest that anything can begin. */
    private final Instant earliest;
    /** Those of the price at hand that are free later than that. */
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
        this.earliest = wholeSecond(query.within().start());
        this.next = following(0);
        if (query.isExact() && next >= 0) {
            possible = free.freeIn(query.within());
        }
    }

    /** As {@link FreeIndex#earliest} rounds. */
    private static Instant wholeSecond(Instant instant) {
        return instant.getNano() == 0 ? instant : Instant.ofEpochSecond(instant.getEpochSecond() + 1);
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

    /**
     * Returns the next one without moving on; {@code null} if there is none. At one price listings lie in the order of their
     * ids, so one that is free from the start comes before all that are still to be looked at; of the others the first is
     * known once all at the price were looked at.
     */
    @Nullable FreeWindow peek() {
        while (found == null && (!drafts.isEmpty() || next >= 0)) {
            if (next >= 0 && isAtPriceOfDrafts(next)) {
                int number = next;
                next = following(next + 1);
                lookAt(number);
            } else {
                settle(drafts.remove());
            }
        }
        return found;
    }

    private boolean isAtPriceOfDrafts(int number) {
        return drafts.isEmpty()
                || segment.listing(number)
                        .price()
                        .equals(drafts.element().listing().price());
    }

    /** Moves on. */
    void pass() {
        found = null;
    }

    private void lookAt(int number) {
        Listing listing = segment.listing(number);
        if (!segment.suits(number, query, seconds, unitsPerGpu)
                || (possible != null && !segment.all(number, possible))
                || !trusted.test(listing.lender())) {
            return;
        }
        Optional<Instant> start = free(number, query.within());
        if (start.isPresent()) {
            var draft = new Draft(number, listing, start.get(), false);
            if (draft.start().equals(earliest)) {
                settle(draft);
            } else {
                drafts.add(draft);
            }
        } else if (!query.isExact() && ++misses == MISSES) {
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
