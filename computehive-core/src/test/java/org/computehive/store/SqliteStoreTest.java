package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.computehive.manifest.Setup;
import org.computehive.market.Amount;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Audited;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqliteStoreTest extends RentalStoreContract {
    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("store.db");
    }

    @Override
    protected RentalStore open(InstantSource clock) {
        return JdbcStore.sqlite(file(), clock);
    }

    @Test
    void reopened_everythingIsThereAndWakesCome() throws Exception {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        life.forEach(store()::append);
        Recorded waiting = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(2)));
        store().append(new Recorded(waiting.after(), waiting.event(), waiting.salt(), Optional.of(Instant.now())));
        store().putHost(host("rack-1", 4));
        store().audited(List.of(new RentalStore.Audited(life.getFirst().after().id(), 1, "log-a", 0)));
        store().close();

        try (RentalStore again = open(InstantSource.system())) {
            assertEquals(life, again.history(life.getFirst().after().id()));
            assertEquals(List.of(host("rack-1", 4)), again.hosts());
            assertEquals(life.size(), again.unaudited(100).size());
            assertEquals(OptionalLong.of(0), again.lastAudited("log-a"));
            assertEquals(0, again.freeLane(LENDER));
            assertThrows(
                    RentalException.Overlap.class,
                    () -> again.append(reserved(RentalId.random(), terms(2, hours(0, 1), gpu(2)))));
            var woken = new LinkedBlockingQueue<String>();
            again.timers().start((id, version) -> {
                if (id.equals(waiting.after().id())) {
                    woken.add(id + " " + version);
                }
                return null;
            });
            assertEquals(waiting.after().id() + " 1", woken.poll(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void secondStoreOnOneFile_isRefusedUntilTheFirstIsClosed() {
        var refused = assertThrows(StoreException.class, () -> open(InstantSource.system()));
        assertTrue(refused.getMessage().contains("is open in another store"), refused.getMessage());
        store().putHost(host("rack-1", 4));
        store().close();

        try (RentalStore next = open(InstantSource.system())) {
            assertEquals(List.of(host("rack-1", 4)), next.hosts());
        }
    }

    @Test
    void database_itself_refusesWhatTheStoreWould() throws Exception {
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        store().append(first);
        store().audited(List.of(new Audited(first.after().id(), 1, "log", 0)));
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                Statement statement = connection.createStatement()) {
            assertEquals(
                    0,
                    statement.executeUpdate(
                            "INSERT INTO ch_bookings (gpu, starts, ends, rental) SELECT gpu, starts + 1, ends, rental FROM ch_bookings"));
            for (String sql : List.of(
                    "UPDATE ch_bookings SET ends = ends + 1",
                    "UPDATE ch_events SET payload = '{}'",
                    "DELETE FROM ch_events",
                    "UPDATE ch_audit_places SET place = place + 1",
                    "DELETE FROM ch_audit_places",
                    "INSERT INTO ch_lanes SELECT lender, lane, rental FROM ch_lanes")) {
                assertThrows(SQLException.class, () -> statement.executeUpdate(sql), sql);
            }
        }
        assertEquals(List.of(first), store().history(first.after().id()));
    }

    @Test
    void backup_whileOthersWrite_opensAndHoldsWhatWasAcknowledgedBefore() throws Exception {
        var acknowledged = new ConcurrentLinkedQueue<Rental>();
        var stop = new AtomicBoolean();
        try (var pool = Executors.newFixedThreadPool(3)) {
            List<Future<?>> writers = new ArrayList<>();
            for (int writer = 0; writer < 3; writer++) {
                int gpu = writer + 1;
                writers.add(pool.submit(() -> {
                    for (int i = 0; !stop.get(); i++) {
                        Recorded recorded =
                                reserved(RentalId.random(), terms(1000L * gpu + i, hours(2 * i, 2 * i + 1), gpu(gpu)));
                        store().append(recorded);
                        acknowledged.add(recorded.after());
                        store().append(then(recorded.after(), new RentalEvent.HoldExpired(NOON)));
                    }
                }));
            }
            try {
                for (int round = 0; round < 3; round++) {
                    int target = 50 * (round + 1);
                    while (acknowledged.size() < target) {
                        Thread.onSpinWait();
                    }
                    List<Rental> before = List.copyOf(acknowledged);
                    Path copy = directory.resolve("backup-" + round + ".db");
                    ((JdbcStore) store()).backup(copy);
                    checkRestored(copy, before);
                }
            } finally {
                stop.set(true);
            }
            for (Future<?> writer : writers) {
                writer.get(30, TimeUnit.SECONDS);
            }
        }
    }

    private void checkRestored(Path copy, List<Rental> acknowledged) throws Exception {
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)));
        try (RentalStore restored = JdbcStore.sqlite(copy, InstantSource.system())) {
            for (Rental rental : acknowledged) {
                assertTrue(restored.version(rental.id()) >= 1, rental::toString);
                assertEquals(
                        restored.version(rental.id()),
                        restored.rental(rental.id()).orElseThrow().version());
            }
            Recorded more = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(9)));
            restored.append(more);
            assertThrows(
                    RentalException.Overlap.class,
                    () -> restored.append(reserved(RentalId.random(), terms(2, hours(0, 1), gpu(9)))));
        }
    }

    @Test
    void backup_overAFileOrIntoNoDirectory_isRefusedAndLeavesNothing() throws Exception {
        Path there = Files.writeString(directory.resolve("there.db"), "mine");
        assertThrows(StoreException.class, () -> ((JdbcStore) store()).backup(there));
        assertEquals("mine", Files.readString(there));
        assertThrows(StoreException.class, () -> ((JdbcStore) store()).backup(directory.resolve("none/copy.db")));
        assertFalse(Files.exists(directory.resolve("there.db.part")));
    }

    @Test
    void file_isForItsOwnerAlone() throws Exception {
        for (String suffix : List.of("", "-wal", "-lock")) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(directory.resolve("store.db" + suffix))));
        }
    }

    @Test
    void sqlite_directoryThatIsNotThere_saysSo() {
        Path nowhere = directory.resolve("none/store.db");
        var refused = assertThrows(StoreException.class, () -> JdbcStore.sqlite(nowhere, InstantSource.system()));
        assertTrue(refused.getMessage().contains("check that its directory exists"), refused.getMessage());
    }

    @Test
    void sqlite_fileThatIsNoDatabase_isRefused() throws Exception {
        Path text = Files.writeString(directory.resolve("text"), "no database ".repeat(100));
        assertThrows(StoreException.class, () -> JdbcStore.sqlite(text, InstantSource.system()));
    }

    @Test
    void history_changedByHand_isRefusedOnReading() throws Exception {
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        store().append(first);
        store().append(then(first.after(), new RentalEvent.HoldExpired(NOON)));
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("DROP TRIGGER ch_events_no_update");
            statement.executeUpdate("UPDATE ch_events SET version = 3 WHERE version = 2");
        }
        assertThrows(StoreException.class, () -> store().rental(first.after().id()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quote.v1", "quote.v2", "quote.v3", "quote.v4"})
    void quote_ofAnEarlierForm_isReadAsPromisingNothing(String form) throws Exception {
        try (InputStream golden =
                        SqliteStoreTest.class.getResourceAsStream("/org/computehive/rental/golden/" + form + ".json");
                Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                PreparedStatement statement = connection.prepareStatement(
                        "INSERT INTO ch_quotes (id, format, payload, expires) VALUES (?, ?, ?, 0)")) {
            statement.setString(1, "abcdefghjkmnpqrstvwxyz2345");
            statement.setString(2, form);
            statement.setString(3, new String(Objects.requireNonNull(golden).readAllBytes(), StandardCharsets.UTF_8));
            statement.executeUpdate();
        }

        Quote quote = store().quote(new RentalId("abcdefghjkmnpqrstvwxyz2345")).orElseThrow();

        assertEquals(Setup.UNSTATED, quote.setup());
        assertEquals(
                form.equals("quote.v1")
                        ? listing("lot-1", Rate.of(7)).at("", Interconnect.NONE)
                        : listing("lot-1", Rate.of(7)),
                quote.offered());
    }

    @Test
    void listing_writtenBeforeRegions_isReadAsSayingNeither() throws Exception {
        Listing listing = listing("lot-1", Rate.of(7));
        store().putListing(listing);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE ch_listings SET format = 'listing.v1',"
                    + " payload = json_remove(payload, '$.region', '$.interconnect', '$.rules.cancellation',"
                    + " '$.rules.reclaimNotice', '$.rules.stakes', '$.shape.network')");
        }

        assertEquals(Optional.of(listing.at("", Interconnect.NONE)), store().listing(listing.id()));
    }

    @Test
    void listing_writtenBeforeStakes_isReadAsHavingNone() throws Exception {
        Listing listing = listing("lot-1", Rate.of(7));
        store().putListing(listing);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE ch_listings SET format = 'listing.v2',"
                    + " payload = json_remove(payload, '$.rules.stakes', '$.shape.network')");
        }

        assertEquals(Optional.of(listing), store().listing(listing.id()));
    }

    @Test
    void listing_withStakes_isReadAsItWasKept() {
        Listing listing = listing("lot-1", Rate.of(7));
        var stakes = new Stakes(account(9), Amount.of(70), Amount.of(7));
        Listing staked = listing.with(listing.rules().with(stakes));
        store().putListing(staked);

        assertEquals(stakes, store().listing(listing.id()).orElseThrow().rules().stakes());
    }
}
