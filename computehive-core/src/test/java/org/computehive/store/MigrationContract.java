package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.manifest.Setup;
import org.computehive.market.GpuId;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalJson;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A database that the first version wrote, opened by this one. */
abstract class MigrationContract {
    /** Returns the folder of the dialect's migrations. */
    abstract String dialect();

    /** Returns the address of an empty database. */
    abstract String url();

    abstract @Nullable String user();

    abstract @Nullable String password();

    /** Returns how the first version wrote an instant. */
    abstract Object written(Instant instant);

    abstract JdbcStore open();

    @Test
    void databaseOfTheFirstVersion_keepsItsBookingsLanesAndQuotes() throws Exception {
        Flyway.configure()
                .dataSource(url(), user(), password())
                .locations("classpath:org/computehive/store/" + dialect())
                .table("ch_schema_history")
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .target("1")
                .load()
                .migrate();
        Recorded held = RentalStoreContract.reserved(
                RentalId.random(),
                RentalStoreContract.terms(0, RentalStoreContract.hours(0, 1), RentalStoreContract.gpu(1)));
        Recorded over = RentalStoreContract.reserved(
                RentalId.random(),
                RentalStoreContract.terms(1, RentalStoreContract.hours(0, 1), RentalStoreContract.gpu(2)));
        var quote = new Quote(
                RentalId.random(),
                RentalStoreContract.account(2),
                RentalStoreContract.listing("lot", Rate.of(3)),
                RentalStoreContract.hours(0, 2),
                Instant.parse("2027-03-01T12:00:00.500Z"),
                Setup.UNSTATED);
        try (Connection connection = DriverManager.getConnection(url(), user(), password())) {
            insert(connection, held.after(), 0, true);
            insert(connection, over.after(), 1, false);
            event(connection, held);
            event(connection, over);
            try (PreparedStatement statement = connection.prepareStatement(
                    "INSERT INTO ch_quotes (id, format, payload) VALUES (?, 'quote.v3', %s)".formatted(json()))) {
                statement.setString(1, quote.id().value());
                statement.setString(
                        2,
                        RentalJson.writeOlder(
                                quote,
                                Map.of(
                                        "offered/rules/stakes",
                                        Stakes.NONE,
                                        "offered/shape/network",
                                        NetworkPolicy.NONE)));
                statement.executeUpdate();
            }
            try (PreparedStatement statement = connection.prepareStatement(
                    "INSERT INTO ch_bookings (gpu, starts, ends, rental) VALUES (?, ?, ?, ?)")) {
                statement.setString(1, RentalStoreContract.gpu(1).toString());
                statement.setObject(2, written(held.after().terms().occupied().start()));
                statement.setObject(3, written(held.after().terms().occupied().end()));
                statement.setString(4, held.after().id().value());
                statement.executeUpdate();
            }
        }

        try (RentalStore store = open()) {
            assertEquals(List.of(held), store.history(held.after().id()));
            assertEquals(1, store.freeLane(RentalStoreContract.account(1)), "lane 0 is held, lane 1 is not");
            assertThrows(RentalException.LaneTaken.class, () -> store.append(again(0, RentalStoreContract.gpu(3))));
            assertThrows(RentalException.Overlap.class, () -> store.append(again(1, RentalStoreContract.gpu(1))));
            store.append(again(1, RentalStoreContract.gpu(2)));
            assertEquals(Optional.of(quote), store.quote(quote.id()));
            assertEquals(0, store.pruneQuotes(quote.expires().minusSeconds(1), 10));
            assertEquals(1, store.pruneQuotes(quote.expires().plusSeconds(1), 10));
        }
    }

    private static Recorded again(long lane, GpuId gpu) {
        return RentalStoreContract.reserved(
                RentalId.random(), RentalStoreContract.terms(lane, RentalStoreContract.hours(0, 1), gpu));
    }

    /** Returns the place of a JSON text among a statement's parameters. */
    private String json() {
        return dialect().equals("postgresql") ? "?::json" : "?";
    }

    private void insert(Connection connection, Rental rental, long lane, boolean held) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_rentals (id, version, state, renter, lender, lane, lane_held, reserved_at)
                VALUES (?, 1, 'RESERVED', ?, ?, ?, ?, ?)""")) {
            statement.setString(1, rental.id().value());
            statement.setString(2, rental.terms().renter().address());
            statement.setString(3, rental.terms().lender().address());
            statement.setLong(4, lane);
            statement.setBoolean(5, held);
            statement.setObject(6, written(rental.reservedAt()));
            statement.executeUpdate();
        }
    }

    private void event(Connection connection, Recorded recorded) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_events (rental, version, format, payload, salt, wake) VALUES (?, 1, ?, %s, ?, ?)""".formatted(json()))) {
            statement.setString(1, recorded.after().id().value());
            statement.setString(2, EventCodec.name(recorded.event()));
            statement.setString(3, EventCodec.write(recorded.event()));
            statement.setString(4, recorded.salt());
            statement.setString(5, recorded.wake().orElseThrow().toString());
            statement.executeUpdate();
        }
    }
}
