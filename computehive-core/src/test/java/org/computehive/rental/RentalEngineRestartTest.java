package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One rental over several runs of the engine on one SQLite file; chain, host and log live on between them. */
class RentalEngineRestartTest {
    private static final RentalPolicy POLICY = new RentalPolicy(
            Duration.ofMinutes(1),
            Duration.ofMinutes(1),
            Duration.ofMinutes(1),
            Duration.ofMinutes(1),
            Duration.ofMillis(200),
            Duration.ofMillis(200));

    @TempDir
    Path folder;

    private final InstantSource clock = InstantSource.system();
    private final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    private final InMemoryHypervisor hypervisor = InMemoryHypervisor.withImages("demo");
    private final AuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example"));
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(Amount.of(1_000_000));

    /** One run of the engine, with a gateway that knows nothing of earlier ones. */
    private final class Run implements AutoCloseable {
        final InMemoryAccess access = new InMemoryAccess(clock);
        final JdbcStore store = JdbcStore.sqlite(folder.resolve("rentals.sqlite"), clock);
        final RentalEngine engine = RentalEngine.builder()
                .store(store)
                .escrow(escrow)
                .access(access)
                .priceAdvisor(request -> {
                    throw new AssertionError("nobody asked for a suggestion");
                })
                .auditLog(log)
                .notifier(notice -> {})
                .clock(clock)
                .policy(POLICY)
                .build();
        final Host host = engine.registerHost(Sample.HOST, lender.account(), hypervisor);

        Run() {
            engine.start();
        }

