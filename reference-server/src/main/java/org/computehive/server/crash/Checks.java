package org.computehive.server.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What was checked, how often, and what did not hold. Not thread-safe. */
final class Checks {
    private final TreeMap<String, Integer> held = new TreeMap<>();
    private final Map<String, List<String>> violations = new TreeMap<>();

    /** Checks one thing. */
    void that(String what, boolean holds, String evidence) {
        if (holds) {
            held.merge(what, 1, Integer::sum);
        } else {
            violations.computeIfAbsent(what, key -> new ArrayList<>()).add(evidence);
        }
    }

    /** Counts what was checked while it went on, and held. */
    void held(String what, int times) {
        if (times > 0) {
            held.merge(what, times, Integer::sum);
        }
    }

    /** Returns how often something did not hold. */
    int violations() {
        return violations.values().stream().mapToInt(List::size).sum();
    }

    /** Returns the evidence of what did not hold, by what was checked. */
    Map<String, List<String>> byKind() {
        return violations;
    }

    int count() {
        return held.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Returns a line per kind of check. */
    List<String> lines() {
        return held.entrySet().stream()
                .map(entry -> "%6d  %s".formatted(entry.getValue(), entry.getKey()))
                .collect(Collectors.toList());
    }
}
