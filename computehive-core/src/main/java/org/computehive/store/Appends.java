package org.computehive.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.computehive.internal.Gathering;
import org.computehive.internal.Gathering.Asked;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalStore.Recorded;

/**
 * Appends events; those that come at the same time share a transaction, and each still has its own outcome: all of an
 * event or nothing of it is kept. On PostgreSQL that goes for {@linkplain Reservations reservations}, on SQLite, which lets
 * one write at a time, for every event. Thread-safe.
 */
final class Appends {
    private static final int MOST_TOGETHER = 64;

    private final Database database;
    private final JdbcTimers timers;
    private final Gathering<Line, Boolean> together;

    /**
     * An event to append.
     *
     * @param change what a rental's first event is made from, where that must not have changed
     */
    record Line(Recorded event, OptionalLong change) {}

    Appends(Database database, JdbcTimers timers) {
        this.database = database;
        this.timers = timers;
        this.together = new Gathering<>(
                MOST_TOGETHER,
                switch (database.dialect()) {
                    case PostgresDialect postgres -> this::reserve;
                    case SqliteDialect sqlite -> this::appendInTurn;
                });
    }

    void append(Recorded event) {
        append(new Line(event, OptionalLong.empty()));
    }

    /** Appends a rental's first event if what it is made from is as it was read. */
    void begin(Recorded first, long change) {
        append(new Line(first, OptionalLong.of(change)));
    }

    /** Does that in the connection's transaction. */
    void begin(Connection connection, Recorded first, long change) throws SQLException {
        run(connection, new Line(first, OptionalLong.of(change)));
    }

    private void append(Line line) {
        boolean gathers = database.dialect() instanceof SqliteDialect || Reservations.takes(line.event());
        if (gathers) {
            together.ask(line);
        } else {
            alone(line);
        }
    }

    private boolean alone(Line line) {
        return database.transaction(
                "append an event of rental " + line.event().after().id(), connection -> {
                    run(connection, line);
                    return true;
                });
    }

    private void run(Connection connection, Line line) throws SQLException {
        var transaction = new AppendTransaction(connection, database.dialect(), timers, line.event());
        if (line.change().isPresent()) {
            transaction.requireUnchanged(line.change().getAsLong());
        }
        transaction.run();
    }

    private void reserve(List<Asked<Line, Boolean>> asked) {
        List<Line> events = asked.stream().map(Asked::question).toList();
        Reservations.Outcome outcome;
        try {
            outcome = database.transaction(
                    "append reservations", connection -> new Reservations(connection, events).run());
        } catch (RuntimeException e) {
            // One that can't be stored keeps none of the others from it.
            asked.forEach(this::answerAlone);
            return;
        }
        for (Asked<Line, Boolean> each : asked) {
            Recorded event = each.question().event();
            var id = event.after().id();
            RentalException refused = outcome.refused().get(id);
            if (outcome.again().contains(id)) {
                answerAlone(each);
            } else if (refused != null) {
                each.fail(refused);
            } else {
                timers.expect(event.wake());
                each.answer(true);
            }
        }
    }

    private void answerAlone(Asked<Line, Boolean> asked) {
        try {
            asked.answer(alone(asked.question()));
        } catch (RuntimeException e) {
            asked.fail(e);
        }
    }

    private void appendInTurn(List<Asked<Line, Boolean>> asked) {
        if (asked.size() == 1) {
            answerAlone(asked.getFirst());
            return;
        }
        Map<Line, RentalException> refused;
        try {
            refused = database.transaction("append events", connection -> {
                var left = new IdentityHashMap<Line, RentalException>();
                for (Asked<Line, Boolean> each : asked) {
                    appendOrLeaveNothing(connection, each.question(), left);
                }
                return left;
            });
        } catch (RuntimeException e) {
            asked.forEach(this::answerAlone);
            return;
        }
        for (Asked<Line, Boolean> each : asked) {
            RentalException why = refused.get(each.question());
            if (why == null) {
                each.answer(true);
            } else {
                each.fail(why);
            }
        }
    }

    private void appendOrLeaveNothing(Connection connection, Line event, Map<Line, RentalException> refused)
            throws SQLException {
        execute(connection, "SAVEPOINT ch_one");
        try {
            run(connection, event);
        } catch (RentalException e) {
            execute(connection, "ROLLBACK TO ch_one");
            refused.put(event, e);
        }
        execute(connection, "RELEASE ch_one");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
