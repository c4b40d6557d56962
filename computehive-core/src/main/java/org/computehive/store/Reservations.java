package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.store.Appends.Prepared;
import org.jspecify.annotations.Nullable;

/**
 * Appends the first events of many rentals in one PostgreSQL transaction of two or three statements: those who get their
 * gpus and lane, all or nothing each, are kept, and the others leave nothing.
 *
 * <p>The exclusion constraint decides. Gpus are taken in {@link Occupancy#ORDER} across all rentals, so no two of these
 * transactions wait for each other in a circle; one of another kind that does is undone and run again.
 */
final class Reservations {
    /**
     * Takes the gpus of all; for those that got all of theirs the lane; and for those that got that the rest. What was taken
     * in vain is given back by {@link #giveBack}.
     */
    private static final String TAKE = """
            WITH asked AS (
                SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::timestamptz[], ?::int[],
                    ?::text[], ?::text[], ?::text[], ?::text[], ?::timestamptz[])
                a (id, state, renter, lender, lane, reserved_at, gpus, format, payload, salt, wake, due)
            ), booked AS (
                INSERT INTO ch_bookings (gpu, starts, ends, rental)
                SELECT * FROM unnest(?::text[], ?::timestamptz[], ?::timestamptz[], ?::text[])
                ON CONFLICT DO NOTHING RETURNING rental, gpu
            ), complete AS (
                SELECT a.* FROM asked a
                JOIN (SELECT rental, count(*) AS got FROM booked GROUP BY rental) b ON b.rental = a.id AND b.got = a.gpus
            ), laned AS (
                INSERT INTO ch_lanes (lender, lane, rental)
                SELECT lender, lane, id FROM complete ORDER BY lender, lane
                ON CONFLICT DO NOTHING RETURNING rental
            ), kept AS (
                SELECT c.* FROM complete c JOIN laned l ON l.rental = c.id
            ), rentals AS (
                INSERT INTO ch_rentals (id, version, state, renter, lender, reserved_at)
                SELECT id, 1, state, renter, lender, reserved_at FROM kept
            ), events AS (
                INSERT INTO ch_events (rental, version, format, payload, salt, wake)
                SELECT id, 1, format, payload::json, salt, wake FROM kept
            ), wakes AS (
                INSERT INTO ch_wakes (task_name, task_instance, execution_time, picked, version)
                SELECT '%s', id || ':1', due, false, 1 FROM kept WHERE due IS NOT NULL
            )
            SELECT rental, gpu FROM booked UNION ALL SELECT rental, NULL FROM laned""".formatted(JdbcTimers.TASK);

    private final Connection connection;
    private final List<Prepared> events;

    Reservations(Connection connection, List<Prepared> events) {
        this.connection = connection;
        this.events = events;
    }

    /** Returns whether an event can be appended together with others. */
    static boolean takes(Recorded event) {
        Rental after = event.after();
        return after.version() == 1
                && after.lanes().size() == 1
                && !after.occupied().isEmpty();
    }

    /**
     * What became of them; who is in neither is kept.
     *
     * @param refused who left nothing, and why
     * @param again who lost to one that left nothing in the end: to be tried once more
     */
    record Outcome(Map<RentalId, RentalException> refused, Set<RentalId> again) {}

    Outcome run() throws SQLException {
        var got = new HashMap<String, Set<String>>();
        var laned = new HashSet<String>();
        take(got, laned);
        var refused = new HashMap<RentalId, RentalException>();
        var inVain = new ArrayList<Rental>();
        for (Prepared event : events) {
            Rental rental = event.recorded().after();
            String id = rental.id().value();
            Set<String> gpus = got.getOrDefault(id, Set.of());
            if (gpus.size() < rental.occupied().size()) {
                refused.put(rental.id(), overlap(rental, gpus));
            } else if (!laned.contains(id)) {
                long lane = rental.lanes().iterator().next();
                refused.put(rental.id(), Preconditions.laneTaken(rental, lane));
            }
            if (refused.containsKey(rental.id()) && !gpus.isEmpty()) {
                inVain.add(rental);
            }
        }
        giveBack(inVain);
        findSuperseded(refused);
        return new Outcome(refused, again(refused, inVain));
    }

    /** Returns who may have lost to one of this transaction's own that left nothing in the end. */
    private Set<RentalId> again(Map<RentalId, RentalException> refused, List<Rental> inVain) {
        return events.stream()
                .map(event -> event.recorded().after())
                .filter(rental -> refused.get(rental.id()) instanceof RentalException.Overlap)
                .filter(rental -> inVain.stream().anyMatch(other -> other != rental && overlap(rental, other)))
                .map(Rental::id)
                .collect(Collectors.toSet());
    }

    private static boolean overlap(Rental one, Rental other) {
        return one.occupied().stream()
                .anyMatch(mine -> other.occupied().stream().anyMatch(mine::overlaps));
    }

