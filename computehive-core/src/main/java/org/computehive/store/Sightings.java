package org.computehive.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Instant;
import java.util.Optional;
import org.computehive.rental.RentalId;

/** When each session was last seen running. Thread-safe. */
final class Sightings {
    private final Database database;

    Sightings(Database database) {
        this.database = database;
    }

    void put(RentalId id, Instant at) {
        database.single("note that rental %s was seen".formatted(id), connection -> {
            try (PreparedStatement statement = connection.prepareStatement("INSERT INTO ch_sightings (rental, seen)"
                    + " VALUES (?, ?) ON CONFLICT (rental) DO UPDATE SET seen = excluded.seen"
                    + " WHERE excluded.seen > ch_sightings.seen")) {
                statement.setString(1, id.value());
                database.dialect().setInstant(statement, 2, at);
                return statement.executeUpdate();
            }
        });
    }

    Optional<Instant> find(RentalId id) {
        return database.single("read when rental %s was seen".formatted(id), connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT seen FROM ch_sightings WHERE rental = ?")) {
                statement.setString(1, id.value());
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next() ? Optional.of(database.dialect().instant(rows, 1)) : Optional.empty();
                }
            }
        });
    }
}