        Rental await(RentalId id, RentalState state) {
            return engine.when(id, rental -> rental.state() == state)
                    .orTimeout(30, TimeUnit.SECONDS)
                    .join();
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    private Listing listing(Host host) {
        return new Listing(
                Sample.listing().id(),
                lender.account(),
                host.id(),
                List.of(new GpuId(host.id(), host.gpus().getFirst().address())),
                new MachineShape(1, 256, 64, "demo"),
                Sample.TOKEN,
                Rate.of(1),
                Rate.of(100),
                Rate.of(100),
                Availability.always(),
                new Listing.Rules(
                        Duration.ofSeconds(1),
                        Duration.ofDays(1),
                        Duration.ofSeconds(1),
                        Duration.ofMinutes(2),
                        Duration.ZERO),
                Assurance.ISOLATED,
                host.gpus().getFirst().emulated());
    }

    @Test
    void rental_goesOn_throughRestartsInEveryPhase() {
        RentalId id;
        try (Run first = new Run()) {
            first.engine.list(listing(first.host));
            Instant start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(2);
            Quote quote = first.engine.quote(
                    renter.account(), Sample.listing().id(), Window.of(start, Duration.ofMinutes(10)));
            id = first.engine.reserve(quote.id(), renter.account()).id();
            EscrowOffer offer = first.engine
                    .when(id, rental -> rental.offer().isPresent())
                    .orTimeout(30, TimeUnit.SECONDS)
                    .join()
                    .offer()
                    .orElseThrow();
            first.engine.signOffer(id, lender.sign(offer.digest()));
        }
        // Funded while no engine ran: the next run finds out.
        Rental reserved = stored(id);
        renter.open(reserved.offer().orElseThrow(), reserved.offerSignature().orElseThrow());
        try (Run second = new Run()) {
            second.await(id, RentalState.ACTIVE);
            assertTrue(second.access.enter(id).isPresent());
        }
        assertEquals(1, hypervisor.list().size(), "the VM runs on without an engine");
        try (Run third = new Run()) {
            assertTrue(third.access.enter(id).isPresent(), "the new gateway knows the lease");
            third.engine.end(id, renter.account());
            third.await(id, RentalState.ENDED);
            var receipt = third.engine.receiptToSign(id);
            third.engine.signReceipt(id, renter.account(), renter.sign(receipt));
            third.engine.signReceipt(id, lender.account(), lender.sign(receipt));
        }
        try (Run fourth = new Run()) {
            Rental settled = fourth.await(id, RentalState.SETTLED);
            assertEquals(settled.due(), lender.balance());
            assertEquals(Amount.of(1_000_000), lender.balance().plus(renter.balance()));
            assertEquals(List.of(), hypervisor.list());
            long logged = log.entries(0, log.size()).stream()
                    .map(AuditEntry::parse)
                    .filter(entry -> entry.number().isPresent())
                    .count();
            assertEquals(settled.version(), logged, "each event is in the log once");
        }
    }

    @Test
    void clockThatJumps_isNoticed_andWhatIsDueByItIsDone() throws Exception {
        var jumped = new CompletableFuture<AuditEntry>();
        var offset = new AtomicReference<>(Duration.ZERO);
        InstantSource settable = () -> clock.instant().plus(offset.get());
        AuditLog heard = (AuditLog) Proxy.newProxyInstance(
                AuditLog.class.getClassLoader(), new Class<?>[] {AuditLog.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(log, arguments);
                    if (method.getName().equals("append") && arguments[0] instanceof byte[] bytes) {
                        AuditEntry entry = AuditEntry.parse(bytes);
                        if (entry.type().equals("clock.jumped")) {
                            jumped.complete(entry);
                        }
                    }
                    return result;
                });
        RentalEngine engine = RentalEngine.builder()
                .store(JdbcStore.sqlite(folder.resolve("rentals.sqlite"), settable))
                .escrow(escrow)
                .access(new InMemoryAccess(settable))
                .auditLog(heard)
                .notifier(notice -> {})
                .clock(settable)
                .monotonic(System::nanoTime)
                .policy(POLICY)
                .build();
        try (engine) {
            Host host = engine.registerHost(Sample.HOST, lender.account(), hypervisor);
            engine.list(listing(host));
            engine.start();
            Instant start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3600);
            RentalId id = engine.quote(
                            renter.account(), Sample.listing().id(), Window.of(start, Duration.ofMinutes(10)))
                    .id();
            engine.reserve(id, renter.account());
            offset.set(Duration.ofHours(2));
            assertTrue(jumped.get(30, TimeUnit.SECONDS).rental().isEmpty());
            engine.when(id, RentalState.EXPIRED).get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void windowThatPassedWhileNoEngineRan_isEndedByTheNext_andItsVmGoes() throws Exception {
        RentalId id;
        try (Run first = new Run()) {
            first.engine.list(listing(first.host));
            Instant start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(2);
            id = first.engine
                    .quote(renter.account(), Sample.listing().id(), Window.of(start, Duration.ofSeconds(3)))
                    .id();
            first.engine.reserve(id, renter.account());
            EscrowOffer offer = first.engine
                    .when(id, rental -> rental.offer().isPresent())
                    .orTimeout(30, TimeUnit.SECONDS)
                    .join()
                    .offer()
                    .orElseThrow();
            Rental signed = first.engine.signOffer(id, lender.sign(offer.digest()));
            renter.open(offer, signed.offerSignature().orElseThrow());
            first.await(id, RentalState.ACTIVE);
        }
        Instant end = stored(id).terms().window().end();
        var over = new CountDownLatch(1);
        CompletableFuture.delayedExecutor(Duration.between(clock.instant(), end).toMillis() + 1, TimeUnit.MILLISECONDS)
                .execute(over::countDown);
        assertTrue(over.await(30, TimeUnit.SECONDS));
        try (Run second = new Run()) {
            Rental ended = second.await(id, RentalState.SETTLED);
            assertEquals(RentalEvent.EndCause.WINDOW_OVER, ended.endCause().orElseThrow());
            assertEquals(List.of(), hypervisor.list());
        }
    }

    @Test
    void storeRestoredFromBeforeTheLog_isNoticed_andNamesWhatIsMissing() {
        Path backup = folder.resolve("backup.sqlite");
        RentalId id;
        try (Run run = new Run()) {
            run.engine.list(listing(run.host));
            run.store.backup(backup);
            Instant start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(600);
            id = run.engine
                    .quote(renter.account(), Sample.listing().id(), Window.of(start, Duration.ofMinutes(10)))
                    .id();
            run.engine.reserve(id, renter.account());
        }
        try (Run same = new Run()) {
            assertEquals(1, same.engine.rentals(renter.account()).size(), "the store itself fits its log");
        }
        long size = log.size();
        try (JdbcStore restored = JdbcStore.sqlite(backup, clock)) {
            RentalEngine engine = RentalEngine.builder()
                    .store(restored)
                    .escrow(escrow)
                    .access(new InMemoryAccess(clock))
                    .auditLog(log)
                    .notifier(notice -> {})
                    .clock(clock)
                    .policy(POLICY)
                    .build();
            var refused = assertThrows(AuditMismatchException.class, engine::start);
            assertTrue(refused.getMessage().contains("version 1 of rental " + id), refused.getMessage());
            assertTrue(refused.getMessage().contains("restore a newer one"), refused.getMessage());
        }
        assertEquals(size, log.size(), "nothing was added to the log");
    }

    @Test
    void logThatIsShorterThanTheStoreSays_isNoticed() {
        try (Run run = new Run()) {
            run.engine.list(listing(run.host));
            Instant start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(600);
            RentalId id = run.engine
                    .quote(renter.account(), Sample.listing().id(), Window.of(start, Duration.ofMinutes(10)))
                    .id();
            run.engine.reserve(id, renter.account());
        }
        try (JdbcStore store = JdbcStore.sqlite(folder.resolve("rentals.sqlite"), clock)) {
            RentalEngine engine = RentalEngine.builder()
                    .store(store)
                    .escrow(escrow)
                    .access(new InMemoryAccess(clock))
                    .auditLog(new InMemoryAuditLog(NoteKey.generate("test.example")))
                    .notifier(notice -> {})
                    .clock(clock)
                    .policy(POLICY)
                    .build();
            var refused = assertThrows(AuditMismatchException.class, engine::start);
            assertTrue(refused.getMessage().contains("put back the whole log"), refused.getMessage());
        }
    }

    private Rental stored(RentalId id) {
        try (JdbcStore store = JdbcStore.sqlite(folder.resolve("rentals.sqlite"), clock)) {
            return store.rental(id).orElseThrow();
        }
    }
}
