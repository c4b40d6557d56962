package org.computehive.server.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.computehive.server.platform.TemporaryPostgres;

/** The peer of the timers: a table, and one thread that takes what is due ({@code FOR UPDATE SKIP LOCKED}) and rests. */
final class BarePoller implements AutoCloseable {
    private static final int POLLING_MILLIS = 100;

    private final Connection connection;

    BarePoller(TemporaryPostgres postgres) throws SQLException {
        connection = DriverManager.getConnection(postgres.createDatabase(), postgres.user(), postgres.password());
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE wakes (id bigint PRIMARY KEY, due timestamptz NOT NULL)");
            statement.execute("CREATE INDEX wakes_due ON wakes (due)");
        }
    }

    void set(List<Instant> dues) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO wakes VALUES (?, ?)")) {
            for (int i = 0; i < dues.size(); i++) {
                statement.setLong(1, i);
                statement.setObject(2, dues.get(i).atOffset(ZoneOffset.UTC));
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    /** Polls until a number of wake-ups came; tells of each when it was due. */
    void poll(int count, Consumer<Instant> woken) throws SQLException {
        int left = count;
        try (PreparedStatement statement =
                connection.prepareStatement("DELETE FROM wakes WHERE id IN (SELECT id FROM wakes"
                        + " WHERE due <= ? ORDER BY due LIMIT 16 FOR UPDATE SKIP LOCKED) RETURNING due")) {
            while (left > 0) {
                int taken = 0;
                statement.setObject(1, Instant.now().atOffset(ZoneOffset.UTC));
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        woken.accept(rows.getObject(1, OffsetDateTime.class).toInstant());
                        taken++;
                    }
                }
                left -= taken;
                if (taken == 0) {
                    LockSupport.parkNanos(POLLING_MILLIS * 1_000_000L);
                }
            }
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
