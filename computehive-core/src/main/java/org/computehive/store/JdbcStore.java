package org.computehive.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import javax.sql.DataSource;
import org.computehive.feed.FeedStore;
import org.computehive.market.Account;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.Maintenance;
import org.computehive.market.Offering;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore;
import org.computehive.rental.Timers;
import org.computehive.schedule.Window;
import org.computehive.store.Histories.Stored;

/**
 * Keeps everything in a SQL database: SQLite in a file for one process, PostgreSQL for any number. Thread-safe.
 *
 * <p>The database itself refuses overlaps, lanes held twice and changed events, so no bug of ours or of another program
 * on it can make them. Tables are brought to this version's form when the store is opened; their names begin with
 * {@code ch_}. A call that fails for any other reason than the port's throws {@link StoreException}.
 *
 * <p>Needs db-scheduler, Flyway, HikariCP and the database's driver on the classpath; opening says which one is missing.
 */
public final class JdbcStore implements RentalStore, FeedStore {
    /** How long a replica is silent before others take over what it was at, unless told otherwise. */
    public static final Duration TAKEOVER = Duration.ofSeconds(8);

    private static final Duration LEAST_TAKEOVER = Duration.ofSeconds(1);
    private final Database database;
    private final Runnable onClose;
    private final Documents<Host> hosts;
    private final Documents<Listing> listings;
    private final Documents<GpuCondition> conditions;
    private final Quotes quotes;
    private final Answers answers;
    private final Histories histories;
    private final RentalQueries rentals;
    private final AuditPlaces auditPlaces;
    private final FeedGenerations feeds;
    private final Maintenances maintenances;
    private final Sightings sightings;
    private final Claims claims;
    private final StoredFeed feed;
    private final JdbcTimers timers;
    private final Appends appends;
    private final LaneDesk lanes;

    private JdbcStore(DataSource source, Dialect dialect, InstantSource clock, Duration takeover, Runnable onClose) {
        Schema.migrate(source, dialect);
        this.database = new Database(source, dialect);
        this.onClose = onClose;
        this.hosts = Forms.hosts(database);
        this.listings = Forms.listings(database);
        this.conditions = Forms.conditions(database);
        this.quotes = new Quotes(database, Forms.quotes(database));
        this.answers = new Answers(database);
        this.histories = new Histories(database);
        this.rentals = new RentalQueries(database, histories);
        this.auditPlaces = new AuditPlaces(database, histories);
        this.feeds = new FeedGenerations(database);
        this.maintenances = new Maintenances(database);
        this.sightings = new Sightings(database);
        this.claims = switch (dialect) {
            case PostgresDialect postgres -> new AdvisoryClaims(database);
            case SqliteDialect sqlite -> Claims.inProcess();
        };
        this.feed = new StoredFeed(database);
        this.timers = new JdbcTimers(database, clock, takeover);
        this.appends = new Appends(database, timers);
        this.lanes = new LaneDesk(database);
    }

    /**
     * Opens a SQLite database, and creates it, readable for its owner alone, where there is none.
     *
     * @param file the database file, on a local disk; files beside it take its name with {@code -wal}, {@code -shm} and
     *     {@code -lock}. One store has it open at a time
     * @param clock what says whether a wake-up is due
     * @throws StoreException if it can't be opened, another store has it open, or a dependency is missing
     */
    public static JdbcStore sqlite(Path file, InstantSource clock) {
        Requirements.sqlite();
        SoleOpener sole = SoleOpener.of(file);
        boolean opened = false;
        try {
            var pool = Pools.sqlite(file);
            JdbcStore store = owning(pool, new SqliteDialect(), clock, TAKEOVER, () -> {
                close(pool);
                sole.close();
            });
            opened = true;
            return store;
        } finally {
            if (!opened) {
                sole.close();
            }
        }
    }

    /**
     * Opens a PostgreSQL database (13 or newer) through a pool of its own.
     *
     * @param url such as {@code jdbc:postgresql://host/database}
     * @param user owns the database, or may create tables and the extension {@code btree_gist} in it
     * @param password the user's password
     * @param clock what says whether a wake-up is due
     * @throws StoreException if it can't be opened or a dependency is missing
     */
    public static JdbcStore postgres(String url, String user, String password, InstantSource clock) {
        return postgres(url, user, password, clock, TAKEOVER);
    }

