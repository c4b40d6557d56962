package org.computehive.server.crash;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads the histories by plain SQL, without the engine's code, and checks them. */
final class DatabaseCheck {
    private static final Set<String> ONCE = Set.of(
            "reserved",
            "funded",
            "cancelled",
            "hold-expired",
            "starting",
            "machine-started",
            "activated",
            "entered",
            "reclaim-announced",
            "ending",
            "access-cut",
            "machine-destroyed",
            "disk-erased",
            "turned-over",
            "receipt-signed",
            "receipt-countersigned",
            "settled");
    /** What happens once at each place that a session was given. */
    private static final Set<String> PER_PLACE =
            Set.of("machine-started", "activated", "machine-destroyed", "disk-erased", "turned-over");

    /** What happens once to each extension. */
    private static final Set<String> ONCE_PER_LEG = Set.of(
            "extension-held",
            "extension-offer-written",
            "extension-offer-signed",
            "extension-funded",
            "extension-lapsed",
            "extension-receipt-signed",
            "extension-receipt-countersigned",
            "extension-settled");

    private static final Set<String> FINAL = Set.of("SETTLED", "EXPIRED", "CANCELLED");

    private final Map<String, History> histories = new LinkedHashMap<>();
    private final Map<String, Integer> left = new LinkedHashMap<>();

    /** Where in which audit log an event was noted to be. */
    record Place(String log, OptionalLong index) {}

    /**
     * A stored event.
     *
     * @param kind its name without the version
     */
    record Event(String rental, long version, String format, String kind, String text, String salt, Place place) {
        int leg() {
            return payload().path("leg").asInt();
        }

        JsonNode payload() {
            try {
                return new ObjectMapper().readTree(text);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("event %d of %s is no JSON".formatted(version, rental), e);
            }
        }
    }

    /** Returns the name of a stored event's form without its version. */
    static String kind(String format) {
        return format.substring(0, format.lastIndexOf(".v"));
    }

    /** A rental's row and events. */
    record History(String rental, long version, String state, List<Event> events) {
        Optional<Event> first(String kind) {
            return events.stream().filter(event -> event.kind().equals(kind)).findFirst();
        }

        long count(String kind) {
            return events.stream().filter(event -> event.kind().equals(kind)).count();
        }

        boolean has(String kind) {
            return first(kind).isPresent();
        }

        /** Returns the event of a kind of a leg: what was booked is leg 0. */
        Optional<Event> ofLeg(String kind, int leg) {
            String name = leg == 0 ? kind : "extension-" + kind;
            return events.stream()
                    .filter(event -> event.kind().equals(name) && event.leg() == leg)
                    .findFirst();
        }

        String line() {
            return "rental %s %s: %s"
                    .formatted(rental, state, events.stream().map(Event::kind).collect(Collectors.joining(" ")));
        }
    }

