package org.computehive.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Claim;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims among all processes on one PostgreSQL database, by advisory locks of one session that this process keeps open.
 * They are gone when the session is, so a process that dies leaves none behind.
 *
 * <p>If the session breaks while the process lives on, its claims are gone too, though their holders still work: for what
 * they do twice then, the versions of events, and steps that may be repeated, are the safety.
 */
final class AdvisoryClaims implements Claims {
    private static final Logger LOG = LoggerFactory.getLogger(AdvisoryClaims.class);

    private final Database database;
    private final Claims inProcess = Claims.inProcess();
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Connection session;
    private boolean closed;

    AdvisoryClaims(Database database) {
        this.database = database;
    }

    @Override
    public Optional<Claim> claim(RentalId id) {
        // A session may take its own lock again, so threads of this process need a word of their own.
        Optional<Claim> here = inProcess.claim(id);
        if (here.isEmpty()) {
            return Optional.empty();
        }
        Connection holder = null;
        try {
            holder = lock(id);
            return holder == null ? Optional.empty() : Optional.of(new Held(id, holder, here.get()));
        } finally {
            if (holder == null) {
                here.get().close();
            }
        }
    }

    /** Returns the session that has the lock now; {@code null} if another one has it. */
    private @Nullable Connection lock(RentalId id) {
        lock.lock();
        try {
            for (int attempt = 1; ; attempt++) {
                Connection current = session();
                try {
                    return ask(current, "SELECT pg_try_advisory_lock(?)", id) ? current : null;
                } catch (SQLException e) {
                    abandon(current);
                    if (attempt == 2) {
                        throw database.failed("claim rental " + id, e);
                    }
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private Connection session() {
        if (closed) {
            throw new StoreException("the store is closed: nothing can be claimed", null);
        }
        Connection current = session;
        if (current == null) {
            current = database.connection("open a session for claims");
            session = current;
        }
        return current;
    }

    private static boolean ask(Connection connection, String sql, RentalId id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, number(id));
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getBoolean(1);
            }
        }
    }

    /** Two rentals of one number only wait for each other. */
    private static long number(RentalId id) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(("computehive rental " + id).getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private void unlock(RentalId id, Connection holder) {
        lock.lock();
        try {
            if (holder != session) {
                return;
            }
            try {
                ask(holder, "SELECT pg_advisory_unlock(?)", id);
            } catch (SQLException e) {
                LOG.warn("the session for claims broke: its claims are gone with it", e);
                abandon(holder);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of a session that broke, so that nobody takes it for one that holds locks. */
    private void abandon(Connection broken) {
        session = null;
        try {
            broken.abort(Runnable::run);
        } catch (SQLException e) {
            LOG.debug("the broken session could not be aborted", e);
        }
        try {
            broken.close();
        } catch (SQLException e) {
            LOG.debug("the broken session could not be closed", e);
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            Connection last = session;
            session = null;
            if (last != null) {
                giveBack(last);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The connection may go on in a pool that is not ours, so the locks go first. */
    private void giveBack(Connection last) {
        try (last;
                PreparedStatement statement = last.prepareStatement("SELECT pg_advisory_unlock_all()")) {
            statement.execute();
        } catch (SQLException e) {
            LOG.debug("the session for claims was broken already", e);
        }
    }

    private final class Held implements Claim {
        private final RentalId id;
        private final Connection holder;
        private final Claim here;
        private final AtomicBoolean released = new AtomicBoolean();

        Held(RentalId id, Connection holder, Claim here) {
            this.id = id;
            this.holder = holder;
            this.here = here;
        }

        @Override
        public void close() {
            if (released.compareAndSet(false, true)) {
                unlock(id, holder);
                here.close();
            }
        }
    }
}
