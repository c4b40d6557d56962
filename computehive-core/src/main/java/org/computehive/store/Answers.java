package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;

/** The table of answers, by caller and key. Thread-safe. */
final class Answers {
    private final Database database;

    Answers(Database database) {
        this.database = database;
    }

    /** Keeps an answer in the connection's transaction. */
    void put(Connection connection, Answer answer) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO ch_answers (caller, idempotency_key, request, answered_at, format, payload)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""")) {
            statement.setString(1, answer.caller().address());
            statement.setString(2, answer.key().value());
            statement.setString(3, answer.request());
            database.dialect().setInstant(statement, 4, answer.at());
            statement.setString(5, answer.format());
            database.dialect().setJson(statement, 6, answer.payload());
            if (statement.executeUpdate() == 0) {
                throw Preconditions.keyTaken(answer);
            }
        }
    }

    Optional<Answer> find(Account caller, IdempotencyKey key) {
        return database.single("read an answer", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT request, answered_at, format, payload FROM ch_answers WHERE caller = ? AND idempotency_key = ?")) {
                statement.setString(1, caller.address());
                statement.setString(2, key.value());
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next()
                            ? Optional.of(new Answer(
                                    caller,
                                    key,
                                    rows.getString(1),
                                    database.dialect().instant(rows, 2),
                                    rows.getString(3),
                                    rows.getString(4)))
                            : Optional.empty();
                }
            }
        });
    }

    int prune(Instant before, int limit) {
        return database.transaction("forget answers", connection -> {
            try (PreparedStatement statement = connection.prepareStatement("""
                    DELETE FROM ch_answers WHERE (caller, idempotency_key) IN (
                        SELECT caller, idempotency_key FROM ch_answers WHERE answered_at < ? LIMIT ?)""")) {
                database.dialect().setInstant(statement, 1, before);
                statement.setInt(2, limit);
                return statement.executeUpdate();
            }
        });
    }
}
