package org.computehive.usage;

import java.time.Duration;
import java.time.Instant;
import org.computehive.schedule.Window;

/** Counts usable seconds. Stateless. */
final class Meter {
    private Meter() {}

    /** Returns how much of a window a session was usable. */
    static Duration within(UsageRecord usage, Window window) {
        Duration sum = Duration.ZERO;
        for (Window usable : usage.usable()) {
            if (usable.overlaps(window)) {
                Instant from = later(usable.start(), window.start());
                Instant to = usable.end().isBefore(window.end()) ? usable.end() : window.end();
                sum = sum.plus(Duration.between(from, to));
            }
        }
        return sum;
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
