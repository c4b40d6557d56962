package org.computehive.market.search;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.TreeSet;

/**
 * How far numbered changes were followed that may come to sight a little out of order: the latest are read again until
 * some time has passed, and each counts once. For one thread at a time.
 */
final class Tail {
    /** Longer than a transaction lives. */
    private static final Duration OVERLAP = Duration.ofSeconds(10);

    private static final Duration STEP = Duration.ofSeconds(1);

    private final ArrayDeque<Mark> marks = new ArrayDeque<>();
    private final TreeSet<Long> seen = new TreeSet<>();
    private long settled;
    private long last;

    private record Mark(Instant at, long last) {}

    /** Begins after a change, which the caller knows of otherwise, as of those before it. */
    void beginAfter(long change) {
        settled = change;
        last = change;
    }

    /** Returns the change after which to read. */
    long from() {
        return settled;
    }

    /** Returns whether a change was not seen yet; from now on it was. */
    boolean isNew(long change) {
        last = Math.max(last, change);
        return seen.add(change);
    }

    /** Notes that all changes in sight were read. */
    void read(Instant now) {
        if (marks.isEmpty() || Duration.between(marks.getLast().at(), now).compareTo(STEP) >= 0) {
            marks.add(new Mark(now, last));
        }
        while (!marks.isEmpty() && Duration.between(marks.getFirst().at(), now).compareTo(OVERLAP) > 0) {
            settled = Math.max(settled, marks.remove().last());
        }
        seen.headSet(settled, true).clear();
    }
}
