package org.computehive.server.crash;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** What was seen while the engine was killed: acknowledgements, kills, violations. Thread-safe. */
final class Evidence {
    private final List<Acknowledged> acknowledged = new CopyOnWriteArrayList<>();
    private final List<Kill> kills = new CopyOnWriteArrayList<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final Set<String> crossed = ConcurrentHashMap.newKeySet();
    private final Map<String, Instant> destroyed = new ConcurrentHashMap<>();
    private final Map<String, Integer> notes = new ConcurrentHashMap<>();
    private final List<Long> starts = new CopyOnWriteArrayList<>();
    private final AtomicInteger keptOut = new AtomicInteger();
    private final AtomicInteger inTheDark = new AtomicInteger();

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

    /** Notes that something was acknowledged that is no rental's event; an entry of this type must be in a log. */
    void note(String type) {
        notes.merge(type, 1, Integer::sum);
    }

    /** Returns how often each type of note was promised. */
    Map<String, Integer> notes() {
        return new TreeMap<>(notes);
    }

    /** Notes that a renter whose rental was over, and its certificate not, was refused at a gateway. */
    void keptOut() {
        keptOut.incrementAndGet();
    }

    int timesKeptOut() {
        return keptOut.get();
    }

    /** Notes that an escrow was opened while no engine could read the chain. */
    void fundedInTheDark() {
        inTheDark.incrementAndGet();
    }

    int timesFundedInTheDark() {
        return inTheDark.get();
    }

    /** Notes how long an engine took to be ready. */
    void started(long millis) {
        starts.add(millis);
    }

    /** Returns how long engines took to be ready, the shortest first. */
    List<Long> starts() {
        return starts.stream().sorted().toList();
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
