package org.computehive.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore.Position;
import org.computehive.schedule.Window;

/** Looks rentals and their bookings up. Thread-safe. */
final class RentalQueries {
    private final Database database;
    private final Histories histories;

    RentalQueries(Database database, Histories histories) {
        this.database = database;
        this.histories = histories;
    }

    long version(RentalId id) {
        return database.single("read the version of rental " + id, connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT version FROM ch_rentals WHERE id = ?")) {
                statement.setString(1, id.value());
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next() ? rows.getLong(1) : 0;
                }
            }
        });
    }

    List<Rental> inStates(Set<RentalState> states, Position after, int limit) {
        if (states.isEmpty()) {
            return List.of();
        }
        String wanted = "state IN (%s) AND (reserved_at, id) > (?, ?)".formatted(places(states.size()));
        return rentals(wanted, "", limit, statement -> {
            int index = 1;
            for (RentalState state : states) {
                statement.setString(index++, state.name());
            }
            return position(statement, index, after);
        });
    }

    List<Rental> of(Account party, Position before, int limit) {
        return rentals("(renter = ? OR lender = ?) AND (reserved_at, id) < (?, ?)", " DESC", limit, statement -> {
            statement.setString(1, party.address());
            statement.setString(2, party.address());
            return position(statement, 3, before);
        });
    }

    private int position(PreparedStatement statement, int index, Position position) throws SQLException {
        database.dialect().setInstant(statement, index, position.reservedAt());
        statement.setString(index + 1, position.rental());
        return index + 2;
    }

    private List<Rental> rentals(String wanted, String direction, int limit, Condition condition) {
        String sql = ("SELECT %1$s FROM (SELECT id, reserved_at FROM ch_rentals WHERE %2$s"
                        + " ORDER BY reserved_at%3$s, id%3$s LIMIT ?) r"
                        + " JOIN ch_events e ON e.rental = r.id ORDER BY r.reserved_at%3$s, r.id%3$s, e.version")
                .formatted(Histories.COLUMNS, wanted, direction);
        return Histories.rentals(
                histories.query("read rentals", sql, statement -> statement.setInt(condition.set(statement), limit)));
    }

    List<Rental> stuck(int limit) {
        // The partial index holds those that ever were; few are.
        String sql = ("SELECT %s FROM ch_events e WHERE e.rental IN (SELECT rental FROM ch_events"
                        + " WHERE format = 'stuck.v1') ORDER BY e.rental, e.version")
                .formatted(Histories.COLUMNS);
        return Histories.rentals(histories.query("read stuck rentals", sql, statement -> {})).stream()
                .filter(rental -> !rental.stuck().isEmpty())
                .sorted(Comparator.comparing(Rental::reservedAt).thenComparing(Rental::id))
                .limit(limit)
                .toList();
    }

    boolean isFree(List<GpuId> gpus, Window window) {
        if (gpus.isEmpty()) {
            return true;
        }
        String sql = "SELECT 1 FROM ch_bookings WHERE gpu IN (%s) AND %s LIMIT 1"
                .formatted(places(gpus.size()), database.dialect().overlapsTimes());
        return database.single("read bookings", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int index = 1;
                for (GpuId gpu : gpus) {
                    statement.setString(index++, gpu.toString());
                }
                database.dialect().setInstant(statement, index++, window.start());
                database.dialect().setInstant(statement, index, window.end());
                try (ResultSet rows = statement.executeQuery()) {
                    return !rows.next();
                }
            }
        });
    }

    private static String places(int count) {
        return String.join(", ", Collections.nCopies(count, "?"));
    }

    /** Sets a condition's parameters. */
    @FunctionalInterface
    private interface Condition {
        /** Returns the index of the first parameter after them. */
        int set(PreparedStatement statement) throws SQLException;
    }
}
