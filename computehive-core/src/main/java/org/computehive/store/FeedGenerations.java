package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.computehive.market.Account;

/** The table of parties' feed counters. Thread-safe. */
final class FeedGenerations {
    private final Database database;

    FeedGenerations(Database database) {
        this.database = database;
    }

    long of(Account party) {
        return database.single("read a feed generation", connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT generation FROM ch_feed_generations WHERE party = ?")) {
                statement.setString(1, party.address());
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next() ? rows.getLong(1) : 0L;
                }
            }
        });
    }

    long raise(Account party) {
        return database.transaction("raise a feed generation", connection -> raise(connection, party));
    }

    /** Raises it in the connection's transaction. */
    long raise(Connection connection, Account party) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_feed_generations (party, generation) VALUES (?, 1)
                ON CONFLICT (party) DO UPDATE SET generation = ch_feed_generations.generation + 1
                RETURNING generation""")) {
            statement.setString(1, party.address());
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }
}
