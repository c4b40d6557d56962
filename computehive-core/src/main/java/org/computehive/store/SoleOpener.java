package org.computehive.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Keeps a SQLite database for one store at a time, by a lock on a small database beside it. SQLite's locks are gone when
 * the process is, hold between threads as well as processes, and need no file that is left over to be seen to.
 */
final class SoleOpener implements AutoCloseable {
    private final Connection connection;

    private SoleOpener(Connection connection) {
        this.connection = connection;
    }

    /**
     * Takes the lock.
     *
     * @throws StoreException if another store, of this process or of another, has it
     */
    static SoleOpener of(Path file) {
        Path lock = file.resolveSibling(file.getFileName() + "-lock");
        Pools.create(lock);
        Connection opened = null;
        boolean done = false;
        try {
            opened = DriverManager.getConnection("jdbc:sqlite:" + lock.toAbsolutePath());
            try (Statement statement = opened.createStatement()) {
                statement.execute("PRAGMA busy_timeout = 0");
                statement.execute("BEGIN EXCLUSIVE");
            }
            done = true;
            return new SoleOpener(opened);
        } catch (SQLException e) {
            throw new StoreException(
                    "%s is open in another store, of this process or of another: close that one, or share PostgreSQL"
                            .formatted(file),
                    e);
        } finally {
            if (!done && opened != null) {
                closeQuietly(opened);
            }
        }
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            // There is nothing in it to be lost.
        }
    }

    @Override
    public void close() {
        closeQuietly(connection);
    }
}