    /**
     * Opens a PostgreSQL database (13 or newer) through a pool of its own.
     *
     * @param url such as {@code jdbc:postgresql://host/database}
     * @param user owns the database, or may create tables and the extension {@code btree_gist} in it
     * @param password the user's password
     * @param clock what says whether a wake-up is due
     * @param takeover how long a replica is silent before others take over what it was at, at least a second: four times
     *     in this it says that it lives. One that is taken over while it lives does no harm, but work is done twice
     * @throws StoreException if it can't be opened or a dependency is missing
     * @throws IllegalArgumentException if the takeover is too short
     */
    public static JdbcStore postgres(String url, String user, String password, InstantSource clock, Duration takeover) {
        if (takeover.compareTo(LEAST_TAKEOVER) < 0) {
            throw new IllegalArgumentException(
                    "takeover %s is too short: %s at least".formatted(takeover, LEAST_TAKEOVER));
        }
        Requirements.postgres();
        Requirements.pool();
        var pool = Pools.postgres(url, user, password);
        return owning(pool, new PostgresDialect(), clock, takeover, () -> close(pool));
    }

    /**
     * Opens a PostgreSQL database (13 or newer) through the caller's pool.
     *
     * @param source gives out connections in auto-commit mode, at least three at a time, each a session of its own (not a
     *     pooler's in transaction mode): one is kept for as long as the store is open; not closed with the store
     * @param clock what says whether a wake-up is due
     * @throws StoreException if it can't be opened or a dependency is missing
     */
    public static JdbcStore postgres(DataSource source, InstantSource clock) {
        Requirements.postgres();
        return new JdbcStore(source, new PostgresDialect(), clock, TAKEOVER, () -> {});
    }

    private static <P extends DataSource & AutoCloseable> JdbcStore owning(
            P pool, Dialect dialect, InstantSource clock, Duration takeover, Runnable onClose) {
        boolean opened = false;
        try {
            var store = new JdbcStore(pool, dialect, clock, takeover, onClose);
            opened = true;
            return store;
        } finally {
            if (!opened) {
                close(pool);
            }
        }
    }

    private static void close(AutoCloseable pool) {
        try {
            pool.close();
        } catch (Exception e) {
            throw new StoreException("could not close the connections", e);
        }
    }

    /**
     * Copies a SQLite database to a file, as it is at one instant, while the store goes on; all of it or nothing, and
     * durable when it returns. The copy is for its owner's eyes alone, and is restored by opening it, under its own name or
     * in the place of the old file (with that one's {@code -wal} and {@code -shm} removed).
     *
     * <p>PostgreSQL is backed up by its own {@code pg_dump --format=custom} and restored by {@code pg_restore}, or by
     * continuous archiving.
     *
     * <p>The audit log is copied after the store, so that it holds whatever the store says is in it. An engine that is
     * started on a store older than its log notices that, and names what is missing
     * ({@link org.computehive.rental.AuditMismatchException}).
     *
     * @param file the copy, which must not be there yet
     * @throws StoreException if it can't be written, or the database is PostgreSQL
     */
    public void backup(Path file) {
        switch (database.dialect()) {
            case SqliteDialect sqlite -> SqliteBackup.write(database, file);
            case PostgresDialect postgres ->
                throw new StoreException(
                        "a PostgreSQL database is backed up by its own tools: pg_dump --format=custom, pg_restore",
                        null);
        }
    }

    @Override
    public void putHost(Host host) {
        hosts.put(host.id().value(), host);
    }

    @Override
    public Optional<Host> host(HostId id) {
        return hosts.find(id.value());
    }

    @Override
    public List<Host> hosts() {
        return hosts.all();
    }

    @Override
    public void putListing(Listing listing) {
        listings.put(listing.id().value(), listing);
    }

    @Override
    public Optional<Listing> listing(ListingId id) {
        return listings.find(id.value());
    }

