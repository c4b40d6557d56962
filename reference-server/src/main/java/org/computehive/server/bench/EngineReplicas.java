package org.computehive.server.bench;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalStore;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Availability;
import org.computehive.server.platform.TemporaryPostgres;
import org.computehive.store.JdbcStore;

/**
 * Engines with a connection pool and an audit log of their own each, on one PostgreSQL, as replicas in as many processes
 * would be. They are not started, so that what follows a booking (the offer, the hold's end) is not measured with it.
 */
final class EngineReplicas implements AutoCloseable {
    private static final Token TOKEN = new Token(new Account("0x%040x".formatted(0xdd)), "dUSD", 6, true);
    private static final Rate PRICE = Rate.of(100);
    private static final Amount MOST = PRICE.cost(Duration.ofDays(1));
    private static final MachineShape SHAPE = new MachineShape(1, 256, 64, "demo");

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<RentalEngine> engines = new ArrayList<>();
    private final List<RentalStore> stores = new ArrayList<>();
    private final List<FileAuditLog> logs = new ArrayList<>();
    private final String url;
    private final TemporaryPostgres postgres;

    EngineReplicas(TemporaryPostgres postgres, int count, Path folder) throws Exception {
        this.postgres = postgres;
        this.url = postgres.createDatabase();
        InstantSource clock = InstantSource.system();
        for (int i = 0; i < count; i++) {
            var log = FileAuditLog.open(
                    folder.resolve("audit-" + i), NoteKey.generate("bench.computehive.example/replica-" + i));
            opened.push(log);
            logs.add(log);
            JdbcStore store = JdbcStore.postgres(url, postgres.user(), postgres.password(), clock);
            RentalEngine engine = RentalEngine.builder()
                    .store(store)
                    .escrow(new InMemoryEscrow(TOKEN, clock))
                    .access(new InMemoryAccess(clock))
                    .priceAdvisor(request -> {
                        throw new UnsupportedOperationException("nobody asks for a price here");
                    })
                    .notifier(notice -> {})
                    .auditLog(log)
                    .clock(clock)
                    .build();
            opened.push(engine);
            engines.add(engine);
            stores.add(store);
            if (i == 0) {
                IntStream.range(0, BookingMix.HOSTS).forEach(host -> list(engine, store, host));
            }
        }
    }

    private static void list(RentalEngine engine, JdbcStore store, int number) {
        Host one = engine.registerHost(
                BookingMix.host(number), BookingMix.lender(number), InMemoryHypervisor.withImages("demo"));
        List<Gpu> gpus = IntStream.range(0, BookingMix.GPUS_PER_HOST)
                .mapToObj(gpu -> new Gpu(
                        BookingMix.address(gpu),
                        "10de",
                        "2330",
                        "NVIDIA H100 SXM 80GB",
                        81_559,
                        OptionalInt.of(gpu),
                        false,
                        Optional.empty()))
                .toList();
        store.putHost(new Host(
                one.id(),
                one.lender(),
                one.cpus(),
                one.memoryMiB(),
                gpus,
                one.acceleration(),
                one.assurance(),
                one.platform()));
        for (BookingMix.Offer offer : BookingMix.offers(number)) {
            engine.list(new Listing(
                    offer.id(),
                    one.lender(),
                    offer.host(),
                    offer.gpus(),
                    SHAPE,
                    TOKEN,
                    Rate.of(1),
                    Rate.of(1_000),
                    PRICE,
                    Availability.always(),
                    new Listing.Rules(
                            Duration.ofMinutes(15),
                            Duration.ofDays(1),
                            BookingMix.TURNOVER,
                            Duration.ofMinutes(15),
                            Duration.ofHours(1)),
                    Assurance.ISOLATED,
                    false));
        }
    }

    /**
     * Books as a renter's client does: in one step, or by a quote that it takes up.
     *
     * @return the rental; empty if a gpu was taken
     */
    Optional<Rental> book(int thread, BookingMix.Attempt attempt, boolean quoted) {
        RentalEngine engine = engines.get(thread % engines.size());
        Account renter = new Account("0x%040x".formatted(0x100_000 + thread));
        try {
            if (!quoted) {
                return Optional.of(engine.reserve(renter, attempt.offer().id(), attempt.window(), MOST));
            }
            Quote quote = engine.quote(renter, attempt.offer().id(), attempt.window());
            return Optional.of(engine.reserve(quote.id(), renter));
        } catch (RentalException.Overlap e) {
            return Optional.empty();
        }
    }

    /** Returns how many bookings of one gpu overlap, by a query that owes nothing to the constraint. */
    long overlaps() throws SQLException {
        return count("""
                SELECT count(*) FROM (SELECT starts, max(ends) OVER (PARTITION BY gpu ORDER BY starts, ends, rental
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM ch_bookings) b
                WHERE before > starts""");
    }

    long count(String sql) throws SQLException {
        return Long.parseLong(strings(sql).getFirst());
    }

    /** Returns a query's first column. */
    List<String> strings(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, postgres.user(), postgres.password());
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            var values = new ArrayList<String>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }

    /** Returns the rentals that the audit logs have events of, as often as they do. */
    List<String> logged() {
        return logs.stream()
                .flatMap(log -> log.entries(0, log.size()).stream())
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isPresent())
                .flatMap(entry -> entry.rental().stream())
                .toList();
    }

    /** Returns the first engine's store. */
    RentalStore store() {
        return stores.getFirst();
    }

    @Override
    public void close() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }
}