    private static RentalException overlap(Rental rental, Set<String> got) {
        return rental.occupied().stream()
                .sorted(Occupancy.ORDER)
                .filter(wanted -> !got.contains(wanted.gpu().toString()))
                .findFirst()
                .map(Preconditions::overlap)
                .orElseThrow();
    }

    private void take(Map<String, Set<String>> got, Set<String> laned) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TAKE)) {
            setRentals(statement);
            setBookings(statement);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String gpu = rows.getString(2);
                    if (gpu == null) {
                        laned.add(rows.getString(1));
                    } else {
                        got.computeIfAbsent(rows.getString(1), id -> new HashSet<>())
                                .add(gpu);
                    }
                }
            }
        }
    }

    private void setRentals(PreparedStatement statement) throws SQLException {
        column(statement, 1, "text", event -> event.recorded().after().id().value());
        column(statement, 2, "text", event -> event.recorded().after().state().name());
        column(
                statement,
                3,
                "text",
                event -> event.recorded().after().terms().renter().address());
        column(
                statement,
                4,
                "text",
                event -> event.recorded().after().terms().lender().address());
        column(
                statement,
                5,
                "bigint",
                event -> event.recorded().after().lanes().iterator().next());
        column(statement, 6, "text", event -> event.recorded().after().reservedAt());
        column(statement, 7, "int", event -> event.recorded().after().occupied().size());
        column(statement, 8, "text", event -> EventCodec.name(event.recorded().event()));
        column(statement, 9, "text", Prepared::payload);
        column(statement, 10, "text", event -> event.recorded().salt());
        column(statement, 11, "text", event -> event.recorded().wake().orElse(null));
        column(
                statement,
                12,
                "text",
                event -> event.recorded().wake().map(Wakes::roundedUp).orElse(null));
    }

    /** What of an event goes into a column. */
    @FunctionalInterface
    private interface Value {
        @Nullable Object of(Prepared event);
    }

    private void column(PreparedStatement statement, int index, String type, Value value) throws SQLException {
        var array = new @Nullable Object[events.size()];
        for (int i = 0; i < array.length; i++) {
            Object of = value.of(events.get(i));
            array[i] = of instanceof Instant ? of.toString() : of;
        }
        statement.setArray(index, connection.createArrayOf(type, array));
    }

    private void setBookings(PreparedStatement statement) throws SQLException {
        record Wanted(Occupancy occupancy, String rental) {}
        List<Wanted> wanted = events.stream()
                .map(event -> event.recorded().after())
                .flatMap(rental -> rental.occupied().stream()
                        .map(occupancy -> new Wanted(occupancy, rental.id().value())))
                .sorted(Comparator.comparing(Wanted::occupancy, Occupancy.ORDER))
                .toList();
        setArray(
                statement,
                13,
                "text",
                wanted.stream().map(each -> each.occupancy().gpu()).toList());
        setArray(
                statement,
                14,
                "text",
                wanted.stream().map(each -> each.occupancy().window().start()).toList());
        setArray(
                statement,
                15,
                "text",
                wanted.stream().map(each -> each.occupancy().window().end()).toList());
        setArray(statement, 16, "text", wanted.stream().map(Wanted::rental).toList());
    }

    private void setArray(PreparedStatement statement, int index, String type, List<?> values) throws SQLException {
        statement.setArray(
                index,
                connection.createArrayOf(
                        type, values.stream().map(Object::toString).toArray()));
    }

    private void giveBack(List<Rental> rentals) throws SQLException {
        if (rentals.isEmpty()) {
            return;
        }
        try (PreparedStatement statement =
                connection.prepareStatement("DELETE FROM ch_bookings WHERE rental = ANY (?::text[])")) {
            setArray(statement, 1, "text", rentals.stream().map(Rental::id).toList());
            statement.executeUpdate();
        }
    }

    /**
     * Who was refused because its own rental is there already is told so. A statement of its own, since it must see what
     * others committed while {@link #TAKE} waited for them; written so that its plan is the same for any number of ids, which
     * lets PostgreSQL keep it.
     */
    private void findSuperseded(Map<RentalId, RentalException> refused) throws SQLException {
        if (refused.isEmpty()) {
            return;
        }
        var stored = new LinkedHashMap<String, Long>();
        try (PreparedStatement statement = connection.prepareStatement("""
                        SELECT a.id, (SELECT r.version FROM ch_rentals r WHERE r.id = a.id)
                        FROM unnest((SELECT ?::text[])) a (id)""")) {
            setArray(statement, 1, "text", ids(refused.keySet()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    long version = rows.getLong(2);
                    if (version > 0) {
                        stored.put(rows.getString(1), version);
                    }
                }
            }
        }
        for (Prepared event : events) {
            Rental rental = event.recorded().after();
            Long version = stored.get(rental.id().value());
            if (version != null && refused.containsKey(rental.id())) {
                refused.put(rental.id(), Preconditions.superseded(rental, version));
            }
        }
    }

    private static List<String> ids(Collection<RentalId> rentals) {
        return rentals.stream().map(RentalId::value).toList();
    }
}
