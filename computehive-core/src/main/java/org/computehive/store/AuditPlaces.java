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
        String sql =
                ("SELECT %s FROM ch_events e WHERE e.rental IN (SELECT u.rental FROM (SELECT o.rental FROM ch_events o"
                                + " JOIN (SELECT event FROM ch_unaudited ORDER BY event LIMIT ?) n ON n.event = o.seq) u)"
                                + " ORDER BY e.rental, e.version")
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
                if (database.dialect().violates(e, UniqueIndex.AUDIT_PLACE)) {
                    throw Preconditions.placeTaken(places, e);
                }
                throw e;
            }
        });
    }

    /**
     * Doesn't wait for the disk: what a crash of the database takes back is in the log, and found there by the next start of
     * its engine. Who takes an event off the list of those that are in no log notes its place; so the first stays. Written so
     * that one plan by the indexes serves any number of places.
     */
    private static int noteTogether(Connection connection, List<Audited> places) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                WITH placed AS (
                    SELECT (SELECT e.seq FROM ch_events e WHERE e.rental = p.rental AND e.version = p.version) AS event,
                        p.log, p.place
                    FROM unnest((SELECT ?::text[]), (SELECT ?::bigint[]), (SELECT ?::text[]), (SELECT ?::bigint[]))
                        p (rental, version, log, place), set_config('synchronous_commit', 'off', true)
                ), first AS (
                    DELETE FROM ch_unaudited WHERE event = ANY (ARRAY(SELECT event FROM placed)) RETURNING event
                )
                INSERT INTO ch_audit_places (event, log, place)
                SELECT event, log, place FROM placed WHERE event IN (SELECT event FROM first)""")) {
            Columns.texts(statement, 1, places, place -> place.rental().value());
            Columns.longs(statement, 2, places, Audited::version);
            Columns.texts(statement, 3, places, Audited::log);
            Columns.longs(statement, 4, places, Audited::index);
            return statement.executeUpdate();
        }
    }

    private static int noteEach(Connection connection, List<Audited> places) throws SQLException {
        try (PreparedStatement first = connection.prepareStatement("DELETE FROM ch_unaudited WHERE event ="
                        + " (SELECT seq FROM ch_events WHERE rental = ? AND version = ?) RETURNING event");
                PreparedStatement note = connection.prepareStatement(
                        "INSERT INTO ch_audit_places (event, log, place) VALUES (?, ?, ?)")) {
            int noted = 0;
            for (Audited place : places) {
                first.setString(1, place.rental().value());
                first.setLong(2, place.version());
                OptionalLong event = first(first);
                if (event.isPresent()) {
                    note.setLong(1, event.getAsLong());
                    note.setString(2, place.log());
                    note.setLong(3, place.index());
                    noted += note.executeUpdate();
                }
            }
            return noted;
        }
    }

    private static OptionalLong first(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            return rows.next() ? OptionalLong.of(rows.getLong(1)) : OptionalLong.empty();
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
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT max(place) FROM ch_audit_places WHERE log = ?")) {
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
