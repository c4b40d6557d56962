package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.computehive.market.GpuId;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.store.Dialect.UniqueIndex;

/**
 * What {@link JdbcStore#append} does in one transaction. Every one takes its locks in the same order: rental and lane,
 * then gpus by name, then wake-up; so none waits in a circle.
 */
final class AppendTransaction {
    private final Connection connection;
    private final Dialect dialect;
    private final JdbcTimers timers;
    private final Recorded recorded;
    private final String payload;
    private final Rental after;

    AppendTransaction(Connection connection, Dialect dialect, JdbcTimers timers, Recorded recorded, String payload) {
        this.connection = connection;
        this.dialect = dialect;
        this.timers = timers;
        this.recorded = recorded;
        this.payload = payload;
        this.after = recorded.after();
    }

    void run() throws SQLException {
        putRental();
        insertEvent();
        if (after.occupied().isEmpty()) {
            release();
        } else if (after.version() == 1) {
            book();
        }
        timers.set(connection, after.id(), after.version(), recorded.wake());
    }

    private void putRental() throws SQLException {
        try {
            int changed = after.version() == 1 ? insertRental() : updateRental();
            if (changed == 0) {
                throw Preconditions.superseded(after, storedVersion());
            }
        } catch (SQLException e) {
            if (dialect.violates(e, UniqueIndex.LANE)) {
                RentalException.LaneTaken taken = Preconditions.laneTaken(after);
                taken.initCause(e);
                throw taken;
            }
            throw e;
        }
    }

    private int insertRental() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_rentals (id, version, state, renter, lender, lane, lane_held, reserved_at)
                VALUES (?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""")) {
            statement.setString(1, after.id().value());
            statement.setString(2, after.state().name());
            statement.setString(3, after.terms().renter().address());
            statement.setString(4, after.terms().lender().address());
            statement.setLong(5, after.terms().lane());
            statement.setBoolean(6, after.holdsLane());
            dialect.setInstant(statement, 7, after.reservedAt());
            return statement.executeUpdate();
        }
    }

    private int updateRental() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "UPDATE ch_rentals SET version = ?, state = ?, lane_held = ? WHERE id = ? AND version = ?")) {
            statement.setLong(1, after.version());
            statement.setString(2, after.state().name());
            statement.setBoolean(3, after.holdsLane());
            statement.setString(4, after.id().value());
            statement.setLong(5, after.version() - 1);
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
            dialect.setJson(statement, 4, payload);
            statement.setString(5, recorded.salt());
            if (recorded.wake().isPresent()) {
                statement.setString(6, recorded.wake().get().toString());
            } else {
                statement.setNull(6, Types.VARCHAR);
            }
            statement.executeUpdate();
        }
    }

    private void book() throws SQLException {
        List<GpuId> inOrder = after.terms().gpus().stream()
                .sorted(Comparator.comparing(GpuId::toString))
                .toList();
        Instant starts = after.terms().occupied().start();
        Instant ends = after.terms().occupied().end();
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO ch_bookings (gpu, starts, ends, rental) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            for (GpuId gpu : inOrder) {
                statement.setString(1, gpu.toString());
                dialect.setInstant(statement, 2, starts);
                dialect.setInstant(statement, 3, ends);
                statement.setString(4, after.id().value());
                if (statement.executeUpdate() == 0) {
                    throw Preconditions.overlap(after, gpu);
                }
            }
        }
    }

    private void release() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM ch_bookings WHERE rental = ?")) {
            statement.setString(1, after.id().value());
            statement.executeUpdate();
        }
    }
}
