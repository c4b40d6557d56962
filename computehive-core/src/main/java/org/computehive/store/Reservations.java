package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.computehive.market.GpuId;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.store.Appends.Line;

/**
 * Appends the first events of many rentals in one PostgreSQL transaction of two or three statements: those who get their
 * gpus and lane, all or nothing each, are kept, and the others leave nothing.
 *
 * <p>The exclusion constraint decides. Gpus are taken in {@link Occupancy#ORDER} across all rentals, so no two of these
 * transactions wait for each other in a circle; one of another kind that does is undone and run again.
 */
final class Reservations {
    /**
     * Takes the gpus of all that nothing bars, such as several gpus of which one is seen to be taken; for those that got all of theirs the lane; and for those that got that the rest. What was taken
     * in vain is given back by {@link #giveBack}.
     */
    private static final String TAKE = """
            WITH asked AS (
                SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::timestamptz[], ?::bigint[],
                    ?::text[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::text[], ?::text[], ?::bigint[])
                a (id, state, renter, lender, lane, reserved_at, gpus, format, payload, salt, wake, due, listing, host, change)
            ), wanted AS (
                SELECT * FROM unnest(?::text[], ?::timestamptz[], ?::timestamptz[], ?::text[], ?::bigint[]) WITH ORDINALITY
                w (gpu, starts, ends, rental, together, turn)
            ), barred AS (
                SELECT 'CHANGED' AS why, a.id AS rental, NULL AS gpu FROM asked a
                WHERE a.change IS NOT NULL AND a.change IS DISTINCT FROM
                    (SELECT l.changed FROM ch_listings l WHERE l.id = a.listing)
                    + (SELECT h.changed FROM ch_hosts h WHERE h.id = a.host)
                UNION ALL
                SELECT 'QUARANTINED', w.rental, w.gpu FROM wanted w WHERE
                    (SELECT c.payload ->> 'state' FROM ch_gpu_conditions c WHERE c.id = w.gpu) = 'QUARANTINED'
                UNION ALL
                SELECT 'TAKEN', w.rental, w.gpu FROM wanted w WHERE w.together > 1 AND EXISTS (SELECT 1 FROM ch_bookings b
                    WHERE b.gpu = w.gpu AND tstzrange(b.starts, b.ends) && tstzrange(w.starts, w.ends))
            ), booked AS (
                INSERT INTO ch_bookings (gpu, starts, ends, rental)
                SELECT gpu, starts, ends, rental FROM wanted WHERE rental NOT IN (SELECT rental FROM barred) ORDER BY turn
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
            SELECT 'BOOKED', rental, gpu FROM booked
            UNION ALL SELECT 'LANED', rental, NULL FROM laned
            UNION ALL SELECT why, rental, gpu FROM barred""".formatted(JdbcTimers.TASK);

    private final Connection connection;
    private final List<Line> lines;

