package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.computehive.rental.Quote;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalJson;

/** The table of quotes: documents that never change and are forgotten some time after they expired. Thread-safe. */
final class Quotes {
    private final Database database;
    private final Documents<Quote> documents;

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
        return documents.find(id.value());
    }

    void put(Quote quote) {
        String json = RentalJson.write(quote);
        int added = database.single("keep quote " + quote.id(), connection -> insert(connection, quote, json));
        if (added == 0 && !find(quote.id()).equals(Optional.of(quote))) {
            throw Preconditions.otherQuote(quote);
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
