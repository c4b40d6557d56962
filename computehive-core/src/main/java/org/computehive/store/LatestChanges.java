package org.computehive.store;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.computehive.market.search.MarketFeed.Changed;

/** Numbers the latest change of each of some things, by their names. For one thread at a time. */
final class LatestChanges {
    private final TreeMap<Long, String> names = new TreeMap<>();
    private final Map<String, Long> numbers = new HashMap<>();
    private long last;

    void changed(String name) {
        last++;
        Long before = numbers.put(name, last);
        if (before != null) {
            names.remove(before);
        }
        names.put(last, name);
    }

    /** Returns the number of the latest change of what has a name that was changed before. */
    long of(String name) {
        return Objects.requireNonNull(numbers.get(name));
    }

    <T> List<Changed<T>> after(long change, int limit, Map<String, T> values) {
        return names.tailMap(change, false).entrySet().stream()
                .limit(limit)
                .map(entry -> new Changed<>(entry.getKey(), Objects.requireNonNull(values.get(entry.getValue()))))
                .toList();
    }
}
