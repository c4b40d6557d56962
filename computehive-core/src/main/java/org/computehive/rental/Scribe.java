package org.computehive.rental;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.internal.Gathering;
import org.computehive.internal.Gathering.Asked;
import org.computehive.rental.RentalStore.Audited;
import org.computehive.rental.RentalStore.Recorded;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts rentals' events in this engine's audit log, and notes in the store where they are. Calls that come together share
 * one append to the log and one note.
 *
 * <p>Each replica has a log of its own. An event is put in the log of the replica that committed it. What a replica left
 * behind that died in between is taken over by the one that next has to do with the rental, or by {@link #sweep}. If two
 * take over the same event, or the first was not dead but slow, the place that is noted first counts, and the other's entry
 * is a harmless duplicate in its own log. No event is in one log twice.
 *
 * <p>Thread-safe.
 */
final class Scribe {
    private static final Logger LOG = LoggerFactory.getLogger(Scribe.class);
    private static final int BATCH = 256;
    /** How many events a message names. */
    private static final int NAMED = 10;
    /** More than a crash can leave between a log and its notes. */
    private static final int MOST_OPEN = 10_000;
    /** A rental is forgotten after this many others; then the store is asked again. */
    private static final int KNOWN = 10_000;

    private final RentalStore store;
    private final AuditLog log;
    private final Consumer<Recorded> logged;
    private final Gathering<Question, Integer> gathering = new Gathering<>(BATCH, this::answerAll);
    /** Up to which version every event of a rental is in some log. Guarded by itself. */
    private final Map<RentalId, Long> known = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<RentalId, Long> eldest) {
            return size() > KNOWN;
        }
    };
    /** What is in the log and not yet noted. Used by the thread at work alone, as is the next. */
    private final List<Audited> unnoted = new ArrayList<>();

    private boolean tailMatched;

    /**
     * Creates one.
     *
     * @param logged told of each event in the order of the log, by one thread at a time; must return at once
     */
    Scribe(RentalStore store, AuditLog log, Consumer<Recorded> logged) {
        this.store = store;
        this.log = log;
        this.logged = logged;
    }

    /** What is to be in the log once the answer comes; the answer is how many events were put there for it. */
    private sealed interface Question {
        /** An event that this engine has just committed, and its rental's before it. */
        record Committed(Recorded event) implements Question {}

        /** A rental's events up to a version. */
        record UpTo(RentalId id, long version) implements Question {}

        /** Whatever is in no log and happened before an instant; some of it, if it is much. */
        record Some(Instant before) implements Question {}
    }

    /**
     * Returns once an event that was just committed is in the log, as are its rental's before it.
     *
     * @throws org.computehive.audit.AuditLogException if the log can't take it; the event stands, is not acted upon, and
     *     is put there by the next call that has to do with its rental
     */
    void write(Recorded event) {
        gathering.ask(new Question.Committed(event));
    }

    /**
     * Returns once every event of a rental up to a version is in some log: to be called before it is acted upon.
     *
     * @throws org.computehive.audit.AuditLogException if the log can't take them
     */
    void ensure(RentalId id, long version) {
        if (known(id) < version) {
            gathering.ask(new Question.UpTo(id, version));
        }
    }

    /**
     * Takes over every event that is in no log.
     *
     * @param before only those that happened before it; later ones may be on their way to another replica's log
     * @throws org.computehive.audit.AuditLogException if the log can't take them
     */
    void sweep(Instant before) {
        int taken;
        do {
            taken = gathering.ask(new Question.Some(before));
        } while (taken > 0);
    }

    private void answerAll(List<Asked<Question, Integer>> asked) {
        matchTail();
        if (asked.stream().anyMatch(each -> !(each.question() instanceof Question.Committed))) {
            // They ask the store what is in no log.
            note();
        }
        var missing = new LinkedHashMap<EventKey, Recorded>();
        var sure = new LinkedHashMap<RentalId, Long>();
        var counts = new ArrayList<Integer>();
        for (Asked<Question, Integer> each : asked) {
            int before = missing.size();
            collect(each.question(), missing, sure);
            counts.add(missing.size() - before);
        }
        append(List.copyOf(missing.values()));
        if (unnoted.size() >= BATCH || !gathering.goesOn()) {
            note();
        }
        synchronized (known) {
            sure.forEach((id, version) -> known.merge(id, version, Math::max));
            // A later event may have come along with what was asked for: whoever committed it will still ask.
            missing.keySet()
                    .forEach(event -> known.computeIfPresent(
                            new RentalId(event.rental()), (id, version) -> Math.max(version, follows(event, version))));
        }
        for (int i = 0; i < asked.size(); i++) {
            asked.get(i).answer(counts.get(i));
        }
    }

    private static long follows(EventKey event, long version) {
        return event.version() == version + 1 ? event.version() : version;
    }

    private void collect(Question question, Map<EventKey, Recorded> missing, Map<RentalId, Long> sure) {
        switch (question) {
            case Question.Committed(Recorded event) -> {
                Rental after = event.after();
                boolean next = after.version() == 1
                        || known(after.id()) == after.version() - 1
                        || missing.containsKey(new EventKey(after.id(), after.version() - 1));
                add(next ? List.of(event) : store.unaudited(after.id()), missing);
                sure.merge(after.id(), after.version(), Math::max);
            }
            case Question.UpTo(RentalId id, long version) -> {
                if (known(id) < version) {
                    add(store.unaudited(id), missing);
                    sure.merge(id, version, Math::max);
                }
            }
            case Question.Some(Instant before) ->
                add(
                        store.unaudited(BATCH).stream()
                                .filter(event -> event.event().at().isBefore(before))
                                .toList(),
                        missing);
        }
    }

    /** Adds what is not in a log already: another thread may have come first, with a later event of the same rental. */
    private void add(List<Recorded> events, Map<EventKey, Recorded> missing) {
        for (Recorded event : events) {
            Rental after = event.after();
            var key = new EventKey(after.id(), after.version());
            if (known(after.id()) < after.version() && unnoted.stream().noneMatch(key::isAt)) {
                missing.put(key, event);
            }
        }
    }

    private long known(RentalId id) {
        synchronized (known) {
            return known.getOrDefault(id, 0L);
        }
    }

    private void append(List<Recorded> events) {
        if (events.isEmpty()) {
            return;
        }
        long index =
                log.append(events.stream().map(event -> entry(event).bytes()).toList());
        for (Recorded event : events) {
            unnoted.add(place(event, index++));
        }
        events.forEach(logged);
    }

    /** Notes in the store what is in the log. If the store can't, that waits: nothing that was promised depends on it. */
    private void note() {
        if (unnoted.isEmpty()) {
            return;
        }
        try {
            store.audited(List.copyOf(unnoted));
            unnoted.clear();
        } catch (IllegalStateException | IllegalArgumentException e) {
            // It never will: another engine writes to this log, or under its name.
            unnoted.clear();
            throw e;
        } catch (RuntimeException e) {
            LOG.warn("places of {} events in the audit log are noted later", unnoted.size(), e);
        }
    }

    /**
     * After a crash between appending to the log and noting it: finds in the log's tail what is there already, so that no
     * event is in the log twice.
     */
    private void matchTail() {
        if (tailMatched) {
            return;
        }
        var open = new LinkedHashMap<EventKey, Recorded>();
        store.unaudited(MOST_OPEN)
                .forEach(event ->
                        open.put(new EventKey(event.after().id(), event.after().version()), event));
        OptionalLong last = store.lastAudited(log.origin());
        long size = log.size();
        if (last.isPresent() && last.getAsLong() >= size) {
            throw new AuditMismatchException(
                    "audit log %s has %d entries, but the store knows of one at index %d: another engine has a log of that name, or this one was cut short; put back the whole log, or give the engine a new one under a new name"
                            .formatted(log.origin(), size, last.getAsLong()));
        }
        var found = new ArrayList<Audited>();
        var heard = new ArrayList<Recorded>();
        var missing = new ArrayList<String>();
        for (long start = last.isPresent() ? last.getAsLong() + 1 : 0; start < size; start += BATCH) {
            List<byte[]> tail = log.entries(start, Math.min(size, start + BATCH));
            for (int i = 0; i < tail.size(); i++) {
                AuditEntry logEntry = AuditEntry.parse(tail.get(i));
                Recorded event = open.remove(EventKey.of(logEntry));
                if (event != null && Arrays.equals(entry(event).bytes(), tail.get(i))) {
                    found.add(place(event, start + i));
                    heard.add(event);
                } else if (!isStored(logEntry, tail.get(i))) {
                    missing.add("version %d of rental %s at index %d"
                            .formatted(
                                    logEntry.number().orElse(0),
                                    logEntry.rental().orElse("?"),
                                    start + i));
                }
            }
        }
        if (!missing.isEmpty()) {
            throw ahead(missing);
        }
        heard.forEach(logged);
        if (!found.isEmpty()) {
            store.audited(found);
        }
        tailMatched = true;
    }

    /** Returns whether an entry is of no rental's event, or of one that the store has, word for word. */
    private boolean isStored(AuditEntry logEntry, byte[] bytes) {
        if (logEntry.number().isEmpty()) {
            return true;
        }
        long version = logEntry.number().orElse(0);
        List<Recorded> history = store.history(new RentalId(logEntry.rental().orElseThrow()));
        return version >= 1
                && version <= history.size()
                && Arrays.equals(
                        entry(history.get(Math.toIntExact(version) - 1)).bytes(), bytes);
    }

    private AuditMismatchException ahead(List<String> missing) {
        return new AuditMismatchException(
                "audit log %s holds %d events that the store doesn't: %s%s. The store was restored from an older backup: restore a newer one, or, if there is none, give the engine a new log under a new name and keep this one, which proves what was lost"
                        .formatted(
                                log.origin(),
                                missing.size(),
                                String.join(", ", missing.subList(0, Math.min(NAMED, missing.size()))),
                                missing.size() > NAMED ? " and more" : ""));
    }

    private Audited place(Recorded event, long index) {
        return new Audited(event.after().id(), event.after().version(), log.origin(), index);
    }

    private static AuditEntry entry(Recorded recorded) {
        RentalEvent event = recorded.event();
        return AuditEntry.commit(
                "rental." + EventCodec.name(event),
                recorded.after().id().value(),
                recorded.after().version(),
                event.at(),
                recorded.payload().getBytes(StandardCharsets.UTF_8),
                HexFormat.of().parseHex(recorded.salt()));
    }

    private record EventKey(String rental, long version) {
        EventKey(RentalId id, long version) {
            this(id.value(), version);
        }

        /** Returns the key of an entry's event, or one that no event has. */
        static EventKey of(AuditEntry entry) {
            return new EventKey(entry.rental().orElse(""), entry.number().orElse(0));
        }

        boolean isAt(Audited place) {
            return place.rental().value().equals(rental) && place.version() == version;
        }
    }
}
