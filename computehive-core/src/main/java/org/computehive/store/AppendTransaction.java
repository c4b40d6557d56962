package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import org.computehive.market.GpuId;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalStore.Recorded;

/**
 * What {@link JdbcStore#append} does in one transaction. Every one takes its locks in the same order: rental, lanes,
 * gpus by name, wake-up; so none waits in a circle.
 */
final class AppendTransaction {
    private final Connection connection;
    private final Dialect dialect;
    private final JdbcTimers timers;
    private final Recorded recorded;
    private final Rental after;

    AppendTransaction(Connection connection, Dialect dialect, JdbcTimers timers, Recorded recorded) {
        this.connection = connection;
        this.dialect = dialect;
        this.timers = timers;
        this.recorded = recorded;
        this.after = recorded.after();
    }

    void run() throws SQLException {
        putRental();
        insertEvent();
        if (after.version() == 1) {
            mayBeRented();
        }
        if (after.holdingsChanged()) {
            new HoldingsChange(connection, dialect, after).apply();
        }
        timers.set(connection, after.id(), after.version(), recorded.wake());
    }

    /** Refuses a rental whose listing or host was kept anew since. */
    void requireUnchanged(long change) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT l.changed + h.changed FROM ch_listings l, ch_hosts h WHERE l.id = ? AND h.id = ?")) {
            statement.setString(1, after.terms().listing().value());
            statement.setString(2, after.terms().host().value());
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next() || rows.getLong(1) != change) {
                    throw Preconditions.changed(after.terms().listing());
                }
            }
        }
    }

    private void mayBeRented() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT 1 FROM ch_gpu_conditions WHERE id = ? AND payload ->> 'state' = 'QUARANTINED'")) {
            for (GpuId gpu : after.gpus()) {
                statement.setString(1, gpu.toString());
                try (ResultSet rows = statement.executeQuery()) {
                    if (rows.next()) {
                        throw Preconditions.quarantined(gpu);
                    }
                }
            }
        }
    }

    private void putRental() throws SQLException {
        int changed = after.version() == 1 ? insertRental() : updateRental();
        if (changed == 0) {
            throw Preconditions.superseded(after, storedVersion());
        }
    }

    private int insertRental() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_rentals (id, version, state, renter, lender, reserved_at)
                VALUES (?, 1, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""")) {
            statement.setString(1, after.id().value());
            statement.setString(2, after.state().name());
            statement.setString(3, after.terms().renter().address());
            statement.setString(4, after.terms().lender().address());
            dialect.setInstant(statement, 5, after.reservedAt());
            return statement.executeUpdate();
        }
    }

    private int updateRental() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "UPDATE ch_rentals SET version = ?, state = ? WHERE id = ? AND version = ?")) {
            statement.setLong(1, after.version());
            statement.setString(2, after.state().name());
            statement.setString(3, after.id().value());
            statement.setLong(4, after.version() - 1);
            return statement.executeUpdate();
        }
    }

    private long storedVersion() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT version FROM ch_rentals WHERE id = ?")) {
            statement.setString(1, after.id().value());
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? rows.getLong(1) : 0;
            }
        }
    }

    private void insertEvent() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO ch_events (rental, version, format, payload, salt, wake) VALUES (?, ?, ?, ?, ?, ?)")) {
            statement.setString(1, after.id().value());
            statement.setLong(2, after.version());
            statement.setString(3, EventCodec.name(recorded.event()));
            dialect.setJson(statement, 4, recorded.payload());
            statement.setString(5, recorded.salt());
            if (recorded.wake().isPresent()) {
                statement.setString(6, recorded.wake().get().toString());
            } else {
                statement.setNull(6, Types.VARCHAR);
            }
            statement.executeUpdate();
        }
    }
}
