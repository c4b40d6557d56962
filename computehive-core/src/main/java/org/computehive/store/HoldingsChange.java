package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.computehive.market.GpuId;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Rental;
import org.computehive.schedule.Window;

/**
 * Brings a rental's rows of {@code ch_lanes} and {@code ch_bookings} to what it holds after an event: what it no longer
 * holds is deleted, what it newly holds is inserted. First lanes by number, then gpus by name; so no two transactions that
 * insert wait for each other in a circle.
 */
final class HoldingsChange {
    private final Connection connection;
    private final Dialect dialect;
    private final Rental after;

    HoldingsChange(Connection connection, Dialect dialect, Rental after) {
        this.connection = connection;
        this.dialect = dialect;
        this.after = after;
    }

    void apply() throws SQLException {
        changeLanes();
        changeBookings();
    }

    private boolean isFirst() {
        return after.version() == 1;
    }

    private void changeLanes() throws SQLException {
        Set<Long> wanted = after.lanes();
        Set<Long> stored = isFirst() ? Set.of() : storedLanes();
        for (long lane : union(stored, wanted)) {
            if (!wanted.contains(lane)) {
                lane("DELETE FROM ch_lanes WHERE lender = ? AND lane = ? AND rental = ?", lane);
            } else if (!stored.contains(lane)
                    && lane("INSERT INTO ch_lanes (lender, lane, rental) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", lane)
                            == 0) {
                throw Preconditions.laneTaken(after, lane);
            }
        }
    }

    private static Set<Long> union(Set<Long> some, Set<Long> others) {
        var all = new TreeSet<>(some);
        all.addAll(others);
        return all;
    }

    private int lane(String sql, long lane) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, after.terms().lender().address());
            statement.setLong(2, lane);
            statement.setString(3, after.id().value());
            return statement.executeUpdate();
        }
    }

    private Set<Long> storedLanes() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT lane FROM ch_lanes WHERE rental = ?")) {
            statement.setString(1, after.id().value());
            try (ResultSet rows = statement.executeQuery()) {
                var lanes = new HashSet<Long>();
                while (rows.next()) {
                    lanes.add(rows.getLong(1));
                }
                return lanes;
            }
        }
    }

    private void changeBookings() throws SQLException {
        Set<Occupancy> wanted = after.occupied();
        if (wanted.isEmpty()) {
            deleteBookings();
            return;
        }
        Set<Occupancy> stored = isFirst() ? Set.of() : storedBookings();
        // Gpu by gpu, and of each first what goes: a new time may overlap the old one that it replaces.
        var byGpu = new TreeMap<String, GpuChange>();
        stored.stream()
                .filter(occupancy -> !wanted.contains(occupancy))
                .forEach(occupancy -> changeOf(byGpu, occupancy).gone().add(occupancy));
        wanted.stream()
                .filter(occupancy -> !stored.contains(occupancy))
                .sorted(Occupancy.ORDER)
                .forEach(occupancy -> changeOf(byGpu, occupancy).come().add(occupancy));
        for (GpuChange change : byGpu.values()) {
            for (Occupancy occupancy : change.gone()) {
                booking("DELETE FROM ch_bookings WHERE gpu = ? AND starts = ? AND ends = ? AND rental = ?", occupancy);
            }
            for (Occupancy occupancy : change.come()) {
                if (booking(
                                "INSERT INTO ch_bookings (gpu, starts, ends, rental) VALUES (?, ?, ?, ?)"
                                        + " ON CONFLICT DO NOTHING",
                                occupancy)
                        == 0) {
                    throw Preconditions.overlap(occupancy);
                }
            }
        }
    }

    private static GpuChange changeOf(TreeMap<String, GpuChange> byGpu, Occupancy occupancy) {
        return byGpu.computeIfAbsent(
                occupancy.gpu().toString(), gpu -> new GpuChange(new ArrayList<>(), new ArrayList<>()));
    }

    private record GpuChange(List<Occupancy> gone, List<Occupancy> come) {}

    private int booking(String sql, Occupancy occupancy) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, occupancy.gpu().toString());
            dialect.setInstant(statement, 2, occupancy.window().start());
            dialect.setInstant(statement, 3, occupancy.window().end());
            statement.setString(4, after.id().value());
            return statement.executeUpdate();
        }
    }

    private Set<Occupancy> storedBookings() throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT gpu, starts, ends FROM ch_bookings WHERE rental = ?")) {
            statement.setString(1, after.id().value());
            try (ResultSet rows = statement.executeQuery()) {
                var bookings = new HashSet<Occupancy>();
                while (rows.next()) {
                    Instant starts = dialect.instant(rows, 2);
                    bookings.add(new Occupancy(
                            GpuId.parse(rows.getString(1)), new Window(starts, dialect.instant(rows, 3))));
                }
                return bookings;
            }
        }
    }

    private void deleteBookings() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM ch_bookings WHERE rental = ?")) {
            statement.setString(1, after.id().value());
            statement.executeUpdate();
        }
    }
}
