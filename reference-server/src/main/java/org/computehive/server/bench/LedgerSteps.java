package org.computehive.server.bench;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.Verifier;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.Quote;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;

/**
 * A reservation on SQLite with its entry in the audit log against one bare SQL insert that is as durable; the audit log's
 * verification against {@code sha256sum} over the same files.
 */
final class LedgerSteps {
    private static final int RESERVATIONS = 41;
    private static final int ENTRIES = 5_000;
    private static final int APPENDERS = 64;
    private static final int VERIFICATIONS = 7;

    /**
     * An insert forces the disk once. A reservation does so three times, one after the other: the event with its check for
     * overlap, the audit entry, and the note where that entry lies; and it reads before it writes.
     */
    private static final double RESERVE_GOAL = 6;
    /** sha256sum reads each byte once. The verifier also hashes each entry and rebuilds the tree, but starts no process. */
    private static final double VERIFY_GOAL = 2;

    private final Path folder;

    LedgerSteps(Stage stage) {
        this.folder = stage.folder();
    }

    List<Figure> run(Consumer<String> progress) throws Exception {
        var figures = new ArrayList<Figure>();
        figures.add(DemoSteps.figure("reserve-seconds", reservations(), RESERVE_GOAL));
        progress.accept("reservations made; verifying an audit log of %d entries".formatted(ENTRIES));
        figures.add(DemoSteps.figure("audit-verify-seconds", verifications(), VERIFY_GOAL));
        return figures;
    }

    private Rounds.Medians reservations() throws Exception {
        var clock = InstantSource.system();
        var token = new Token(Account.ZERO, "USD", 6, true);
        var escrow = new InMemoryEscrow(token, clock); // a reservation doesn't touch it
        var lender = escrow.party(Amount.ZERO);
        var renter = escrow.party(Amount.ZERO);
        String url = "jdbc:sqlite:" + folder.resolve("by-hand.sqlite");
        try (var log = FileAuditLog.open(Files.createDirectories(folder.resolve("log")), NoteKey.generate("bench"));
                var engine = RentalEngine.builder()
                        .store(JdbcStore.sqlite(folder.resolve("rentals.sqlite"), clock))
                        .escrow(escrow)
                        .access(new InMemoryAccess(clock))
                        .priceAdvisor(TribuoPriceAdvisor.bundled())
                        .auditLog(log)
                        .notifier(notice -> {})
                        .build();
                Connection connection = DriverManager.getConnection(url);
                Statement setUp = connection.createStatement()) {
            setUp.execute("PRAGMA journal_mode=WAL");
            setUp.execute("PRAGMA synchronous=FULL");
            setUp.execute(
                    "CREATE TABLE rental (id TEXT PRIMARY KEY, gpu TEXT, start INTEGER, finish INTEGER, body TEXT)");
            var host =
                    engine.registerHost(new HostId("host-1"), lender.account(), InMemoryHypervisor.withImages("demo"));
            var shape = new MachineShape(1, 512, 64, "demo");
            Listing listing = engine.list(Listing.of(new ListingId("gpu-1"), host, shape, token, Rate.of(100)));
            Instant first = clock.instant().truncatedTo(ChronoUnit.SECONDS).plus(Duration.ofDays(1));
            var next = new AtomicLong();
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO rental VALUES (?, ?, ?, ?, ?)")) {
                return Rounds.of(
                        10,
                        RESERVATIONS,
                        () -> {
                            Instant start = first.plus(Duration.ofHours(2 * next.getAndIncrement()));
                            Quote quote =
                                    engine.quote(renter.account(), listing.id(), Window.of(start, Duration.ofHours(1)));
                            return Rounds.seconds(() -> engine.reserve(quote.id(), renter.account()));
                        },
                        () -> Rounds.seconds(() -> {
                            insert.setString(1, UUID.randomUUID().toString());
                            insert.setString(2, "host-1/0000:41:00.0");
                            insert.setLong(3, first.getEpochSecond());
                            insert.setLong(4, first.getEpochSecond() + 3_600);
                            insert.setString(5, "x".repeat(1_000));
                            insert.executeUpdate();
                        }));
            }
        }
    }

    private Rounds.Medians verifications() throws Exception {
        Path at = Files.createDirectories(folder.resolve("verified"));
        NoteKey key = NoteKey.generate("bench");
        try (var log = FileAuditLog.open(at, key)) {
            fill(log);
            log.publish();
        }
        var command = new ArrayList<>(List.of(Programs.find("sha256sum", "coreutils")));
        try (Stream<Path> files = Files.walk(at)) {
            files.filter(Files::isRegularFile).map(Path::toString).forEach(command::add);
        }
        var verifier = new Verifier(key.verifierKey());
        return Rounds.of(
                3,
                VERIFICATIONS,
                () -> Rounds.seconds(() -> {
                    if (!verifier.verify(at).holds()) {
                        throw new IllegalStateException("the audit log does not verify");
                    }
                }),
                () -> Rounds.seconds(() -> Programs.run(folder, command)));
    }

    private static void fill(FileAuditLog log) throws Exception {
        byte[] payload = "x".repeat(200).getBytes(StandardCharsets.UTF_8);
        byte[] salt = new byte[AuditEntry.SALT_BYTES];
        var work = new ArrayList<Callable<Long>>();
        for (int i = 0; i < ENTRIES; i++) {
            Instant when = Instant.ofEpochSecond(1_800_000_000L + i);
            work.add(() -> log.append(
                    AuditEntry.commit("bench.entry", when, payload, salt).bytes()));
        }
        try (var pool = Executors.newFixedThreadPool(APPENDERS)) {
            for (var done : pool.invokeAll(work)) {
                done.get();
            }
        }
    }
}
