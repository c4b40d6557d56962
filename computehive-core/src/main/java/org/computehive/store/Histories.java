package org.computehive.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Recorded;
import org.jspecify.annotations.Nullable;

/** Reads rentals back by folding their events. Thread-safe. */
final class Histories {
    /** The columns that {@link #fold} reads, of the table {@code e}. */
    static final String COLUMNS = "e.rental, e.version, e.format, e.payload, e.salt, e.wake, e.seq,"
            + " EXISTS (SELECT 1 FROM ch_unaudited u WHERE u.event = e.seq) AS unaudited";

    private static final String OF_RENTAL =
            "SELECT " + COLUMNS + " FROM ch_events e WHERE e.rental = ? ORDER BY e.version";

    private final Database database;

    Histories(Database database) {
        this.database = database;
    }

    /**
     * Runs a query for {@link #COLUMNS} whose rows are grouped by rental and in each ordered by version.
     *
     * @param what what is read, for messages
     */
    List<Stored> query(String what, String sql, Parameters parameters) {
        return database.single(what, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                parameters.set(statement);
                try (ResultSet rows = statement.executeQuery()) {
                    return fold(rows);
                }
            }
        });
    }

    /** Returns a rental's events in order. */
    List<Stored> of(RentalId id) {
        return query("read rental " + id, OF_RENTAL, statement -> statement.setString(1, id.value()));
    }

    private static List<Stored> fold(ResultSet rows) throws SQLException {
        var all = new ArrayList<Stored>();
        Rental before = null;
        while (rows.next()) {
            Recorded recorded = recorded(before, rows);
            all.add(new Stored(recorded, rows.getLong("seq"), !rows.getBoolean("unaudited")));
            before = recorded.after();
        }
        return all;
    }

    private static Recorded recorded(@Nullable Rental before, ResultSet rows) throws SQLException {
        var id = new RentalId(rows.getString("rental"));
        long version = rows.getLong("version");
        String payload = rows.getString("payload");
        RentalEvent event = EventCodec.read(rows.getString("format"), payload);
        Rental after = next(before != null && before.id().equals(id) ? before : null, id, version, event);
        return new Recorded(
                after,
                event,
                payload,
                rows.getString("salt"),
                Optional.ofNullable(rows.getString("wake")).map(Instant::parse));
    }

    private static Rental next(@Nullable Rental before, RentalId id, long version, RentalEvent event) {
        try {
            Rental after = before == null ? Rental.of(id, List.of(event)) : before.after(event);
            if (after.version() == version) {
                return after;
            }
        } catch (RentalException.WrongState | IllegalArgumentException e) {
            throw damaged(id, version, e);
        }
        throw damaged(id, version, null);
    }

    private static StoreException damaged(RentalId id, long version, @Nullable Throwable cause) {
        return new StoreException(
                "event %d of rental %s does not follow from those before it: the database was changed by hand or written by another version"
                        .formatted(version, id),
                cause);
    }

    /** Returns each rental as its last event left it, in the order of the rows. */
    static List<Rental> rentals(List<Stored> stored) {
        var last = new ArrayList<Rental>();
        for (Stored each : stored) {
            Rental after = each.recorded().after();
            if (!last.isEmpty() && last.getLast().id().equals(after.id())) {
                last.removeLast();
            }
            last.add(after);
        }
        return List.copyOf(last);
    }

    /** Sets a statement's parameters. */
    @FunctionalInterface
    interface Parameters {
        void set(PreparedStatement statement) throws SQLException;
    }

    /**
     * An event and what the store alone knows of it.
     *
     * @param seq its place in the order in which events were appended
     * @param audited whether its place in the audit log is noted
     */
    record Stored(Recorded recorded, long seq, boolean audited) {}
}
