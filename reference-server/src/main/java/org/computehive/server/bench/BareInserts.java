package org.computehive.server.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.computehive.market.GpuId;
import org.computehive.schedule.Window;
import org.computehive.server.platform.TemporaryPostgres;

/**
 * The peer: one {@code INSERT ... ON CONFLICT DO NOTHING} for each attempt into a table that has nothing but the same
 * exclusion constraint, on a connection for each thread. A pair is two rows in one statement, undone unless both were
 * inserted.
 */
final class BareInserts implements AutoCloseable {
    private static final String ROW = "(?, tstzrange(?, ?), ?)";
    private static final String INSERT = "INSERT INTO bookings (gpu, during, rental) VALUES %s ON CONFLICT DO NOTHING";

    private final List<Connection> connections = new ArrayList<>();
    private final List<PreparedStatement> singles = new ArrayList<>();
    private final List<PreparedStatement> pairs = new ArrayList<>();

    BareInserts(TemporaryPostgres postgres, int threads) throws SQLException {
        String url = postgres.createDatabase();
        for (int i = 0; i < threads; i++) {
            Connection connection = DriverManager.getConnection(url, postgres.user(), postgres.password());
            connections.add(connection);
            if (i == 0) {
                createTable(connection);
            }
            singles.add(connection.prepareStatement(INSERT.formatted(ROW)));
            pairs.add(connection.prepareStatement(INSERT.formatted(ROW + ", " + ROW)));
        }
    }

    private static void createTable(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE EXTENSION btree_gist");
            statement.execute(
                    "CREATE TABLE bookings (gpu text NOT NULL, during tstzrange NOT NULL, rental text NOT NULL,"
                            + " EXCLUDE USING gist (gpu WITH =, during WITH &&))");
        }
    }

    /** Returns whether it was inserted. */
    boolean insert(int thread, BookingMix.Attempt attempt) throws SQLException {
        List<GpuId> gpus = attempt.offer().gpus();
        if (gpus.size() == 1) {
            return execute(singles.get(thread), attempt) == 1;
        }
        Connection connection = connections.get(thread);
        connection.setAutoCommit(false);
        boolean both = execute(pairs.get(thread), attempt) == gpus.size();
        if (both) {
            connection.commit();
        } else {
            connection.rollback();
        }
        connection.setAutoCommit(true);
        return both;
    }

    private static int execute(PreparedStatement statement, BookingMix.Attempt attempt) throws SQLException {
        Window occupied = attempt.window().extendedBy(BookingMix.TURNOVER);
        String rental = UUID.randomUUID().toString();
        int index = 1;
        for (GpuId gpu : attempt.offer().gpus()) {
            statement.setString(index++, gpu.toString());
            statement.setObject(index++, occupied.start().atOffset(ZoneOffset.UTC));
            statement.setObject(index++, occupied.end().atOffset(ZoneOffset.UTC));
            statement.setString(index++, rental);
        }
        return statement.executeUpdate();
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection : connections) {
            connection.close();
        }
    }
}
