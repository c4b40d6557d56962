package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.internal.Gathering;
import org.computehive.internal.Gathering.Asked;
import org.computehive.rental.Quote;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalJson;

/** The table of quotes: documents that never change and are forgotten some time after they expired. Thread-safe. */
final class Quotes {
    private static final int MOST_TOGETHER = 64;
    private static final int RECENT = 10_000;

    private final Database database;
    private final Documents<Quote> documents;
    private final Gathering<Line, Boolean> adds = new Gathering<>(MOST_TOGETHER, this::insertAll);
    private final Gathering<OpenQuotes.Asked, Boolean> opens = new Gathering<>(MOST_TOGETHER, this::insertOpen);
    /** Quotes that were kept through this store: they never change, so need not be read back. */
    private final Map<RentalId, Quote> recent = Collections.synchronizedMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<RentalId, Quote> eldest) {
            return size() > RECENT;
        }
    });

    private record Line(Quote quote, String json) {}

    /**
     * Creates the door to the table.
     *
     * @param documents how its JSON is read
     */
    Quotes(Database database, Documents<Quote> documents) {
        this.database = database;
        this.documents = documents;
    }

    Optional<Quote> find(RentalId id) {
        Quote known = recent.get(id);
        return known == null ? documents.find(id.value()) : Optional.of(known);
    }

    void put(Quote quote) {
        var line = new Line(quote, RentalJson.write(quote));
        boolean added = database.dialect() instanceof PostgresDialect ? adds.ask(line) : insertAlone(line);
        if (!added && !find(quote.id()).equals(Optional.of(quote))) {
            throw Preconditions.otherQuote(quote);
        }
        recent.put(quote.id(), quote);
    }

    /** Keeps a new quote if it can be taken up, as {@link org.computehive.rental.RentalStore#putQuote(Quote, long)} says. */
    void putOpen(Quote quote, long change) {
        opens.ask(new OpenQuotes.Asked(quote, RentalJson.write(quote), change));
        recent.put(quote.id(), quote);
    }

    private void insertOpen(List<Asked<OpenQuotes.Asked, Boolean>> asked) {
        var all = new OpenQuotes(
                documents.format(), asked.stream().map(Asked::question).toList());
        Map<RentalId, RuntimeException> refused =
                database.single("keep %d quotes".formatted(asked.size()), all::insert);
        for (Asked<OpenQuotes.Asked, Boolean> each : asked) {
            RuntimeException why = refused.get(each.question().quote().id());
            if (why == null) {
                each.answer(true);
            } else {
                each.fail(why);
            }
        }
    }

    private boolean insertAlone(Line line) {
        return database.single(
                        "keep quote " + line.quote().id(), connection -> insert(connection, line.quote(), line.json()))
                == 1;
    }

    private void insertAll(List<Asked<Line, Boolean>> asked) {
        List<Line> lines = asked.stream()
                .map(Asked::question)
                .sorted(Comparator.comparing((Line line) -> line.quote().id()))
                .toList();
        if (lines.stream().map(line -> line.quote().id()).distinct().count() < lines.size()) {
            asked.forEach(each -> each.answer(insertAlone(each.question())));
            return;
        }
        Set<String> added =
                database.single("keep %d quotes".formatted(lines.size()), connection -> insert(connection, lines));
        asked.forEach(
                each -> each.answer(added.contains(each.question().quote().id().value())));
    }

    private Set<String> insert(Connection connection, List<Line> lines) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_quotes (id, format, payload, expires)
                SELECT id, ?, payload::json, expires FROM unnest(?::text[], ?::text[], ?::timestamptz[])
                    q (id, payload, expires)
                ON CONFLICT (id) DO NOTHING RETURNING id""")) {
            statement.setString(1, documents.format());
            Columns.texts(statement, 2, lines, line -> line.quote().id().value());
            Columns.texts(statement, 3, lines, Line::json);
            Columns.texts(statement, 4, lines, line -> line.quote().expires().toString());
            try (ResultSet rows = statement.executeQuery()) {
                var ids = new HashSet<String>();
                while (rows.next()) {
                    ids.add(rows.getString(1));
                }
                return ids;
            }
        }
    }

    /** Keeps a new quote in the connection's transaction. */
    void add(Connection connection, Quote quote) throws SQLException {
        if (insert(connection, quote, RentalJson.write(quote)) == 0) {
            throw Preconditions.otherQuote(quote);
        }
    }

    private int insert(Connection connection, Quote quote, String json) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO ch_quotes (id, format, payload, expires) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")) {
            statement.setString(1, quote.id().value());
            statement.setString(2, documents.format());
            database.dialect().setJson(statement, 3, json);
            database.dialect().setInstant(statement, 4, quote.expires());
            return statement.executeUpdate();
        }
    }

    int prune(Instant before, int limit) {
        recent.values().removeIf(quote -> quote.expires().isBefore(before));
        return database.transaction("forget quotes", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "DELETE FROM ch_quotes WHERE id IN (SELECT id FROM ch_quotes WHERE expires < ? LIMIT ?)")) {
                database.dialect().setInstant(statement, 1, before);
                statement.setInt(2, limit);
                return statement.executeUpdate();
            }
        });
    }
}
