package org.computehive.schedule;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What times on a wall clock are in UTC. */
final class WallClock {
    private WallClock() {}

    /**
     * A half-open stretch of time on a wall clock.
     *
     * @param start the first time
     * @param end the first time after
     */
    record Stretch(LocalDateTime start, LocalDateTime end) {}

    /** Hours on a wall clock that is never changed. */
    interface Hours {
        /** Returns every stretch that overlaps a stretch, in any order, and perhaps others. */
        List<Stretch> near(Stretch asked);
    }

    /**
     * Returns the parts of a window at whose instants the wall clock shows a time within the hours, by their start, joined
     * where they touch. It goes from one setting of the clock to the next: what a change skips is shown at no instant, what
     * it repeats is shown twice.
     */
    static List<Window> openings(ZoneId zone, Hours hours, Window window) {
        ZoneRules rules = zone.getRules();
        List<Window> openings = new ArrayList<>();
        Instant start = window.start();
        while (start.isBefore(window.end())) {
            ZoneOffset offset = rules.getOffset(start);
            ZoneOffsetTransition change = rules.nextTransition(start);
            Instant end =
                    change == null || change.getInstant().isAfter(window.end()) ? window.end() : change.getInstant();
            Stretch shown = new Stretch(LocalDateTime.ofInstant(start, offset), LocalDateTime.ofInstant(end, offset));
            for (Stretch open : hours.near(shown)) {
                LocalDateTime from = later(open.start(), shown.start());
                LocalDateTime to = earlier(open.end(), shown.end());
                if (from.isBefore(to)) {
                    openings.add(new Window(from.toInstant(offset), to.toInstant(offset)));
                }
            }
            start = end;
        }
        return joined(openings);
    }

    /** Returns what windows cover together: by start, apart from each other. */
    static List<Window> joined(List<Window> windows) {
        List<Window> joined = new ArrayList<>();
        for (Window next :
                windows.stream().sorted(Comparator.comparing(Window::start)).toList()) {
            if (joined.isEmpty() || next.start().isAfter(joined.getLast().end())) {
                joined.add(next);
            } else if (next.end().isAfter(joined.getLast().end())) {
                joined.set(joined.size() - 1, new Window(joined.getLast().start(), next.end()));
            }
        }
        return List.copyOf(joined);
    }

    private static LocalDateTime later(LocalDateTime one, LocalDateTime other) {
        return one.isAfter(other) ? one : other;
    }

    private static LocalDateTime earlier(LocalDateTime one, LocalDateTime other) {
        return one.isBefore(other) ? one : other;
    }
}