    DatabaseCheck(EngineSettings settings) throws SQLException {
        try (Connection connection =
                DriverManager.getConnection(settings.jdbcUrl(), settings.user(), settings.password())) {
            try (var statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT id, version, state FROM ch_rentals ORDER BY id")) {
                while (row.next()) {
                    histories.put(
                            row.getString(1),
                            new History(row.getString(1), row.getLong(2), row.getString(3), new ArrayList<>()));
                }
            }
            try (var statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT rental, version, format, payload::text, salt, p.log AS audit_log, p.place AS audit_index"
                                    + " FROM ch_events e LEFT JOIN ch_audit_places p ON p.event = e.seq"
                                    + " ORDER BY rental, version")) {
                while (row.next()) {
                    Event event = event(row);
                    Objects.requireNonNull(histories.get(event.rental()), "an event's rental is a row")
                            .events()
                            .add(event);
                }
            }
            for (String table : List.of("ch_bookings", "ch_maintenances", "ch_lanes")) {
                try (var statement = connection.createStatement();
                        ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
                    row.next();
                    left.put(table, row.getInt(1));
                }
            }
        }
    }

    private static Event event(ResultSet row) throws SQLException {
        long index = row.getLong(7);
        OptionalLong noted = row.wasNull() ? OptionalLong.empty() : OptionalLong.of(index);
        String format = row.getString(3);
        return new Event(
                row.getString(1),
                row.getLong(2),
                format,
                kind(format),
                row.getString(4),
                row.getString(5),
                new Place(row.getString(6), noted));
    }

    Map<String, History> histories() {
        return histories;
    }

    void check(Checks checks, Evidence evidence) {
        for (History history : histories.values()) {
            checkHistory(checks, history);
        }
        for (Evidence.Acknowledged promise : evidence.acknowledged()) {
            History history = histories.get(promise.rental());
            boolean kept = history != null
                    && history.events().stream()
                            .anyMatch(event -> event.kind().equals(promise.event())
                                    && event.text().contains(promise.holds()));
            checks.that(
                    "what was acknowledged is in the history",
                    kept,
                    "%s %s of rental %s was acknowledged; its history is %s"
                            .formatted(
                                    promise.event(),
                                    promise.holds(),
                                    promise.rental(),
                                    history == null ? "missing" : history.line()));
        }
        checkSessions(checks);
        left.forEach((table, rows) ->
                checks.that("nothing is held once all is over", rows == 0, "%d rows in %s".formatted(rows, table)));
    }

    private static void checkHistory(Checks checks, History history) {
        boolean gapless = history.version() == history.events().size();
        for (int i = 0; i < history.events().size(); i++) {
            gapless &= history.events().get(i).version() == i + 1;
        }
        checks.that("versions run from 1 without a gap", gapless, history.line());
        boolean last =
                FINAL.contains(history.state()) && !(history.state().equals("CANCELLED") && history.has("funded"));
        checks.that("every rental came to a final state", last, history.line());
        for (String kind : ONCE) {
            checks.that(
                    "nothing happened twice",
                    history.count(kind) <= most(history, kind),
                    kind + " in " + history.line());
        }
        for (String kind : ONCE_PER_LEG) {
            long legs = history.events().stream()
                    .filter(event -> event.kind().equals(kind))
                    .map(Event::leg)
                    .distinct()
                    .count();
            checks.that("nothing happened twice", history.count(kind) == legs, kind + " in " + history.line());
        }
        checks.that(
                "every event is noted as audited",
                history.events().stream()
                        .allMatch(event -> event.place().index().isPresent()),
                history.line());
    }

    private static long most(History history, String kind) {
        if (kind.equals("access-cut")) {
            // A place that is given up has its access withdrawn; that of the rental is cut once, for good.
            return 1 + history.count("interrupted") + history.count("placement-failed");
        }
        return PER_PLACE.contains(kind) ? 1 + history.count("placed") : 1;
    }

    private record Held(String rental, String from, String to) {}

    /** No gpu is in two sessions at a time: from when a session is given the place to the turnover there. */
    private void checkSessions(Checks checks) {
        Map<String, List<Held>> sessions = new LinkedHashMap<>();
        for (History history : histories.values()) {
            String from = "";
            for (Event event : history.events()) {
                switch (event.kind()) {
                    case "starting", "gpus-taken", "placed" ->
                        from = event.payload().path("at").asText();
                    case "turned-over" -> {
                        var held = new Held(
                                history.rental(),
                                from,
                                event.payload().path("at").asText());
                        event.payload()
                                .path("gpus")
                                .forEach(gpu -> sessions.computeIfAbsent(
                                                gpu.path("gpu").toString(), key -> new ArrayList<>())
                                        .add(held));
                    }
                    default -> {}
                }
            }
        }
        sessions.forEach((gpu, held) -> {
            held.sort(Comparator.comparing(Held::from));
            for (int i = 1; i < held.size(); i++) {
                checks.that(
                        "no gpu is in two sessions at a time",
                        held.get(i - 1).to().compareTo(held.get(i).from()) <= 0,
                        "gpu %s: %s and %s".formatted(gpu, held.get(i - 1), held.get(i)));
            }
        });
    }
}
