package org.computehive.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.computehive.market.GpuId;
import org.computehive.market.search.MarketFeed.Booked;
import org.computehive.market.search.MarketFeed.BookingChange;
import org.computehive.schedule.Window;

/** What an index of bookings is filled from and kept current by. A booking's name is its rental's. Thread-safe. */
final class StoredFeed {
    private static final String BOOKED =
            "SELECT rental, gpu, starts, ends FROM ch_bookings WHERE rental IN (%s) ORDER BY rental";
    private final Database database;

    StoredFeed(Database database) {
        this.database = database;
    }

    long lastChange() {
        return database.single("read the last event's number", connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT max(seq) FROM ch_events");
                    ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        });
    }

    List<BookingChange> changesAfter(long change, int limit) {
        return database.single("read events' numbers", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT seq, rental FROM ch_events WHERE seq > ? ORDER BY seq LIMIT ?")) {
                statement.setLong(1, change);
                statement.setInt(2, limit);
                try (ResultSet rows = statement.executeQuery()) {
                    var changes = new ArrayList<BookingChange>();
                    while (rows.next()) {
                        changes.add(new BookingChange(rows.getLong(1), rows.getString(2)));
                    }
                    return changes;
                }
            }
        });
    }

    List<Booked> booked(Collection<String> bookings) {
        if (bookings.isEmpty()) {
            return List.of();
        }
        String sql = BOOKED.formatted(String.join(", ", Collections.nCopies(bookings.size(), "?")));
        return booked(sql, statement -> {
            int index = 1;
            for (String booking : bookings) {
                statement.setString(index++, booking);
            }
        });
    }

    List<Booked> bookedAfter(String booking, int limit) {
        String some = "SELECT rental FROM ch_bookings WHERE rental > ? GROUP BY rental ORDER BY rental LIMIT ?";
        return booked(BOOKED.formatted(some), statement -> {
            statement.setString(1, booking);
            statement.setInt(2, limit);
        });
    }

    private List<Booked> booked(String sql, Histories.Parameters parameters) {
        return database.single("read what bookings hold", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                parameters.set(statement);
                try (ResultSet rows = statement.executeQuery()) {
                    var booked = new ArrayList<Booked>();
                    while (rows.next()) {
                        booked.add(booked(rows));
                    }
                    return booked;
                }
            }
        });
    }

    private Booked booked(ResultSet rows) throws SQLException {
        var window = new Window(
                database.dialect().instant(rows, 3), database.dialect().instant(rows, 4));
        return new Booked(rows.getString(1), GpuId.parse(rows.getString(2)), window);
    }
}
