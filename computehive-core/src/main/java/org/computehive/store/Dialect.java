package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;

/** What differs between the databases. Stateless. */
sealed interface Dialect permits PostgresDialect, SqliteDialect {

    /** Returns where the migrations lie on the classpath. */
    String migrations();

    /** Returns how many transactions can write at a time. */
    int writers();

    /** Begins a transaction that may write. */
    void begin(Connection connection) throws SQLException;

    /** Makes a transaction durable. */
    void commit(Connection connection) throws SQLException;

    /** Undoes a transaction. */
    void rollback(Connection connection) throws SQLException;

    /** Returns the condition, for the index of bookings, that a booking reaches into the time from one instant to another. */
    String overlapsTimes();

    void setInstant(PreparedStatement statement, int index, Instant value) throws SQLException;

    Instant instant(ResultSet rows, int column) throws SQLException;

    void setJson(PreparedStatement statement, int index, String value) throws SQLException;

    /** Returns whether an error says that a unique index refused a row. */
    boolean violates(SQLException error, UniqueIndex index);

    /** Returns whether the transaction was undone only because of others at the same time. */
    boolean isTransient(SQLException error);

    /** Says what to do about an error. */
    String remedy(SQLException error);

    /** The unique indexes whose refusal has a meaning of its own. */
    enum UniqueIndex {
        /** A place in an audit log is one event's. */
        AUDIT_PLACE("ch_audit_places_place", "ch_audit_places.log, ch_audit_places.place");

        private final String index;
        private final String columns;

        UniqueIndex(String index, String columns) {
            this.index = index;
            this.columns = columns;
        }

        String index() {
            return index;
        }

        String columns() {
            return columns;
        }
    }
}
