package org.computehive.server.crash;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** What was seen while the engine was killed: acknowledgements, kills, violations. Thread-safe. */
final class Evidence {
    private final List<Acknowledged> acknowledged = new CopyOnWriteArrayList<>();
    private final List<Kill> kills = new CopyOnWriteArrayList<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final Set<String> crossed = ConcurrentHashMap.newKeySet();
    private final Map<String, Instant> destroyed = new ConcurrentHashMap<>();

    /**
     * A promise of the engine's.
     *
     * @param rental whose
     * @param event the kind of event that must be in its history
     * @param holds a text that one such event must hold; empty for any
     */
    record Acknowledged(String rental, String event, String holds) {}

    /**
     * A kill.
     *
     * @param at when
     * @param where at which point, or after how long
     */
    record Kill(Instant at, String where) {}

    void acknowledge(String rental, String event, String holds) {
        acknowledged.add(new Acknowledged(rental, event, holds));
    }

    void killed(String where) {
        kills.add(new Kill(Instant.now(), where));
    }

    void violation(String what) {
        violations.add(what);
    }

    void crossed(String point) {
        crossed.add(point);
    }

    /** Notes that the test itself destroyed a domain. */
    void destroyed(String rental) {
        destroyed.put(rental, Instant.now());
    }

    boolean destroyedByUs(String rental) {
        return destroyed.containsKey(rental);
    }

    List<Acknowledged> acknowledged() {
        return acknowledged;
    }

    List<Kill> kills() {
        return kills;
    }

    List<String> violations() {
        return violations;
    }

    /** Returns every point that was crossed in any life. */
    Set<String> points() {
        return new TreeSet<>(crossed);
    }
}