    Reservations(Connection connection, List<Line> lines) {
        this.connection = connection;
        this.lines = lines;
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

    /** Why a rental is refused before anything is taken for it; of several reasons the first is given. */
    private enum Bar {
        CHANGED,
        QUARANTINED,
        TAKEN;

        RentalException refusal(Rental rental, String gpu) {
            return switch (this) {
                case CHANGED -> Preconditions.changed(rental.terms().listing());
                case QUARANTINED -> Preconditions.quarantined(GpuId.parse(gpu));
                case TAKEN -> overlap(rental, other -> other.equals(gpu));
            };
        }
    }

    private record Barred(Bar why, String gpu) {}

    Outcome run() throws SQLException {
        var got = new HashMap<String, Set<String>>();
        var laned = new HashSet<String>();
        var barred = new HashMap<String, Barred>();
        take(got, laned, barred);
        var refused = new HashMap<RentalId, RentalException>();
        var inVain = new ArrayList<Rental>();
        for (Line line : lines) {
            Rental rental = after(line);
            String id = rental.id().value();
            Set<String> gpus = got.getOrDefault(id, Set.of());
            Barred bar = barred.get(id);
            if (bar != null) {
                refused.put(rental.id(), bar.why().refusal(rental, bar.gpu()));
            } else if (gpus.size() < rental.occupied().size()) {
                refused.put(rental.id(), overlap(rental, gpu -> !gpus.contains(gpu)));
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
        return lines.stream()
                .map(Reservations::after)
                .filter(rental -> refused.get(rental.id()) instanceof RentalException.Overlap)
                .filter(rental -> inVain.stream().anyMatch(other -> other != rental && overlap(rental, other)))
                .map(Rental::id)
                .collect(Collectors.toSet());
    }

    private static boolean overlap(Rental one, Rental other) {
        return one.occupied().stream()
                .anyMatch(mine -> other.occupied().stream().anyMatch(mine::overlaps));
    }

    private static RentalException overlap(Rental rental, Predicate<String> taken) {
        return rental.occupied().stream()
                .sorted(Occupancy.ORDER)
                .filter(wanted -> taken.test(wanted.gpu().toString()))
                .findFirst()
                .map(Preconditions::overlap)
                .orElseThrow();
    }

    private void take(Map<String, Set<String>> got, Set<String> laned, Map<String, Barred> barred) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TAKE)) {
            setRentals(statement);
            setBookings(statement);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String rental = rows.getString(2);
                    switch (rows.getString(1)) {
                        case "BOOKED" ->
                            got.computeIfAbsent(rental, id -> new HashSet<>()).add(rows.getString(3));
                        case "LANED" -> laned.add(rental);
                        case String why ->
                            barred.merge(
                                    rental,
                                    new Barred(Bar.valueOf(why), Objects.requireNonNullElse(rows.getString(3), "")),
                                    (one, other) -> one.why().compareTo(other.why()) <= 0 ? one : other);
                    }
                }
            }
        }
    }

    private void setRentals(PreparedStatement statement) throws SQLException {
        texts(statement, 1, line -> after(line).id().value());
        texts(statement, 2, line -> after(line).state().name());
        texts(statement, 3, line -> after(line).terms().renter().address());
        texts(statement, 4, line -> after(line).terms().lender().address());
        Columns.longs(
                statement, 5, lines, line -> after(line).lanes().iterator().next());
        texts(statement, 6, line -> after(line).reservedAt().toString());
        Columns.longs(statement, 7, lines, line -> (long) after(line).occupied().size());
        texts(statement, 8, line -> EventCodec.name(line.event().event()));
        texts(statement, 9, line -> line.event().payload());
        texts(statement, 10, line -> line.event().salt());
        texts(statement, 11, line -> line.event().wake().map(Instant::toString).orElse(null));
        texts(
                statement,
                12,
                line -> line.event()
                        .wake()
                        .map(Wakes::roundedUp)
                        .map(Instant::toString)
                        .orElse(null));
        texts(statement, 13, line -> after(line).terms().listing().value());
        texts(statement, 14, line -> after(line).terms().host().value());
        Columns.longs(
                statement,
                15,
                lines,
                line -> line.change().isPresent() ? line.change().getAsLong() : null);
    }

    private void texts(PreparedStatement statement, int index, Columns.Text<Line> value) throws SQLException {
        Columns.texts(statement, index, lines, value);
    }

    private static Rental after(Line line) {
        return line.event().after();
    }

    private void setBookings(PreparedStatement statement) throws SQLException {
        record Wanted(Occupancy occupancy, Rental rental) {}
        List<Wanted> wanted = lines.stream()
                .map(Reservations::after)
                .flatMap(rental -> rental.occupied().stream().map(occupancy -> new Wanted(occupancy, rental)))
                .sorted(Comparator.comparing(Wanted::occupancy, Occupancy.ORDER))
                .toList();
        Columns.texts(statement, 16, wanted, each -> each.occupancy().gpu().toString());
        Columns.texts(
                statement, 17, wanted, each -> each.occupancy().window().start().toString());
        Columns.texts(
                statement, 18, wanted, each -> each.occupancy().window().end().toString());
        Columns.texts(statement, 19, wanted, each -> each.rental().id().value());
        Columns.longs(
                statement, 20, wanted, each -> (long) each.rental().occupied().size());
    }

    private void giveBack(List<Rental> rentals) throws SQLException {
        if (rentals.isEmpty()) {
            return;
        }
        try (PreparedStatement statement =
                connection.prepareStatement("DELETE FROM ch_bookings WHERE rental = ANY (?::text[])")) {
            Columns.texts(statement, 1, rentals, rental -> rental.id().value());
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
            Columns.texts(statement, 1, List.copyOf(refused.keySet()), RentalId::value);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    long version = rows.getLong(2);
                    if (version > 0) {
                        stored.put(rows.getString(1), version);
                    }
                }
            }
        }
        for (Line line : lines) {
            Rental rental = after(line);
            Long version = stored.get(rental.id().value());
            if (version != null && refused.containsKey(rental.id())) {
                refused.put(rental.id(), Preconditions.superseded(rental, version));
            }
        }
    }
}
