package org.computehive.schedule;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * When something is taken, and nothing of by whom (RFC 5545 section 3.6.4): periods that neither overlap nor touch another
 * of their kind, inside a range. Outside the range nothing is said.
 *
 * <p>Immutable and thread-safe.
 *
 * @param uid the same for the same thing: 1 to 255 of {@code A-Z a-z 0-9 . _ @ -}
 * @param owner whose time it is
 * @param comment what it is about: one line, at most {@value Booking#MAX_SUMMARY} characters
 * @param range what is spoken of
 * @param busy when it is taken for sure
 * @param tentative when it is held and may become free again; never when it is taken for sure
 */
public record FreeBusy(
        String uid, CalendarUser owner, String comment, Window range, List<Window> busy, List<Window> tentative) {

    /** Copies the lists and checks form and limits. */
    public FreeBusy {
        busy = List.copyOf(busy);
        tentative = List.copyOf(tentative);
        Booking.checkUid(uid);
        Booking.checkText("comment", comment, Booking.MAX_SUMMARY, false);
        CalendarText.checkInstant("start", range.start());
        CalendarText.checkInstant("end", range.end());
        for (List<Window> periods : List.of(busy, tentative)) {
            for (Window period : periods) {
                CalendarText.checkInstant("start", period.start());
                CalendarText.checkInstant("end", period.end());
            }
        }
    }

    /**
     * Returns what windows, in any order and overlapping at will, say of a range.
     *
     * @param taken when it is taken for sure
     * @param held when it is held; what is also taken for sure counts as taken
     */
    public static FreeBusy of(
            String uid,
            CalendarUser owner,
            String comment,
            Window range,
            Collection<Window> taken,
            Collection<Window> held) {
        SortedMap<Instant, Change> changes = new TreeMap<>();
        note(changes, taken, range, new Change(1, 0));
        note(changes, held, range, new Change(0, 1));
        var busy = new ArrayList<Window>();
        var tentative = new ArrayList<Window>();
        Change now = new Change(0, 0);
        Instant from = range.start();
        for (Map.Entry<Instant, Change> change : changes.entrySet()) {
            Instant to = change.getKey();
            if (to.isAfter(from) && now.taken() > 0) {
                append(busy, new Window(from, to));
            } else if (to.isAfter(from) && now.held() > 0) {
                append(tentative, new Window(from, to));
            }
            from = to;
            now = now.plus(change.getValue());
        }
        return new FreeBusy(uid, owner, comment, range, busy, tentative);
    }

    private static void note(
            SortedMap<Instant, Change> changes, Collection<Window> windows, Window range, Change begins) {
        for (Window window : windows) {
            if (window.overlaps(range)) {
                changes.merge(clip(window.start(), range), begins, Change::plus);
                changes.merge(clip(window.end(), range), begins.negated(), Change::plus);
            }
        }
    }

    private static Instant clip(Instant instant, Window range) {
        return instant.isBefore(range.start()) ? range.start() : instant.isAfter(range.end()) ? range.end() : instant;
    }

    private static void append(List<Window> periods, Window next) {
        if (!periods.isEmpty() && periods.getLast().end().equals(next.start())) {
            periods.add(new Window(periods.removeLast().start(), next.end()));
        } else {
            periods.add(next);
        }
    }

    /** By how much the windows that an instant is in become more. */
    private record Change(int taken, int held) {
        Change plus(Change other) {
            return new Change(taken + other.taken, held + other.held);
        }

        Change negated() {
            return new Change(-taken, -held);
        }
    }
}
