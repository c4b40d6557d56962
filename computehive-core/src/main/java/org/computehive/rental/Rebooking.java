package org.computehive.rental;

import java.util.Comparator;
import java.util.List;
import org.computehive.manifest.Difference;
import org.computehive.manifest.Difference.Effect;
import org.computehive.market.search.FreeWindow;

/**
 * Where a session could be had again, and in what it would differ. A hint: a reservation decides. Ordered from the nearest to
 * the farthest: by the differences that make it something else, then by those that may vary its results, then by those that
 * can't be judged, then by price.
 *
 * @param free what is free, and when
 * @param differences in what it differs from what the session ran on; none if it gives the same as far as that is stated
 */
public record Rebooking(FreeWindow free, List<Difference> differences) implements Comparable<Rebooking> {
    private static final Comparator<Rebooking> NEAREST_FIRST = Comparator.comparingLong(
                    (Rebooking other) -> other.count(Effect.OTHER))
            .thenComparingLong(other -> other.count(Effect.VARIANT))
            .thenComparingLong(other -> other.count(Effect.UNKNOWN))
            .thenComparing(other -> other.free().listing().price())
            .thenComparing(other -> other.free().listing().id().value());

    /** Copies the list. */
    public Rebooking {
        differences = List.copyOf(differences);
    }

    /** Returns whether it gives the same again, as far as host and manifest state it. */
    public boolean isSame() {
        return differences.isEmpty();
    }

    private long count(Effect effect) {
        return differences.stream()
                .filter(difference -> difference.effect() == effect)
                .count();
    }

    @Override
    public int compareTo(Rebooking other) {
        return NEAREST_FIRST.compare(this, other);
    }
}
