package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.reflect.Proxy;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.manifest.Setup;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.Stakes;
import org.computehive.rental.RentalStore.Audited;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;
import org.junit.jupiter.api.Test;

/** Two replicas with a log each on one store, and what a crash leaves between store, log and note. */
class ScribeTest {
    private final InMemoryStore store = InMemoryStore.simulated(InstantSource.fixed(Sample.NOW));
    private final InMemoryAuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example/a"));
    private final InMemoryAuditLog otherLog = new InMemoryAuditLog(NoteKey.generate("test.example/b"));
    private final List<Recorded> heard = new ArrayList<>();
    private final Scribe scribe = new Scribe(store, log, heard::add);
    private final Scribe other = new Scribe(store, otherLog, event -> {});

    private Recorded reserved(int lane) {
        RentalTerms terms = Sample.terms();
        var own = new RentalTerms(
                terms.renter(),
                terms.lender(),
                terms.listing(),
                terms.host(),
                terms.gpus(),
                terms.shape(),
                Window.of(
                        terms.window().start().plusSeconds(7200L * lane),
                        terms.window().length()),
                terms.turnover(),
                terms.token(),
                terms.rate(),
                terms.grace(),
                terms.disputeWindow(),
                lane,
                terms.holdUntil(),
                terms.emulated(),
                Cancellation.FREE,
                Stakes.NONE,
                Setup.UNSTATED,
                Assurance.ISOLATED);
        var event = new RentalEvent.Reserved(Sample.NOW, own);
        return committed(Rental.of(RentalId.random(), event), event);
    }

    private Recorded then(Recorded before, RentalEvent event) {
        return committed(before.after().after(event), event);
    }

    private Recorded expired(Recorded before) {
        return then(before, new RentalEvent.HoldExpired(Sample.NOW.plusSeconds(9)));
    }

    private Recorded committed(Rental after, RentalEvent event) {
        var recorded = new Recorded(after, event, "5a".repeat(AuditEntry.SALT_BYTES), Optional.empty());
        store.append(recorded);
        return recorded;
    }

    private static List<String> events(AuditLog log) {
        return log.entries(0, log.size()).stream()
                .map(AuditEntry::parse)
                .map(entry ->
                        entry.rental().orElse("none") + " " + entry.number().orElse(0))
                .toList();
    }

    private static List<String> names(Recorded... events) {
        return List.of(events).stream()
                .map(event -> event.after().id() + " " + event.after().version())
                .toList();
    }

    @Test
    void write_putsTheEventInTheOwnLogAlone_andNotesIt() {
        Recorded event = reserved(0);
        Recorded elsewhere = reserved(1);
        scribe.write(event);
        assertEquals(names(event), events(log));
        assertEquals(List.of(event), heard);
        assertEquals(List.of(elsewhere), store.unaudited(10), "that is for the replica that committed it");
        assertEquals(0, store.lastAudited("test.example/a").orElseThrow());
    }

    @Test
    void ensure_ofAnothersRental_takesOverWhatItsReplicaDidNotLog() {
        Recorded first = reserved(0);
        other.write(first);
        Recorded second = expired(first);
        scribe.ensure(second.after().id(), 2);
        assertEquals(names(second), events(log));
        assertEquals(List.of(), store.unaudited(10));

        other.write(second);
        assertEquals(names(first, second), events(otherLog), "not dead but slow: a duplicate in its own log");
        assertEquals(0, store.lastAudited("test.example/a").orElseThrow());
        assertEquals(0, store.lastAudited("test.example/b").orElseThrow(), "the place noted first counts");
    }

    @Test
    void write_ofAnEventOverTakenByALaterOne_isInTheLogOnce_inOrder() {
        Recorded first = reserved(0);
        Recorded second = expired(first);
        scribe.write(second);
        scribe.write(first);
        scribe.write(second);
        scribe.ensure(first.after().id(), 2);
        assertEquals(names(first, second), events(log));
        assertEquals(List.of(first, second), heard);
    }

    @Test
    void write_ofAnEventThatCameAlongWithTheOneBefore_isInTheLogOnce() {
        Recorded first = reserved(0);
        other.write(first);
        Recorded second = expired(first);
        scribe.ensure(first.after().id(), 1);
        scribe.write(second);
        assertEquals(names(second), events(log));
        assertEquals(List.of(second), heard);
    }

