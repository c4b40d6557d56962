package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.computehive.market.GpuId;
import org.computehive.market.Rate;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Audited;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;
import org.computehive.rental.Timers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

class PostgresStoreIT extends RentalStoreContract {
    private static PostgresServer server;
    private String url;

    @BeforeAll
    static void startServer() throws Exception {
        server = PostgresServer.start();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    protected RentalStore open(InstantSource clock) throws Exception {
        url = server.createDatabase();
        return openAgain(clock);
    }

    private RentalStore openAgain(InstantSource clock) {
        return JdbcStore.postgres(url, server.user(), server.password(), clock);
    }

    @Test
    void reopened_everythingIsThere() {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        life.forEach(store()::append);
        store().putListing(listing("lot-1", Rate.of(9)));
        store().close();

        try (RentalStore again = openAgain(InstantSource.system())) {
            assertEquals(life, again.history(life.getFirst().after().id()));
            assertEquals(List.of(listing("lot-1", Rate.of(9))), again.listings());
        }
    }

    @Test
    void twoReplicas_neverOverlap() throws Exception {
        try (RentalStore other = openAgain(InstantSource.system())) {
            List<Object> outcomes = inParallel(16, 800, i -> {
                int from = i / 8 * 600;
                // Each asks for both gpus, in either order: none may wait for the other in a circle.
                Recorded recorded = reserved(
                        RentalId.random(),
                        i % 2 == 0
                                ? terms(i, seconds(from, from + 300), gpu(1), gpu(2))
                                : terms(i, seconds(from, from + 300), gpu(2), gpu(1)));
                (i % 3 == 0 ? store() : other).append(recorded);
                return recorded.after();
            });
            assertEquals(100, outcomes.stream().filter(Rental.class::isInstance).count());
            assertEquals(
                    700,
                    outcomes.stream()
                            .filter(RentalException.Overlap.class::isInstance)
                            .count());
        }
    }

    @Test
    void claim_thatAnotherReplicaHas_isNotGivenUntilThatOneIsGone() throws Exception {
        RentalId id = RentalId.random();
        try (RentalStore other = openAgain(InstantSource.system())) {
            RentalStore.Claim claim = other.claim(id).orElseThrow();
            assertEquals(Optional.empty(), store().claim(id));
            claim.close();
            store().claim(id).orElseThrow().close();
            assertTrue(other.claim(id).isPresent());
            assertEquals(Optional.empty(), store().claim(id));
        }
        store().claim(id).orElseThrow().close();
    }

    @Test
    void claim_afterItsSessionWasKilled_isGivenAgain() throws Exception {
        RentalId id = RentalId.random();
        try (RentalStore other = openAgain(InstantSource.system())) {
            RentalStore.Claim lost = other.claim(id).orElseThrow();
            try (Connection connection = DriverManager.getConnection(url, server.user(), server.password());
                    Statement statement = connection.createStatement()) {
                statement.execute("SELECT pg_terminate_backend(pid, 20000) FROM pg_locks WHERE locktype = 'advisory'");
            }
            RentalStore.Claim next = store().claim(id).orElseThrow();
            lost.close();
            assertEquals(Optional.empty(), other.claim(id));
            next.close();
            other.claim(id).orElseThrow().close();
        }
    }

    @Test
    void twoReplicas_shareTheWakes() throws Exception {
        int count = 100;
        for (int i = 0; i < count; i++) {
            Recorded recorded = reserved(RentalId.random(), terms(i, hours(i, i + 1), gpu(i + 1)));
            store().append(new Recorded(
                    recorded.after(), recorded.event(), recorded.salt(), Optional.of(Instant.now())));
        }
        Map<RentalId, Integer> woken = new ConcurrentHashMap<>();
        var left = new CountDownLatch(count);
        Timers.Handler handler = (id, version) -> {
            woken.merge(id, 1, Integer::sum);
            left.countDown();
            return null;
        };
        try (RentalStore other = openAgain(InstantSource.system())) {
            store().timers().start(handler);
            other.timers().start(handler);
            assertTrue(left.await(30, TimeUnit.SECONDS), () -> woken.size() + " of " + count);
        }
        assertEquals(count, woken.size());
        assertTrue(woken.values().stream().allMatch(times -> times == 1), woken::toString);
    }

    @Test
    void manyGpus_askedForInAnyOrder_neverOverlapAndNeverDeadlock() throws Exception {
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("PostgresStoreIT many gpus seed " + seed);
        var random = new Random(seed);
        var wanted = new ArrayList<Recorded>();
        for (int i = 0; i < 1_200; i++) {
            List<Integer> gpus =
                    new ArrayList<>(IntStream.rangeClosed(1, 8).boxed().toList());
            Collections.shuffle(gpus, random);
            int from = random.nextInt(120) * 300;
            wanted.add(reserved(
                    RentalId.random(),
                    terms(
                            i,
                            seconds(from, from + 300 * (1 + random.nextInt(6))),
                            gpus.subList(0, 1 + random.nextInt(8)).stream()
                                    .map(RentalStoreContract::gpu)
                                    .toArray(GpuId[]::new))));
        }
        List<Object> outcomes;
        try (RentalStore other = openAgain(InstantSource.system())) {
            outcomes = inParallel(16, wanted.size(), i -> {
                RentalStore one = i % 2 == 0 ? store() : other;
                one.append(wanted.get(i));
                // Some let go at once, so that inserts and deletes of the same gpus cross.
                if (i % 3 == 0) {
                    one.append(then(wanted.get(i).after(), new RentalEvent.HoldExpired(NOON)));
                }
                return wanted.get(i).after();
            });
        }
        for (int i = 0; i < outcomes.size(); i++) {
            RentalId id = wanted.get(i).after().id();
            if (outcomes.get(i) instanceof Throwable refused) {
                assertInstanceOf(RentalException.Overlap.class, refused);
                assertEquals(0, store().version(id));
            } else {
                assertEquals(i % 3 == 0 ? 2 : 1, store().version(id));
            }
        }
        try (Connection connection = DriverManager.getConnection(url, server.user(), server.password());
                Statement statement = connection.createStatement()) {
            assertEquals(0, count(statement, """
                    SELECT count(*) FROM ch_bookings a JOIN ch_bookings b ON a.gpu = b.gpu AND a.rental < b.rental
                    AND tstzrange(a.starts, a.ends) && tstzrange(b.starts, b.ends)"""));
            assertEquals(0, count(statement, """
                    SELECT count(*) FROM ch_bookings b LEFT JOIN ch_rentals r ON r.id = b.rental
                    WHERE r.id IS NULL OR r.state <> 'RESERVED'"""));
            assertEquals(0, count(statement, """
                    SELECT count(*) FROM ch_lanes l LEFT JOIN ch_rentals r ON r.id = l.rental
                    WHERE r.id IS NULL OR r.state <> 'RESERVED'"""));
        }
    }

    @Test
    void storedTogether_oneThatGetsAGpuInVain_keepsItFromNobody() throws Exception {
        store().append(reserved(RentalId.random(), terms(1, hours(0, 1), gpu(2))));
        Recorded inVain = reserved(RentalId.random(), terms(2, hours(0, 1), gpu(1), gpu(2)));
        Recorded lostToIt = reserved(RentalId.random(), terms(3, hours(0, 1), gpu(1)));
        Recorded other = reserved(RentalId.random(), terms(4, hours(0, 1), gpu(3)));

        List<Optional<RuntimeException>> outcomes = appendedTogether(List.of(inVain, lostToIt, other));

        assertInstanceOf(RentalException.Overlap.class, outcomes.get(0).orElseThrow());
        assertEquals(Optional.empty(), outcomes.get(1));
        assertEquals(Optional.empty(), outcomes.get(2));
        assertEquals(0, store().version(inVain.after().id()));
        assertEquals(List.of(lostToIt), store().history(lostToIt.after().id()));
        assertTrue(store().isFree(List.of(gpu(2)), hours(2, 3)));
        assertFalse(store().isFree(List.of(gpu(1)), hours(0, 1)));
    }

    @Test
    void storedTogether_oneThatCannotBeStored_keepsNoneOfTheOthersFromIt() throws Exception {
        Recorded first = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(1)));
        Recorded good = reserved(RentalId.random(), terms(2, hours(0, 1), gpu(2)));
        // PostgreSQL's times end in the year 294276.
        Recorded bad = new Recorded(
                good.after(), good.event(), good.salt(), Optional.of(Instant.parse("+300000-01-01T00:00:00Z")));
        Recorded overlapping = reserved(RentalId.random(), terms(3, hours(0, 1), gpu(1)));

