package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.computehive.rental.RentalJson;

/**
 * A table of records that are kept whole, as JSON under an id. Thread-safe.
 *
 * @param <T> the record
 */
final class Documents<T> {
    private static final String REPLACING = "(id) DO UPDATE SET format = excluded.format, payload = excluded.payload";

    private final Database database;
    private final String table;
    private final Class<T> type;
    private final String format;
    private final Map<String, Function<String, T>> older;

    /**
     * Creates the door to a table.
     *
     * @param table its name, one of ours
     * @param format the name and version of the JSON, stored beside it
     * @param older how the forms that earlier versions wrote are read, by name and version
     */
    Documents(Database database, String table, Class<T> type, String format, Map<String, Function<String, T>> older) {
        this.database = database;
        this.table = table;
        this.type = type;
        this.format = format;
        this.older = Map.copyOf(older);
    }

    /** Keeps a record in place of what was kept under its id. */
    void put(String id, T value) {
        insert(id, value, REPLACING);
    }

    /** Keeps a record, as {@link #put(String, Object)} does, in the connection's transaction. */
    void put(Connection connection, String id, T value) throws SQLException {
        insert(connection, id, RentalJson.write(value), REPLACING);
    }

    private int insert(String id, T value, String onConflict) {
        String json = RentalJson.write(value);
        return database.single(
                "keep %s %s".formatted(format, id), connection -> insert(connection, id, json, onConflict));
    }

    private int insert(Connection connection, String id, String json, String onConflict) throws SQLException {
        String sql =
                "INSERT INTO %s (id, format, payload) VALUES (?, ?, ?) ON CONFLICT %s".formatted(table, onConflict);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, id);
            statement.setString(2, format);
            database.dialect().setJson(statement, 3, json);
            return statement.executeUpdate();
        }
    }

    Optional<T> find(String id) {
        String sql = "SELECT format, payload FROM %s WHERE id = ?".formatted(table);
        return database.single("read %s %s".formatted(format, id), connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setString(1, id);
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next() ? Optional.of(read(rows.getString(1), rows.getString(2))) : Optional.empty();
                }
            }
        });
    }

    /** Returns the name and version of the JSON that is written. */
    String format() {
        return format;
    }

    /** Returns all records, by id. */
    List<T> all() {
        // Ids are ASCII; the databases' own orders differ with their locale, so ours is made here.
        String sql = "SELECT id, format, payload FROM %s".formatted(table);
        return database.single("read every %s".formatted(format), connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql);
                    ResultSet rows = statement.executeQuery()) {
                var found = new TreeMap<String, T>();
                while (rows.next()) {
                    found.put(rows.getString(1), read(rows.getString(2), rows.getString(3)));
                }
                return List.copyOf(found.values());
            }
        });
    }

    /** Returns the record that a stored form and JSON mean. */
    T read(String stored, String json) {
        Function<String, T> reader = older.get(stored);
        if (reader != null) {
            return reader.apply(json);
        }
        if (!stored.equals(format)) {
            throw new StoreException(
                    "stored form %s is not known here, only %s: the database was written by a newer version, use that"
                            .formatted(stored, format),
                    null);
        }
        return RentalJson.read(type, json);
    }
}
