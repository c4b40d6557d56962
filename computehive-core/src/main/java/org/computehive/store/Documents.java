package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.computehive.internal.Gathering;
import org.computehive.internal.Gathering.Asked;
import org.computehive.market.search.MarketFeed.Changed;
import org.computehive.rental.RentalJson;

/**
 * A table of records that are kept whole, as JSON under an id. Thread-safe.
 *
 * @param <T> the record
 */
final class Documents<T> {
    private static final String REPLACING = "(id) DO UPDATE SET format = excluded.format, payload = excluded.payload";
    private static final int MOST_TOGETHER = 64;
    private static final int PARSED = 1_000;

    private final Database database;
    private final String table;
    private final Class<T> type;
    private final String format;
    private final Map<String, Function<String, T>> older;
    private final Gathering<String, Optional<T>> finds = new Gathering<>(MOST_TOGETHER, this::findAll);
    /** What was read last, by its text: most is read far more often than it changes. */
    private final Map<Text, T> parsed = Collections.synchronizedMap(new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Text, T> eldest) {
            return size() > PARSED;
        }
    });

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
        return database.dialect() instanceof PostgresDialect ? finds.ask(id) : findOne(id);
    }

    private void findAll(List<Asked<String, Optional<T>>> asked) {
        if (asked.size() == 1) {
            asked.getFirst().answer(findOne(asked.getFirst().question()));
            return;
        }
        List<String> ids = asked.stream().map(Asked::question).distinct().toList();
        String sql = "SELECT id, format, payload FROM %s WHERE id = ANY (?::text[])".formatted(table);
        Map<String, T> found = database.single("read %d of %s".formatted(ids.size(), format), connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                Columns.texts(statement, 1, ids, id -> id);
                try (ResultSet rows = statement.executeQuery()) {
                    var values = new HashMap<String, T>();
                    while (rows.next()) {
                        values.put(rows.getString(1), read(rows.getString(2), rows.getString(3)));
                    }
                    return values;
                }
            }
        });
        asked.forEach(each -> each.answer(Optional.ofNullable(found.get(each.question()))));
    }

    private Optional<T> findOne(String id) {
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

    /** Returns records as they are now whose latest change has a larger number, by that number. */
    List<Changed<T>> changedAfter(long change, int limit) {
        String sql =
                "SELECT changed, format, payload FROM %s WHERE changed > ? ORDER BY changed LIMIT ?".formatted(table);
        return database.single("read changes of %s".formatted(format), connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setLong(1, change);
                statement.setInt(2, limit);
                try (ResultSet rows = statement.executeQuery()) {
                    var changes = new ArrayList<Changed<T>>();
                    while (rows.next()) {
                        changes.add(new Changed<>(rows.getLong(1), read(rows.getString(2), rows.getString(3))));
                    }
                    return changes;
                }
            }
        });
    }

    /** Returns the record that a stored form and JSON mean. */
    T read(String stored, String json) {
        var text = new Text(stored, json);
        T known = parsed.get(text);
        if (known == null) {
            known = parse(stored, json);
            parsed.put(text, known);
        }
        return known;
    }

    private record Text(String format, String json) {}

    private T parse(String stored, String json) {
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
