package org.computehive.rental;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.rental.Asking.Answering;
import org.computehive.rental.RentalStore.Recorded;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes an event true: in the store, then in the audit log, then known to listeners, and only then acted upon. */
final class Journal {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

    private final RentalStore store;
    private final AuditLog log;
    private final InstantSource clock;
    private final RentalPolicy policy;
    private final SecureRandom random = new SecureRandom();
    private final List<Consumer<Recorded>> listeners = new CopyOnWriteArrayList<>();
    private final Scribe scribe;
    /** Events that are in the log, in order, and that the listeners have not heard of. */
    private final Queue<Recorded> untold = new ConcurrentLinkedQueue<>();

    private final Object telling = new Object();

    Journal(RentalStore store, AuditLog log, InstantSource clock, RentalPolicy policy) {
        this.store = store;
        this.log = log;
        this.clock = clock;
        this.policy = policy;
        this.scribe = new Scribe(store, log, untold::add);
    }

    /** The engine's time, in whole milliseconds so that every store keeps it exactly. */
    Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }

    /** Commits an event that follows a rental as it was read. */
    Rental commit(Rental before, RentalEvent event) {
        return commit(before, event, Answering.none());
    }

    /** Commits an event that follows a rental as it was read, with the answer to the command that led to it. */
    Rental commit(Rental before, RentalEvent event, Answering<Rental> answering) {
        return commit(before, List.of(event), answering);
    }

    /** Commits events that follow one another and a rental as it was read, all or nothing, with the answer. */
    Rental commit(Rental before, List<RentalEvent> events, Answering<Rental> answering) {
        var recorded = new ArrayList<Recorded>();
        Rental after = before;
        for (RentalEvent event : events) {
            after = after.after(event);
            recorded.add(recorded(after, event));
        }
        return record(recorded, answering);
    }

    /** Commits the first event of a rental. */
    Rental begin(RentalId id, RentalEvent.Reserved event, Answering<Rental> answering) {
        return record(List.of(recorded(Rental.of(id, event), event)), answering);
    }

    /**
     * Commits the first event of a rental, if what it is made from is as it was read.
     *
     * @param change tells the store whether it is still so
     */
    Rental begin(RentalId id, RentalEvent.Reserved event, long change, Answering<Rental> answering) {
        Recorded first = recorded(Rental.of(id, event), event);
        answering
                .keeping(first.after())
                .ifPresentOrElse(answer -> store.begin(first, change, answer), () -> store.begin(first, change));
        return made(List.of(first));
    }

    private Recorded recorded(Rental after, RentalEvent event) {
        return new Recorded(after, event, salt(), wakeOf(after));
    }

    private Rental record(List<Recorded> events, Answering<Rental> answering) {
        Rental after = events.getLast().after();
        answering.keeping(after).ifPresentOrElse(answer -> store.append(events, answer), () -> store.append(events));
        return made(events);
    }

    /** Events are in the store: now they get into the log, and listeners hear of them. */
    private Rental made(List<Recorded> events) {
        Rental after = events.getLast().after();
        try {
            for (Recorded event : events) {
                LOG.atInfo()
                        .addKeyValue("rental", after.id())
                        .addKeyValue("version", event.after().version())
                        .addKeyValue("state", event.after().state())
                        .log(event.event().getClass().getSimpleName());
                scribe.write(event);
            }
        } finally {
            store.timers().hurry();
        }
        tell();
        return after;
    }

    /** One of which nothing is left to do is woken once more: its last event is not lost to a log that failed for a while. */
    private Optional<Instant> wakeOf(Rental rental) {
        return rental.effects(policy).stream()
                .map(RentalEffect::due)
                .min(Instant::compareTo)
                .map(due -> due.isBefore(now()) ? now() : due)
                .or(() -> Optional.of(now()));
    }

    /**
     * Makes sure that a rental's events are in an audit log. Called before anything is done outside, so no event takes
     * effect that no log holds.
     *
     * @throws org.computehive.audit.AuditLogException if the log can't take them
     */
    void ensureAudited(Rental rental) {
        scribe.ensure(rental.id(), rental.version());
        tell();
    }

    /**
     * Puts in this engine's audit log what happened before an instant and is in none: what a crash left.
     *
     * @throws org.computehive.audit.AuditLogException if the log can't take it
     */
    void takeOver(Instant before) {
        scribe.sweep(before);
        tell();
    }

    /** Puts something in the audit log that concerns no rental, such as a clock that was set. */
    void note(String type, String subject, Instant at, String detail) {
        String salt = salt();
        byte[] payload = payload(subject, detail);
        append(AuditEntry.commit(type, at, payload, HexFormat.of().parseHex(salt)), salt, payload);
    }

    /** Puts something in the audit log that concerns a rental and is no event of it, such as what the gateway decided. */
    void note(String type, RentalId rental, String subject, Instant at, String detail) {
        String salt = salt();
        byte[] payload = payload(subject, detail);
        append(
                AuditEntry.commit(
                        type, rental.value(), at, payload, HexFormat.of().parseHex(salt)),
                salt,
                payload);
    }

    private static byte[] payload(String subject, String detail) {
        return (subject + ": " + detail).getBytes(StandardCharsets.UTF_8);
    }

    private void append(AuditEntry entry, String salt, byte[] payload) {
        long index = log.append(entry.bytes());
        LOG.atInfo()
                .addKeyValue("type", entry.type())
                .addKeyValue("auditIndex", index)
                .addKeyValue("salt", salt)
                .addKeyValue("payload", new String(payload, StandardCharsets.UTF_8))
                .log("audit note");
    }

    private String salt() {
        byte[] bytes = new byte[AuditEntry.SALT_BYTES];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    AutoCloseable listen(Consumer<Recorded> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    /** Completes with the rental once it is as asked, now or after an event. */
    CompletableFuture<Rental> when(RentalId id, Predicate<Rental> condition) {
        var future = new CompletableFuture<Rental>();
        Consumer<Recorded> listener = recorded -> {
            if (recorded.after().id().equals(id) && condition.test(recorded.after())) {
                future.complete(recorded.after());
            }
        };
        listeners.add(listener);
        var unused = future.whenComplete((rental, failure) -> listeners.remove(listener));
        store.rental(id).filter(condition).ifPresent(future::complete);
        return future;
    }

    private void tell() {
        synchronized (telling) {
            for (Recorded recorded = untold.poll(); recorded != null; recorded = untold.poll()) {
                for (Consumer<Recorded> listener : listeners) {
                    tell(listener, recorded);
                }
            }
        }
    }

    private static void tell(Consumer<Recorded> listener, Recorded recorded) {
        try {
            listener.accept(recorded);
        } catch (RuntimeException e) {
            LOG.warn("a listener failed on {}", recorded.after(), e);
        }
    }
}