    @Override
    public Optional<Offering> offering(ListingId id) {
        return database.single("read listing " + id, connection -> {
            try (PreparedStatement statement = connection.prepareStatement("""
                    SELECT l.format, l.payload, h.format, h.payload, l.changed + h.changed
                    FROM ch_listings l JOIN ch_hosts h ON h.id = l.payload ->> 'host' WHERE l.id = ?""")) {
                statement.setString(1, id.value());
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next()
                            ? Optional.of(new Offering(
                                    listings.read(rows.getString(1), rows.getString(2)),
                                    hosts.read(rows.getString(3), rows.getString(4)),
                                    rows.getLong(5)))
                            : Optional.empty();
                }
            }
        });
    }

    @Override
    public List<Listing> listings() {
        return listings.all();
    }

    @Override
    public List<Changed<Listing>> listingsChangedAfter(long change, int limit) {
        Preconditions.limit(limit);
        return listings.changedAfter(change, limit);
    }

    @Override
    public List<Changed<Host>> hostsChangedAfter(long change, int limit) {
        Preconditions.limit(limit);
        return hosts.changedAfter(change, limit);
    }

    @Override
    public void putCondition(GpuCondition condition) {
        conditions.put(condition.gpu().toString(), condition);
    }

    @Override
    public Optional<GpuCondition> condition(GpuId gpu) {
        return conditions.find(gpu.toString());
    }

    @Override
    public void putHost(Host host, Answer answer) {
        together("keep host " + host.id(), answer, connection -> {
            hosts.put(connection, host.id().value(), host);
            return host;
        });
    }

    @Override
    public void putListing(Listing listing, Answer answer) {
        together("keep listing " + listing.id(), answer, connection -> {
            listings.put(connection, listing.id().value(), listing);
            return listing;
        });
    }

    @Override
    public void putCondition(GpuCondition condition, Answer answer) {
        together("keep the condition of gpu " + condition.gpu(), answer, connection -> {
            conditions.put(connection, condition.gpu().toString(), condition);
            return condition;
        });
    }

    @Override
    public void putQuote(Quote quote) {
        quotes.put(quote);
    }

    @Override
    public void putQuote(Quote quote, Answer answer) {
        together("keep quote " + quote.id(), answer, connection -> {
            quotes.add(connection, quote);
            return quote;
        });
    }

    @Override
    public void putQuote(Quote quote, long change) {
        switch (database.dialect()) {
            case PostgresDialect postgres -> quotes.putOpen(quote, change);
            case SqliteDialect sqlite -> {
                Preconditions.open(this, quote, change);
                quotes.put(quote);
            }
        }
    }

    @Override
    public void putQuote(Quote quote, long change, Answer answer) {
        Preconditions.open(this, quote, change);
        putQuote(quote, answer);
    }

    @Override
    public int pruneQuotes(Instant before, int limit) {
        Preconditions.limit(limit);
        return quotes.prune(before, limit);
    }

    @Override
    public Optional<Answer> answer(Account caller, IdempotencyKey key) {
        return answers.find(caller, key);
    }

    @Override
    public void putAnswer(Answer answer) {
        together("keep an answer", answer, connection -> answer);
    }

    @Override
    public int pruneAnswers(Instant before, int limit) {
        Preconditions.limit(limit);
        return answers.prune(before, limit);
    }

    /** Does work and keeps the answer to the request for it, all or nothing. */
    private <T> void together(String what, Answer answer, Database.Work<T> work) {
        database.transaction(what, connection -> {
            // First, so that the same key at the same time waits here and not with something half done.
            answers.put(connection, answer);
            return work.on(connection);
        });
    }

    @Override
    public Optional<Quote> quote(RentalId id) {
        return quotes.find(id);
    }

    @Override
    public void append(Recorded event) {
        Preconditions.storable(event);
        settling(event, () -> appends.append(event));
    }

    @Override
    public void begin(Recorded first, long change) {
        Preconditions.storable(first);
        settling(first, () -> appends.begin(first, change));
    }

    @Override
    public void begin(Recorded first, long change, Answer answer) {
        Preconditions.storable(first);
        settling(
                first,
                () -> together("begin rental " + first.after().id(), answer, connection -> {
                    appends.begin(connection, first, change);
                    return first;
                }));
    }

    @Override
    public void append(List<Recorded> events) {
        if (events.size() == 1) {
            append(events.getFirst());
            return;
        }
        Preconditions.storable(events);
        settling(
                events.getLast(), () -> database.transaction(appending(events), connection -> run(connection, events)));
    }

    @Override
    public void append(List<Recorded> events, Answer answer) {
        Preconditions.storable(events);
        settling(events.getLast(), () -> together(appending(events), answer, connection -> run(connection, events)));
    }

    private static String appending(List<Recorded> events) {
        return "append %d of rental %s"
                .formatted(events.size(), events.getFirst().after().id());
    }

    private List<Recorded> run(Connection connection, List<Recorded> events) throws SQLException {
        for (Recorded event : events) {
            new AppendTransaction(connection, database.dialect(), timers, event).run();
        }
        return events;
    }

    private void settling(Recorded event, Runnable append) {
        RuntimeException refusal = null;
        try {
            append.run();
        } catch (RuntimeException e) {
            refusal = e;
            throw e;
        } finally {
            lanes.settle(event.after(), refusal);
        }
    }

    @Override
    public Optional<Rental> rental(RentalId id) {
        List<Recorded> history = history(id);
        return history.isEmpty()
                ? Optional.empty()
                : Optional.of(history.getLast().after());
    }

    @Override
    public long version(RentalId id) {
        return rentals.version(id);
    }

    @Override
    public List<Recorded> history(RentalId id) {
        return histories.of(id).stream().map(Stored::recorded).toList();
    }

    @Override
    public List<Rental> inStates(Set<RentalState> states, Position after, int limit) {
        Preconditions.limit(limit);
        return rentals.inStates(states, after, limit);
    }

    @Override
    public List<Rental> of(Account party, Position before, int limit) {
        Preconditions.limit(limit);
        return rentals.of(party, before, limit);
    }

    @Override
    public List<Rental> stuck(int limit) {
        Preconditions.limit(limit);
        return rentals.stuck(limit);
    }

    @Override
    public void putMaintenance(Maintenance maintenance) {
        maintenances.put(maintenance);
    }

    @Override
    public void putMaintenance(Maintenance maintenance, Answer answer) {
        together("keep maintenance " + maintenance.name(), answer, connection -> {
            maintenances.put(connection, maintenance);
            return maintenance;
        });
    }

    @Override
    public boolean removeMaintenance(HostId host, String name) {
        return maintenances.remove(host, name);
    }

    @Override
    public boolean removeMaintenance(HostId host, String name, Answer answer) {
        return database.transaction("remove maintenance " + name, connection -> {
            // The answer after it, for only then it is known; of two at the same time the other waits for the row.
            boolean removed = maintenances.remove(connection, host, name);
            if (removed) {
                answers.put(connection, answer);
            }
            return removed;
        });
    }

    @Override
    public List<Maintenance> maintenances(HostId host) {
        return maintenances.of(List.of(host));
    }

    @Override
    public List<Maintenance> maintained(Collection<HostId> hosts) {
        Preconditions.names(hosts);
        return maintenances.of(hosts);
    }

    @Override
    public void saw(RentalId id, Instant at) {
        sightings.put(id, at);
    }

    @Override
    public Optional<Instant> lastSaw(RentalId id) {
        return sightings.find(id);
    }

    @Override
    public boolean isFree(List<GpuId> gpus, Window window) {
        return rentals.isFree(gpus, window);
    }

    @Override
    public long lastBookingChange() {
        return feed.lastChange();
    }

    @Override
    public List<BookingChange> bookingChangesAfter(long change, int limit) {
        Preconditions.limit(limit);
        return feed.changesAfter(change, limit);
    }

    @Override
    public List<Booked> booked(Collection<String> bookings) {
        Preconditions.names(bookings);
        return feed.booked(bookings);
    }

    @Override
    public List<Booked> bookedAfter(String booking, int limit) {
        Preconditions.limit(limit);
        return feed.bookedAfter(booking, limit);
    }

    @Override
    public long freeLane(Account lender) {
        return lanes.take(lender);
    }

    @Override
    public List<Recorded> unaudited(int limit) {
        Preconditions.limit(limit);
        return auditPlaces.unaudited(limit);
    }

    @Override
    public List<Recorded> unaudited(RentalId id) {
        return auditPlaces.unaudited(id);
    }

    @Override
    public void audited(List<Audited> places) {
        auditPlaces.note(places);
    }

    @Override
    public OptionalLong lastAudited(String log) {
        return auditPlaces.last(log);
    }

    @Override
    public long feedGeneration(Account party) {
        return feeds.of(party);
    }

    @Override
    public long raiseFeedGeneration(Account party) {
        return feeds.raise(party);
    }

    @Override
    public void raiseFeedGeneration(Account party, Answer answer) {
        together("raise a feed generation", answer, connection -> feeds.raise(connection, party));
    }

    @Override
    public Optional<Claim> claim(RentalId id) {
        return claims.claim(id);
    }

    @Override
    public Timers timers() {
        return timers;
    }

    @Override
    public void close() {
        timers.close();
        claims.close();
        onClose.run();
    }
}
