package org.computehive.store;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerClient;
import com.github.kagkarlsson.scheduler.SchedulerName;
import com.github.kagkarlsson.scheduler.jdbc.JdbcCustomization;
import com.github.kagkarlsson.scheduler.jdbc.PostgreSqlJdbcCustomization;
import com.github.kagkarlsson.scheduler.jdbc.SqliteJdbcCustomization;
import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.Execution;
import com.github.kagkarlsson.scheduler.task.ExecutionComplete;
import com.github.kagkarlsson.scheduler.task.ExecutionOperations;
import com.github.kagkarlsson.scheduler.task.SchedulableInstance;
import com.github.kagkarlsson.scheduler.task.helper.CustomTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.computehive.internal.Gathering;
import org.computehive.internal.Gathering.Asked;
import org.computehive.rental.RentalId;
import org.computehive.rental.Timers;
import org.jspecify.annotations.Nullable;

/** Wake-ups in the store's database, woken by db-scheduler. An instance is named by rental and version. */
final class JdbcTimers implements Timers {
    private static final String TABLE = "ch_wakes";
    /** What every wake-up is called in the table. */
    static final String TASK = "rental";

    private static final Duration POLLING = Duration.ofMillis(100);

    /** What this process itself set for so soon it looks for at the very moment, not at the next poll. */
    private static final Duration SOON = Duration.ofSeconds(5);

    /** A replica that misses so many signs of life is taken for dead, and what it ran is run again. */
    private static final int MISSED_HEARTBEATS = 4;
    /** How long {@link #close} waits for handlers before it interrupts them: in practice, until they return. */
    private static final Duration PATIENCE = Duration.ofDays(1);

    private final Database database;
    private final InstantSource clock;
    private final Duration takeover;
    private final JdbcCustomization customization;
    private final CustomTask<Void> task;
    /** After a sleep, what ends at the same time is removed together: that costs more than all else. */
    private final Gathering<Execution, Boolean> handled = new Gathering<>(Wakes.THREADS, this::remove);

    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Handler handler;
    private volatile @Nullable Scheduler scheduler;
    private volatile @Nullable ScheduledExecutorService alarms;
    private boolean closed;

    /**
     * Creates some.
     *
     * @param takeover how long a replica is silent before it is taken for dead
     */
    JdbcTimers(Database database, InstantSource clock, Duration takeover) {
        this.database = database;
        this.clock = clock;
        this.takeover = takeover;
        this.customization = switch (database.dialect()) {
            case PostgresDialect postgres -> new PostgreSqlJdbcCustomization(false, false);
            case SqliteDialect sqlite -> new SqliteJdbcCustomization();
        };
        this.task = Tasks.custom(TASK, Void.class)
                .onFailure(JdbcTimers::retry)
                .onDeadExecutionRevive()
                .execute((instance, context) -> wake(instance.getId()));
    }

    /** Sets a version's wake-up in the connection's transaction, in place of the version's before it unless that is running. */
    void set(Connection connection, RentalId rental, long version, Optional<Instant> due) throws SQLException {
        if (version > 1) {
            try (PreparedStatement statement = connection.prepareStatement(
                    "DELETE FROM ch_wakes WHERE task_name = ? AND task_instance = ? AND picked = ?")) {
                statement.setString(1, TASK);
                statement.setString(2, name(rental, version - 1));
                statement.setBoolean(3, false);
                statement.executeUpdate();
            }
        }
        expect(due);
        if (due.isPresent()) {
            schedule(connection, task.instance(name(rental, version)), Wakes.roundedUp(due.get()));
        }
    }

