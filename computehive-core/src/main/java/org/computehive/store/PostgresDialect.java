package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Objects;

/** PostgreSQL 13 or newer. */
final class PostgresDialect implements Dialect {
    private static final String UNIQUE_VIOLATION = "23505";
    private static final String SERIALIZATION_FAILURE = "40001";
    private static final String DEADLOCK = "40P01";

    @Override
    public String migrations() {
        return "classpath:org/computehive/store/postgresql";
    }

    @Override
    public int writers() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void begin(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
    }

    @Override
    public void commit(Connection connection) throws SQLException {
        connection.commit();
        connection.setAutoCommit(true);
    }

    @Override
    public void rollback(Connection connection) throws SQLException {
        connection.rollback();
        connection.setAutoCommit(true);
    }

    @Override
    public String overlapsTimes() {
        return "tstzrange(starts, ends) && tstzrange(?, ?)";
    }

    @Override
    public void setInstant(PreparedStatement statement, int index, Instant value) throws SQLException {
        statement.setObject(index, value.atOffset(ZoneOffset.UTC));
    }

    @Override
    public Instant instant(ResultSet rows, int column) throws SQLException {
        return rows.getObject(column, OffsetDateTime.class).toInstant();
    }

    @Override
    public void setJson(PreparedStatement statement, int index, String value) throws SQLException {
        statement.setObject(index, value, Types.OTHER);
    }

    @Override
    public boolean violates(SQLException error, UniqueIndex index) {
        // The message's words depend on the server's language; the index's name stands in all of them.
        return UNIQUE_VIOLATION.equals(error.getSQLState())
                && Objects.toString(error.getMessage(), "").contains(index.index());
    }

    @Override
    public boolean isTransient(SQLException error) {
        return SERIALIZATION_FAILURE.equals(error.getSQLState()) || DEADLOCK.equals(error.getSQLState());
    }

    @Override
    public String remedy(SQLException error) {
        String state = Objects.toString(error.getSQLState(), "");
        return switch (state.length() < 2 ? "" : state.substring(0, 2)) {
            case "08", "57" -> "see that PostgreSQL runs and can be reached, then try again";
            case "28" -> "check user and password";
            case "42" -> "check that this version of ComputeHive opened the database, and its user's rights";
            case "53" -> "give PostgreSQL more disk, memory or connections";
            default -> "see the cause (SQLSTATE %s)".formatted(state);
        };
    }
}
