package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Maintenance;
import org.computehive.rental.Occupancy;
import org.computehive.rental.RentalJson;
import org.computehive.schedule.Window;

/**
 * The gpus and times that lenders keep for themselves: rows of {@code ch_bookings} like those of rentals, so that the same
 * constraint keeps them apart. Thread-safe.
 */
final class Maintenances {
    private static final String FORMAT = "maintenance.v1";
    /** Triggers number the change. */
    private static final String HOST_CHANGED = "UPDATE ch_hosts SET payload = payload WHERE id = ?";

    private final Database database;

    Maintenances(Database database) {
        this.database = database;
    }

    void put(Maintenance maintenance) {
        database.transaction("keep maintenance " + maintenance.name(), connection -> {
            put(connection, maintenance);
            return maintenance;
        });
    }

    /** Keeps one in the connection's transaction. */
    void put(Connection connection, Maintenance maintenance) throws SQLException {
        String id = Preconditions.maintenanceId(maintenance.host(), maintenance.name());
        if (insert(connection, id, maintenance) == 0) {
            if (!find(connection, id).equals(Optional.of(maintenance))) {
                throw Preconditions.otherMaintenance(maintenance);
            }
            return;
        }
        for (GpuId gpu : maintenance.gpus().stream()
                .sorted(Comparator.comparing(GpuId::toString))
                .toList()) {
            var occupancy = new Occupancy(gpu, maintenance.window());
            if (book(connection, id, occupancy) == 0) {
                throw Preconditions.taken(occupancy, holder(connection, occupancy));
            }
        }
        execute(connection, HOST_CHANGED, maintenance.host().value());
    }

    private int insert(Connection connection, String id, Maintenance maintenance) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO ch_maintenances (id, host, format, payload) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")) {
            statement.setString(1, id);
            statement.setString(2, maintenance.host().value());
            statement.setString(3, FORMAT);
            database.dialect().setJson(statement, 4, RentalJson.write(maintenance));
            return statement.executeUpdate();
        }
    }

    private int book(Connection connection, String id, Occupancy occupancy) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO ch_bookings (gpu, starts, ends, maintenance) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            statement.setString(1, occupancy.gpu().toString());
            database.dialect().setInstant(statement, 2, occupancy.window().start());
            database.dialect().setInstant(statement, 3, occupancy.window().end());
            statement.setString(4, id);
            return statement.executeUpdate();
        }
    }

    private Optional<Window> holder(Connection connection, Occupancy wanted) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT starts, ends FROM ch_bookings WHERE gpu = ? AND ends > ? AND starts < ? ORDER BY starts LIMIT 1")) {
            statement.setString(1, wanted.gpu().toString());
            database.dialect().setInstant(statement, 2, wanted.window().start());
            database.dialect().setInstant(statement, 3, wanted.window().end());
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                Instant starts = database.dialect().instant(rows, 1);
                return Optional.of(new Window(starts, database.dialect().instant(rows, 2)));
            }
        }
    }

    boolean remove(HostId host, String name) {
        return database.transaction(
                "remove maintenance " + Preconditions.maintenanceId(host, name),
                connection -> remove(connection, host, name));
    }

    /** Removes one in the connection's transaction. Returns whether there was one. */
    boolean remove(Connection connection, HostId host, String name) throws SQLException {
        String id = Preconditions.maintenanceId(host, name);
        execute(connection, "DELETE FROM ch_bookings WHERE maintenance = ?", id);
        boolean removed = execute(connection, "DELETE FROM ch_maintenances WHERE id = ?", id) == 1;
        if (removed) {
            execute(connection, HOST_CHANGED, host.value());
        }
        return removed;
    }

    private static int execute(Connection connection, String sql, String id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, id);
            return statement.executeUpdate();
        }
    }

    private static Optional<Maintenance> find(Connection connection, String id) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT format, payload FROM ch_maintenances WHERE id = ?")) {
            statement.setString(1, id);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.of(read(rows)) : Optional.empty();
            }
        }
    }

    List<Maintenance> of(Collection<HostId> hosts) {
        if (hosts.isEmpty()) {
            return List.of();
        }
        String sql = "SELECT format, payload FROM ch_maintenances WHERE host IN (%s)"
                .formatted(String.join(", ", Collections.nCopies(hosts.size(), "?")));
        return database.single("read the maintenance of hosts", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int index = 1;
                for (HostId host : hosts) {
                    statement.setString(index++, host.value());
                }
                try (ResultSet rows = statement.executeQuery()) {
                    var found = new ArrayList<Maintenance>();
                    while (rows.next()) {
                        found.add(read(rows));
                    }
                    found.sort(Preconditions.BY_START);
                    return List.copyOf(found);
                }
            }
        });
    }

    private static Maintenance read(ResultSet rows) throws SQLException {
        String format = rows.getString(1);
        if (!format.equals(FORMAT)) {
            throw new StoreException(
                    "stored form %s is not known here: the database was written by a newer version, use that"
                            .formatted(format),
                    null);
        }
        return RentalJson.read(Maintenance.class, rows.getString(2));
    }
}