    @Test
    void crashBetweenLogAndNote_isMatchedByTheNextRun() {
        Recorded noted = reserved(0);
        scribe.write(noted);
        Recorded lost = reserved(1);
        Recorded alsoLost = reserved(2);
        var dies = new Scribe(notesNothing(store), log, event -> {});
        dies.write(lost);
        log.append(AuditEntry.commit("access.entered", Sample.NOW, new byte[1], new byte[AuditEntry.SALT_BYTES])
                .bytes());
        dies.write(alsoLost);
        Recorded never = reserved(3);
        assertEquals(List.of(lost, alsoLost, never), store.unaudited(10));

        var next = new Scribe(store, log, heard::add);
        next.sweep(Instant.MAX);
        assertEquals(
                names(noted, lost, alsoLost, never),
                events(log).stream().filter(name -> !name.startsWith("none")).toList());
        assertEquals(List.of(), store.unaudited(10));
        assertEquals(4, store.lastAudited("test.example/a").orElseThrow());
        assertEquals(List.of(noted, lost, alsoLost, never), heard);
    }

    /** As a store is that breaks down behind every append. */
    private static RentalStore notesNothing(RentalStore real) {
        return (RentalStore) Proxy.newProxyInstance(
                ScribeTest.class.getClassLoader(), new Class<?>[] {RentalStore.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("audited")) {
                        throw new UnsupportedOperationException("the database is gone");
                    }
                    return method.invoke(real, arguments);
                });
    }

    @Test
    void noteThatFails_isMadeUpForByTheNextCall_withoutASecondEntry() {
        boolean[] down = {true};
        RentalStore unsteady = (RentalStore) Proxy.newProxyInstance(
                ScribeTest.class.getClassLoader(), new Class<?>[] {RentalStore.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("audited") && down[0] && !((List<?>) arguments[0]).isEmpty()) {
                        throw new UnsupportedOperationException("the database is gone");
                    }
                    return method.invoke(store, arguments);
                });
        var own = new Scribe(unsteady, log, heard::add);
        Recorded first = reserved(0);
        own.write(first);
        own.sweep(Instant.MAX);
        assertEquals(List.of(first), store.unaudited(10));
        down[0] = false;
        own.sweep(Instant.MAX);
        assertEquals(List.of(), store.unaudited(10));
        assertEquals(names(first), events(log));
    }

    @Test
    void sweep_leavesWhatIsYoung() {
        Recorded old = reserved(0);
        Recorded young = expired(old);
        scribe.sweep(Sample.NOW.plusSeconds(5));
        assertEquals(names(old), events(log));
        assertEquals(List.of(young), store.unaudited(10));
    }

    @Test
    void sweep_ofMoreThanABatch_takesAll() {
        for (int i = 0; i < 600; i++) {
            reserved(i);
        }
        scribe.sweep(Instant.MAX);
        assertEquals(600, log.size());
        assertEquals(List.of(), store.unaudited(10));
    }

    @Test
    void logThatRefuses_failsTheCall_andTheNextPutsItThere() {
        var closed = new InMemoryAuditLog(NoteKey.generate("test.example/c"));
        closed.close();
        var broken = new Scribe(store, closed, heard::add);
        Recorded first = reserved(0);
        assertThrows(AuditLogException.class, () -> broken.write(first));
        assertThrows(AuditLogException.class, () -> broken.ensure(first.after().id(), 1));
        assertEquals(List.of(), heard);
        scribe.ensure(first.after().id(), 1);
        assertEquals(names(first), events(log));
    }

    @Test
    void twoEnginesUnderOneLogName_areFoundOut() {
        Recorded first = reserved(0);
        Recorded second = reserved(1);
        store.audited(List.of(new Audited(first.after().id(), 1, "test.example/a", 0)));
        assertThrows(AuditMismatchException.class, () -> scribe.write(second));
    }

    @Test
    void writes_ofManyThreads_areEachThereOnce() throws Exception {
        List<Callable<Recorded>> tasks = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            int lane = i;
            tasks.add(() -> {
                Recorded first = reserved(lane);
                scribe.write(first);
                Recorded second = expired(first);
                scribe.write(second);
                return second;
            });
        }
        try (var pool = Executors.newFixedThreadPool(16)) {
            for (var done : pool.invokeAll(tasks)) {
                done.get();
            }
        }
        assertEquals(800, log.size());
        assertEquals(800, events(log).stream().distinct().count());
        assertEquals(events(log), names(heard.toArray(new Recorded[0])));
        assertEquals(List.of(), store.unaudited(10));
    }
}
