package org.computehive.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
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
    private final Gathering<Recorded, Boolean> together;

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
        boolean gathers = database.dialect() instanceof SqliteDialect || Reservations.takes(event);
        if (gathers) {
            together.ask(event);
        } else {
            alone(event);
        }
    }

    private boolean alone(Recorded event) {
        return database.transaction("append an event of rental " + event.after().id(), connection -> {
            run(connection, event);
            return true;
        });
    }

    private void run(Connection connection, Recorded event) throws SQLException {
        new AppendTransaction(connection, database.dialect(), timers, event).run();
    }

    private void reserve(List<Asked<Recorded, Boolean>> asked) {
        List<Recorded> events = asked.stream().map(Asked::question).toList();
        Reservations.Outcome outcome;
        try {
            outcome = database.transaction(
                    "append reservations", connection -> new Reservations(connection, events).run());
        } catch (RuntimeException e) {
            // One that can't be stored keeps none of the others from it.
            asked.forEach(this::answerAlone);
            return;
        }
        for (Asked<Recorded, Boolean> each : asked) {
            var id = each.question().after().id();
            RentalException refused = outcome.refused().get(id);
            if (outcome.again().contains(id)) {
                answerAlone(each);
            } else if (refused != null) {
                each.fail(refused);
            } else {
                timers.expect(each.question().wake());
                each.answer(true);
            }
        }
    }

    private void answerAlone(Asked<Recorded, Boolean> asked) {
        try {
            asked.answer(alone(asked.question()));
        } catch (RuntimeException e) {
            asked.fail(e);
        }
    }

    private void appendInTurn(List<Asked<Recorded, Boolean>> asked) {
        if (asked.size() == 1) {
            answerAlone(asked.getFirst());
            return;
        }
        Map<Recorded, RentalException> refused;
        try {
            refused = database.transaction("append events", connection -> {
                var left = new IdentityHashMap<Recorded, RentalException>();
                for (Asked<Recorded, Boolean> each : asked) {
                    appendOrLeaveNothing(connection, each.question(), left);
                }
                return left;
            });
        } catch (RuntimeException e) {
            asked.forEach(this::answerAlone);
            return;
        }
        for (Asked<Recorded, Boolean> each : asked) {
            RentalException why = refused.get(each.question());
            if (why == null) {
                each.answer(true);
            } else {
                each.fail(why);
            }
        }
    }

    private void appendOrLeaveNothing(Connection connection, Recorded event, Map<Recorded, RentalException> refused)
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
