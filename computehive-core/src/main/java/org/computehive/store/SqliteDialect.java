package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

/**
 * SQLite in a file.
 *
 * <p>Transactions are begun and ended by statements, not by {@link Connection#setAutoCommit}: after a commit the driver
 * would at once begin the next one and so hold the only write lock.
 */
final class SqliteDialect implements Dialect {
    private static final int BUSY = 5;
    private static final int PRIMARY_CODE = 0xff;

    @Override
    public String migrations() {
        return "classpath:org/computehive/store/sqlite";
    }

    @Override
    public int writers() {
        return 1;
    }

    @Override
    public void begin(Connection connection) throws SQLException {
        execute(connection, "BEGIN IMMEDIATE");
    }

    @Override
    public void commit(Connection connection) throws SQLException {
        execute(connection, "COMMIT");
    }

    @Override
    public void rollback(Connection connection) throws SQLException {
        execute(connection, "ROLLBACK");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public String overlapsTimes() {
        return "ends > ? AND starts < ?";
    }

    @Override
    public void setInstant(PreparedStatement statement, int index, Instant value) throws SQLException {
        statement.setLong(index, ChronoUnit.MICROS.between(Instant.EPOCH, value));
    }

    @Override
    public Instant instant(ResultSet rows, int column) throws SQLException {
        return Instant.EPOCH.plus(rows.getLong(column), ChronoUnit.MICROS);
    }

    @Override
    public void setJson(PreparedStatement statement, int index, String value) throws SQLException {
        statement.setString(index, value);
    }

    @Override
    public boolean violates(SQLException error, UniqueIndex index) {
        return Objects.toString(error.getMessage(), "").contains("UNIQUE constraint failed: " + index.columns());
    }

    @Override
    public boolean isTransient(SQLException error) {
        return (error.getErrorCode() & PRIMARY_CODE) == BUSY;
    }

    @Override
    public String remedy(SQLException error) {
        return switch (error.getErrorCode() & PRIMARY_CODE) {
            case BUSY -> "another process holds the file for long: end it, or use PostgreSQL";
            case 8, 14 -> "check that the file and its directory can be written";
            case 10 -> "check the disk";
            case 11, 26 -> "the file is damaged or no SQLite database: put back a backup";
            case 13 -> "the disk is full: make room";
            default -> "see the cause (SQLite code %d)".formatted(error.getErrorCode());
        };
    }
}