        List<Optional<RuntimeException>> outcomes = appendedTogether(List.of(first, bad, overlapping));

        assertEquals(Optional.empty(), outcomes.get(0));
        assertInstanceOf(StoreException.class, outcomes.get(1).orElseThrow());
        assertInstanceOf(RentalException.Overlap.class, outcomes.get(2).orElseThrow());
        assertEquals(List.of(first), store().history(first.after().id()));
        assertEquals(0, store().version(bad.after().id()));
        assertTrue(store().isFree(List.of(gpu(2)), hours(0, 1)), "nothing is left of it");
    }

    @Test
    void storedTogether_theSameRentalTwice_isKeptOnce_andTheOtherIsToldSo() throws Exception {
        Recorded one = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(1)));
        store().append(one);
        Recorded other = reserved(RentalId.random(), terms(2, hours(0, 1), gpu(2)));

        List<Optional<RuntimeException>> outcomes = appendedTogether(List.of(one, other));

        assertInstanceOf(RentalException.Superseded.class, outcomes.get(0).orElseThrow());
        assertEquals(Optional.empty(), outcomes.get(1));
    }

    /** Appends while the table is locked, so that all but a first that is of no interest share a transaction, in this order. */
    private List<Optional<RuntimeException>> appendedTogether(List<Recorded> events) throws Exception {
        var outcomes = new ConcurrentHashMap<Integer, Optional<RuntimeException>>();
        var threads = new ArrayList<Thread>();
        try (Connection connection = DriverManager.getConnection(url, server.user(), server.password());
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE ch_bookings IN ACCESS EXCLUSIVE MODE");
            Recorded leader = reserved(RentalId.random(), terms(9_000, hours(0, 1), gpu(8)));
            threads.add(Thread.ofPlatform().start(() -> store().append(leader)));
            while (count(statement, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < events.size(); i++) {
                int number = i;
                Thread thread = Thread.ofPlatform().start(() -> {
                    try {
                        store().append(events.get(number));
                        outcomes.put(number, Optional.empty());
                    } catch (RuntimeException e) {
                        outcomes.put(number, Optional.of(e));
                    }
                });
                threads.add(thread);
                while (thread.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
            }
            connection.commit();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return IntStream.range(0, events.size()).mapToObj(outcomes::get).toList();
    }

    private static long count(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    @Test
    void dumpedAndRestored_everythingIsThere_andNothingOverlaps() throws Exception {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        life.forEach(store()::append);
        Recorded waiting = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(2)));
        store().append(new Recorded(waiting.after(), waiting.event(), waiting.salt(), Optional.of(Instant.now())));
        store().audited(List.of(new RentalStore.Audited(waiting.after().id(), 1, "log", 7)));
        Path dump = server.file("backup.dump");

        // While it goes on.
        var stop = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int i = 10; !stop.get(); i++) {
                store().append(reserved(RentalId.random(), terms(i, hours(i, i + 1), gpu(3))));
            }
        });
        server.client("pg_dump", "--format=custom", "--file=" + dump, server.libpq(url));
        stop.set(true);
        writer.join();
        assertThrows(StoreException.class, () -> ((JdbcStore) store()).backup(Path.of("unused")));
        String target = server.createDatabase();
        server.client(
                "pg_restore", "--exit-on-error", "--no-owner", "--dbname=" + server.libpq(target), dump.toString());

        try (RentalStore restored =
                JdbcStore.postgres(target, server.user(), server.password(), InstantSource.system())) {
            assertEquals(life, restored.history(life.getFirst().after().id()));
            assertEquals(OptionalLong.of(7), restored.lastAudited("log"));
            assertThrows(
                    RentalException.Overlap.class,
                    () -> restored.append(reserved(RentalId.random(), terms(9_000, hours(0, 1), gpu(2)))));
            restored.append(reserved(RentalId.random(), terms(9_001, hours(0, 1), gpu(1))));
            var woken = new LinkedBlockingQueue<RentalId>();
            restored.timers().start((id, version) -> {
                if (id.equals(waiting.after().id())) {
                    woken.add(id);
                }
                return null;
            });
            assertEquals(waiting.after().id(), woken.poll(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void database_itself_refusesWhatTheStoreWould() throws Exception {
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        store().append(first);
        store().audited(List.of(new Audited(first.after().id(), 1, "log", 0)));
        try (Connection connection = DriverManager.getConnection(url, server.user(), server.password());
                Statement statement = connection.createStatement()) {
            for (String sql : List.of(
                    "INSERT INTO ch_bookings (gpu, starts, ends, rental) SELECT gpu, starts + interval '1 s', ends, rental FROM ch_bookings",
                    "UPDATE ch_events SET payload = '{}'",
                    "DELETE FROM ch_events",
                    "UPDATE ch_audit_places SET place = place + 1",
                    "DELETE FROM ch_audit_places",
                    "INSERT INTO ch_lanes SELECT lender, lane, rental FROM ch_lanes")) {
                assertThrows(SQLException.class, () -> statement.executeUpdate(sql), sql);
            }
        }
    }

    @Test
    void openedBesideOtherTables_leavesThemAlone() throws Exception {
        String shared = server.createDatabase();
        try (Connection connection = DriverManager.getConnection(shared, server.user(), server.password());
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE hosts (mine text)");
        }
        var source = new PGSimpleDataSource();
        source.setUrl(shared);
        source.setUser(server.user());
        source.setPassword(server.password());
        try (RentalStore store = JdbcStore.postgres(source, InstantSource.system())) {
            store.putHost(host("rack-1", 4));
            assertEquals(1, store.hosts().size());
        }
    }

    @Test
    void twoReplicasThatOpenANewDatabaseTogether_bothCome() throws Exception {
        url = server.createDatabase();
        List<Object> outcomes = inParallel(2, 2, i -> openAgain(InstantSource.system()));
        var opened = new ArrayList<RentalStore>();
        for (Object outcome : outcomes) {
            opened.add((RentalStore) outcome);
        }
        opened.forEach(RentalStore::close);
    }

    @Test
    void postgres_wrongPassword_saysSoAndDoesNotShowIt() {
        var refused = assertThrows(
                StoreException.class,
                () -> JdbcStore.postgres(url, server.user(), "hunter2-not-it", InstantSource.system()));
        assertTrue(refused.getMessage().contains("check that it runs"), refused.getMessage());
        for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
            assertFalse(cause.toString().contains("hunter2"), cause::toString);
        }
    }
}
