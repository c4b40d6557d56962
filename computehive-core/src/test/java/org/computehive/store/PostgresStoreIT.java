package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.computehive.market.Rate;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
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
                statement.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
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
    void database_itself_refusesWhatTheStoreWould() throws Exception {
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        store().append(first);
        try (Connection connection = DriverManager.getConnection(url, server.user(), server.password());
                Statement statement = connection.createStatement()) {
            for (String sql : List.of(
                    "INSERT INTO ch_bookings (gpu, starts, ends, rental) SELECT gpu, starts + interval '1 s', ends, rental FROM ch_bookings",
                    "UPDATE ch_events SET payload = '{}'",
                    "DELETE FROM ch_events",
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
