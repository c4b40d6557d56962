package org.computehive.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Semaphore;
import javax.sql.DataSource;

/** Runs statements and transactions, and says in our words what went wrong. Thread-safe. */
final class Database {
    private static final int ATTEMPTS = 5;

    private final DataSource source;
    private final Dialect dialect;
    /** Lets transactions of this process in by turns, where the database would have them poll for its lock. */
    private final Semaphore turns;

    Database(DataSource source, Dialect dialect) {
        this.source = source;
        this.dialect = dialect;
        this.turns = new Semaphore(dialect.writers(), true);
    }

    Dialect dialect() {
        return dialect;
    }

    DataSource source() {
        return source;
    }

    /** Returns a connection that is the caller's until it closes it. */
    Connection connection(String what) {
        try {
            return source.getConnection();
        } catch (SQLException e) {
            throw failed(what, e);
        }
    }

    /** Runs one statement by itself. */
    <T> T single(String what, Work<T> work) {
        try (Connection connection = source.getConnection()) {
            return work.on(connection);
        } catch (SQLException e) {
            throw failed(what, e);
        }
    }

    /** Runs statements all or nothing; again, if they were undone only because of others at the same time. */
    <T> T transaction(String what, Work<T> work) {
        turns.acquireUninterruptibly();
        try {
            return attempted(what, work);
        } finally {
            turns.release();
        }
    }

    private <T> T attempted(String what, Work<T> work) {
        for (int attempt = 1; ; attempt++) {
            try (Connection connection = source.getConnection()) {
                dialect.begin(connection);
                return committed(connection, work);
            } catch (SQLException e) {
                if (attempt == ATTEMPTS || !dialect.isTransient(e)) {
                    throw failed(what, e);
                }
            }
        }
    }

    private <T> T committed(Connection connection, Work<T> work) throws SQLException {
        boolean done = false;
        try {
            T result = work.on(connection);
            dialect.commit(connection);
            done = true;
            return result;
        } finally {
            if (!done) {
                undo(connection);
            }
        }
    }

    private void undo(Connection connection) {
        try {
            dialect.rollback(connection);
        } catch (SQLException e) {
            // The connection is broken, or the database has undone it already; what matters is why we are here.
            abandon(connection);
        }
    }

    private static void abandon(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // It is gone already.
        }
    }

    StoreException failed(String what, SQLException e) {
        return new StoreException("could not %s: %s".formatted(what, dialect.remedy(e)), e);
    }

    /** What is done on a connection. */
    @FunctionalInterface
    interface Work<T> {
        T on(Connection connection) throws SQLException;
    }
}
