package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Audited;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.store.Dialect.UniqueIndex;
import org.computehive.store.Histories.Stored;

/** Which events are known to be in which audit log, and where. Thread-safe. */
final class AuditPlaces {
    private final Database database;
    private final Histories histories;

    AuditPlaces(Database database, Histories histories) {
        this.database = database;
        this.histories = histories;
    }

    List<Recorded> unaudited(int limit) {
        // Whole histories, since an event can be read only after those before it.
        String sql = ("SELECT %s FROM ch_events e WHERE e.rental IN (SELECT u.rental FROM (SELECT rental FROM ch_events"
                        + " WHERE audit_index IS NULL ORDER BY seq LIMIT ?) u) ORDER BY e.rental, e.version")
                .formatted(Histories.COLUMNS);
        return histories.query("read events to audit", sql, statement -> statement.setInt(1, limit)).stream()
                .filter(stored -> !stored.audited())
                .sorted(Comparator.comparingLong(Stored::seq))
                .limit(limit)
                .map(Stored::recorded)
                .toList();
    }

    List<Recorded> unaudited(RentalId id) {
        return histories.of(id).stream()
                .filter(stored -> !stored.audited())
                .map(Stored::recorded)
                .toList();
    }

    void note(List<Audited> places) {
        if (places.isEmpty()) {
            return;
        }
        database.transaction("note places in the audit log", connection -> {
            try {
                int changed = switch (database.dialect()) {
                    case PostgresDialect postgres -> noteTogether(connection, places);
                    case SqliteDialect sqlite -> noteEach(connection, places);
                };
                if (changed < places.size()) {
                    checkKnown(connection, places);
                }
                return changed;
            } catch (SQLException e) {
                if (database.dialect().violates(e, UniqueIndex.AUDIT_INDEX)) {
                    throw Preconditions.placeTaken(places, e);
                }
                throw e;
            }
        });
    }

    /**
     * Doesn't wait for the disk: what a crash of the database takes back is in the log, and found there by the next start of
     * its engine. Not {@code IS NULL}, which the planner would take for the small partial index, whose many dead entries it
     * doesn't see.
     */
    private static int noteTogether(Connection connection, List<Audited> places) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                UPDATE ch_events e SET audit_log = p.log, audit_index = p.place
                FROM unnest(?::text[], ?::bigint[], ?::text[], ?::bigint[]) p (rental, version, log, place),
                    set_config('synchronous_commit', 'off', true)
                WHERE e.rental = p.rental AND e.version = p.version AND coalesce(e.audit_index, -1) = -1""")) {
            statement.setArray(
                    1,
                    connection.createArrayOf(
                            "text",
                            places.stream().map(place -> place.rental().value()).toArray()));
            statement.setArray(
                    2,
                    connection.createArrayOf(
                            "bigint", places.stream().map(Audited::version).toArray()));
            statement.setArray(
                    3,
                    connection.createArrayOf(
                            "text", places.stream().map(Audited::log).toArray()));
            statement.setArray(
                    4,
                    connection.createArrayOf(
                            "bigint", places.stream().map(Audited::index).toArray()));
            return statement.executeUpdate();
        }
    }

    private static int noteEach(Connection connection, List<Audited> places) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("UPDATE ch_events SET audit_log = ?,"
                + " audit_index = ? WHERE rental = ? AND version = ? AND audit_index IS NULL")) {
            int changed = 0;
            for (Audited place : places) {
                statement.setString(1, place.log());
                statement.setLong(2, place.index());
                statement.setString(3, place.rental().value());
                statement.setLong(4, place.version());
                changed += statement.executeUpdate();
            }
            return changed;
        }
    }

    private static void checkKnown(Connection connection, List<Audited> places) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT 1 FROM ch_events WHERE rental = ? AND version = ?")) {
            for (Audited place : places) {
                statement.setString(1, place.rental().value());
                statement.setLong(2, place.version());
                try (ResultSet rows = statement.executeQuery()) {
                    if (!rows.next()) {
                        throw Preconditions.unknownEvent(place.rental(), place.version());
                    }
                }
            }
        }
    }

    OptionalLong last(String log) {
        return database.single("read the last audit index", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT max(audit_index) FROM ch_events WHERE audit_log = ? AND audit_index IS NOT NULL")) {
                statement.setString(1, log);
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    long last = rows.getLong(1);
                    return rows.wasNull() ? OptionalLong.empty() : OptionalLong.of(last);
                }
            }
        });
    }
}