    /** Looks for due wake-ups when one that was set here is due, if that is soon. */
    void expect(Optional<Instant> due) {
        ScheduledExecutorService running = alarms;
        if (running == null || due.isEmpty()) {
            return;
        }
        Duration left = Duration.between(clock.instant(), Wakes.roundedUp(due.get()));
        if (left.isPositive() && left.compareTo(SOON) <= 0) {
            try {
                var unused = running.schedule(this::hurry, left.toNanos(), TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException e) {
                // Closing: left to the next run.
            }
        }
    }

    private void schedule(
            Connection connection, com.github.kagkarlsson.scheduler.task.TaskInstance<Void> instance, Instant due)
            throws SQLException {
        try {
            // As a batch of one: it inserts without asking first, and the version check lets nobody come twice.
            List<SchedulableInstance<?>> batch = List.of(SchedulableInstance.of(instance, due));
            SchedulerClient.Builder.create(new BoundDataSource(connection), task)
                    .tableName(TABLE)
                    .jdbcCustomization(customization)
                    .build()
                    .scheduleBatch(batch);
        } catch (RuntimeException e) {
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                if (cause instanceof SQLException sql) {
                    throw sql;
                }
            }
            throw e;
        }
    }

    private CompletionHandler<Void> wake(String name) {
        Handler toWake = handler;
        if (toWake == null) {
            throw new IllegalStateException("a wake-up came before the timers were started");
        }
        int colon = name.indexOf(':');
        Instant next = toWake.wake(new RentalId(name.substring(0, colon)), Long.parseLong(name.substring(colon + 1)));
        return (complete, operations) -> {
            if (next == null) {
                handled.ask(complete.getExecution());
            } else {
                operations.reschedule(complete, Wakes.roundedUp(next));
                expect(Optional.of(next));
            }
        };
    }

    /** Removes wake-ups; one that was revived meanwhile, since this process was taken for dead, is another's. */
    private void remove(List<Asked<Execution, Boolean>> asked) {
        database.transaction("remove wake-ups", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "DELETE FROM ch_wakes WHERE task_name = ? AND task_instance = ? AND version = ?")) {
                for (Asked<Execution, Boolean> each : asked) {
                    statement.setString(1, TASK);
                    statement.setString(2, each.question().getId());
                    statement.setLong(3, each.question().version);
                    statement.addBatch();
                }
                return statement.executeBatch();
            }
        });
        asked.forEach(each -> each.answer(true));
    }

    private static void retry(ExecutionComplete complete, ExecutionOperations<Void> operations) {
        Duration delay = Wakes.retryAfter(complete.getExecution().consecutiveFailures);
        operations.reschedule(complete, complete.getTimeDone().plus(delay));
    }

    private static String name(RentalId rental, long version) {
        return rental + ":" + version;
    }

    @Override
    public void start(Handler toWake) {
        lock.lock();
        try {
            if (handler != null || closed) {
                throw new IllegalStateException("these timers were started or closed already: start them once");
            }
            handler = toWake;
            var builder = Scheduler.create(database.source(), task)
                    .tableName(TABLE)
                    .jdbcCustomization(customization)
                    .schedulerName(new SchedulerName.Fixed("computehive-" + UUID.randomUUID()))
                    .clock(clock::instant)
                    .threads(Wakes.THREADS)
                    .pollingInterval(POLLING)
                    .heartbeatInterval(takeover.dividedBy(MISSED_HEARTBEATS))
                    .missedHeartbeatsLimit(MISSED_HEARTBEATS)
                    .shutdownMaxWait(PATIENCE);
            if (database.dialect() instanceof PostgresDialect) {
                // No more than can run at once: what is taken and waits has no heartbeat, and another would revive it.
                builder.pollUsingLockAndFetch(0.5, 1.0);
            }
            Scheduler built = builder.build();
            scheduler = built;
            alarms = Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("computehive-alarms").factory());
            built.start();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void hurry() {
        Scheduler running = scheduler;
        if (running != null) {
            running.triggerCheckForDueExecutions();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            Scheduler running = scheduler;
            scheduler = null;
            ScheduledExecutorService ringing = alarms;
            if (ringing != null) {
                ringing.shutdownNow();
            }
            if (running != null) {
                running.stop();
            }
        } finally {
            lock.unlock();
        }
    }
}
