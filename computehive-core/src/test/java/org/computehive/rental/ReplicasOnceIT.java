package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Maintenance;
import org.computehive.market.Rate;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;
import org.computehive.store.PostgresServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two engines on one PostgreSQL: every command under one key from many threads of both, and after both were restarted. */
@Timeout(300)
class ReplicasOnceIT {
    private static final int THREADS = 8;
    private static final Amount MONEY = Amount.of(100_000_000);
    private static final Fault POWER_CUT = new Fault(Fault.Blame.PLATFORM, "the power is cut");
    private static final RentalPolicy POLICY = new RentalPolicy(
            Duration.ofMinutes(10),
            Duration.ofMinutes(5),
            Duration.ofMinutes(2),
            Duration.ofMinutes(3),
            Duration.ofMillis(200),
            Duration.ofMillis(200));
    private static PostgresServer server;

    /** It goes on, for who finds a rental claimed by the other comes back later; and the test sets it forward. */
    private volatile InstantSource time =
            InstantSource.offset(InstantSource.system(), Duration.between(Instant.now(), Sample.NOW));

    private final InstantSource clock = () -> time.instant();
    private final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    private final InMemoryHypervisor hypervisor = InMemoryHypervisor.withGpus(2, "demo");
    private final InMemoryAccess access = new InMemoryAccess(clock);
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(MONEY);
    private final InMemoryEscrow.Party operator = escrow.party(Amount.ZERO);
    private final List<InMemoryAuditLog> logs = Stream.of("one.example", "two.example")
            .map(name -> new InMemoryAuditLog(NoteKey.generate(name)))
            .toList();
    private final List<Asked<?>> asked = new ArrayList<>();
    private String url;
    private List<RentalEngine> engines;
    private List<JdbcStore> stores;

    /** A command under a key, and what was answered to it. */
    private record Asked<T>(Account caller, IdempotencyKey key, Function<RentalCommands, T> command, T answer) {}

    @BeforeAll
    static void startServer() throws Exception {
        server = PostgresServer.start();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void openBoth() throws Exception {
        url = server.createDatabase();
        open();
    }

    private void open() {
        stores = Stream.generate(() -> JdbcStore.postgres(url, server.user(), server.password(), clock))
                .limit(logs.size())
                .toList();
        engines = new ArrayList<>();
        for (int i = 0; i < logs.size(); i++) {
            engines.add(RentalEngine.builder()
                    .store(stores.get(i))
                    .escrow(escrow)
                    .access(access)
                    .priceAdvisor(request -> {
                        throw new AssertionError("nobody asked for a suggestion");
                    })
                    .auditLog(logs.get(i))
                    .notifier(notice -> {})
                    .clock(clock)
                    .policy(POLICY)
                    .build());
        }
        engines.forEach(engine -> engine.registerHost(Sample.HOST, lender.account(), hypervisor));
        engines.forEach(RentalEngine::start);
    }

    @AfterEach
    void closeBoth() {
        engines.forEach(RentalEngine::close);
    }

    @Test
    void everyCommand_underOneKeyOnBothReplicasAtOnce_happensOnce_andIsAnsweredTheSameAfterARestart() throws Exception {
        Host host = once(lender, engine -> engine.registerHost(Sample.HOST, lender.account(), hypervisor));
        once(lender, engine -> engine.list(listing(host)));

        RentalId cancelled = reserved(0);
        once(renter, engine -> engine.cancel(cancelled, renter.account()));
        RentalId ended = endedByTheRenter(1);
        RentalId released = endedByTheOperator(2);
        RentalId calledOff = funded(3);
        releaseAll(calledOff);
        maintenance();

        for (RentalId id : List.of(ended, released, calledOff)) {
            await(
                    id,
                    rental -> rental.state() == RentalState.SETTLED
                            && rental.invitationDue().isEmpty());
        }
        checkEffects(List.of(cancelled, ended, released, calledOff));
        assertEquals(1, count(cancelled, RentalEvent.Cancelled.class));

        List<Long> versions = versions();
        closeBoth();
        open();
        for (Asked<?> each : asked) {
            checkAgain(each);
        }
        assertEquals(versions, versions(), "nothing happened twice");
    }

    private Listing listing(Host host) {
        return Listing.of(
                Sample.listing().id(), host, new MachineShape(1, 256, 64, "demo"), Sample.TOKEN, Rate.of(100));
    }

    private Window window(int day) {
        return Window.of(Sample.WINDOW.start().plus(Duration.ofDays(day)), Duration.ofHours(1));
    }

    private RentalId reserved(int day) throws Exception {
        Quote quote = once(
                renter,
                engine -> engine.quote(
                        renter.account(), new ListingId(Sample.listing().id().value()), window(day)));
        RentalId id = once(renter, engine -> engine.reserve(quote.id(), renter.account()))
                .id();
        assertEquals(1, count(id, RentalEvent.Reserved.class));
        return id;
    }

    private RentalId funded(int day) throws Exception {
        RentalId id = reserved(day);
        pay(id);
        await(
                id,
                rental -> rental.state() == RentalState.FUNDED
                        && rental.invitationDue().isEmpty());
        assertEquals(1, count(id, RentalEvent.OfferSigned.class));
        return id;
    }

    /** Signs and funds the offer that waits for it. */
    private void pay(RentalId id) throws Exception {
        EscrowOffer offer = await(id, rental -> rental.offerToSign().isPresent())
                .offerToSign()
                .orElseThrow();
        Signature signature = lender.sign(offer.digest());
        once(lender, engine -> engine.signOffer(id, signature));
        renter.open(offer, signature);
    }

    private RentalId endedByTheRenter(int day) throws Exception {
        RentalId id = funded(day);
        String line = HostKeyPair.generate().publicKey().line();
        once(renter, engine -> engine.issueCertificate(id, renter.account(), line));
        assertEquals(1, count(id, RentalEvent.CertificateIssued.class));

        Instant later = window(day).end().plus(Duration.ofHours(1));
        Quote more = once(renter, engine -> engine.quoteExtension(id, renter.account(), later));
        once(renter, engine -> engine.extend(id, renter.account(), more.id()));
        assertEquals(1, count(id, RentalEvent.OfLeg.Held.class));
        pay(id);
        await(id, rental -> rental.window().end().equals(later));

        passTo(window(day).start());
        await(id, RentalState.ACTIVE);
        passTo(window(day).start().plusSeconds(600));
        once(renter, engine -> engine.end(id, renter.account()));
        assertEquals(1, count(id, RentalEvent.Ending.class));
        await(id, RentalState.ENDED);
        for (InMemoryEscrow.Party party : List.of(renter, lender)) {
            List<Signature> signatures = engines.getFirst().receiptsToSign(id).stream()
                    .map(receipt -> party.sign(receipt.digest()))
                    .toList();
            once(party, engine -> engine.signReceipts(id, party.account(), signatures));
        }
        Rental settled = await(id, RentalState.SETTLED);
        assertEquals(2, settled.legs().size());
        assertEquals(2, count(id, RentalEvent.Settled.class) + count(id, RentalEvent.OfLeg.Settled.class));
        return id;
    }

    private RentalId endedByTheOperator(int day) throws Exception {
        RentalId id = funded(day);
        Instant at = window(day).start().plus(Duration.ofMinutes(30));
        once(lender, engine -> engine.reclaim(id, lender.account(), at));
        assertEquals(1, count(id, RentalEvent.ReclaimAnnounced.class));

        Rental known = await(id, rental -> rental.invitationDue().isEmpty());
        var stuck = new RentalEvent.Stuck(clock.instant(), RentalEffect.Step.SWEEP, "its host is away");
        stores.getFirst()
                .append(new RentalStore.Recorded(known.after(stuck), stuck, "00".repeat(32), Optional.empty()));
        once(operator, engine -> engine.resume(id, "the host is back"));
        assertEquals(1, count(id, RentalEvent.Resumed.class));

        passTo(window(day).start());
        await(id, RentalState.ACTIVE);
        passTo(window(day).start().plusSeconds(600));
        once(operator, engine -> engine.endByOperator(id, POWER_CUT));
        assertEquals(1, count(id, RentalEvent.EndedByOperator.class));
        await(id, RentalState.ENDED);
        releaseAll(id);
        return id;
    }

    private void releaseAll(RentalId id) throws Exception {
        List<Signature> signatures = engines.getFirst().releasesToSign(id).stream()
                .map(release -> lender.sign(release.digest()))
                .toList();
        once(lender, engine -> engine.signReleases(id, signatures));
        assertEquals(1, count(id, RentalEvent.ReleaseSigned.class));
        await(id, RentalState.SETTLED);
    }

    private void maintenance() throws Exception {
        List<GpuId> gpus = engines.getFirst().listing(Sample.listing().id()).gpus();
        once(lender, engine -> engine.releaseGpu(gpus.getFirst(), Sample.OPERATOR, "cleaned"));
        var fans = new Maintenance(Sample.HOST, "fans", gpus, window(9), "new fans");
        once(lender, engine -> engine.block(lender.account(), fans));
        assertEquals(List.of(fans), engines.getLast().maintenances(lender.account(), Sample.HOST));
        boolean removed = once(lender, engine -> engine.unblock(lender.account(), Sample.HOST, "fans"));
        assertTrue(removed);
        assertEquals(List.of(), engines.getLast().maintenances(lender.account(), Sample.HOST));
        // What takes effect is noted before it does, so whoever was about to do the same may have noted it too.
        for (String type : List.of("gpu.released", "maintenance.set", "maintenance.removed")) {
            assertTrue(entries().stream().anyMatch(entry -> entry.type().equals(type)), type);
        }
    }

    // ---- one key

    /** Asks both engines at the same instant, from several threads each, under one new key. Returns the one answer. */
    private <T> T once(InMemoryEscrow.Party caller, Function<RentalCommands, T> command) throws Exception {
        var key = new IdempotencyKey("key-" + asked.size());
        T answer = answerOfAll(caller.account(), key, command);
        asked.add(new Asked<>(caller.account(), key, command, answer));
        return answer;
    }

    private <T> void checkAgain(Asked<T> before) throws Exception {
        assertEquals(before.answer(), answerOfAll(before.caller(), before.key(), before.command()));
    }

    private <T> T answerOfAll(Account caller, IdempotencyKey key, Function<RentalCommands, T> command)
            throws Exception {
        var answers = new HashSet<T>();
        try (var pool = Executors.newFixedThreadPool(THREADS)) {
            var together = new CyclicBarrier(THREADS);
            var futures = new ArrayList<Future<T>>();
            for (int i = 0; i < THREADS; i++) {
                RentalCommands engine = engines.get(i % engines.size()).once(caller, key);
                futures.add(pool.submit(() -> {
                    together.await(60, TimeUnit.SECONDS);
                    return command.apply(engine);
                }));
            }
            for (Future<T> future : futures) {
                answers.add(future.get(60, TimeUnit.SECONDS));
            }
        }
        assertEquals(1, answers.size(), answers::toString);
        return answers.iterator().next();
    }

    // ---- what came of it

    private void checkEffects(List<RentalId> ids) {
        assertEquals(
                Set.copyOf(ids),
                Set.copyOf(engines.getFirst().rentals(renter.account()).stream()
                        .map(Rental::id)
                        .toList()));
        assertEquals(List.of(), hypervisor.list());
        Rental ended = stores.getFirst().rental(ids.get(1)).orElseThrow();
        assertTrue(ended.used().isPositive(), ended.used().toString());
        assertEquals(Rate.of(100).cost(ended.used()), lender.balance(), "paid once, and of the others nothing");
        assertEquals(MONEY, lender.balance().plus(renter.balance()));
        for (InMemoryAuditLog log : logs) {
            List<String> own = numbered(log).toList();
            assertEquals(own.size(), Set.copyOf(own).size(), "no event is in one log twice");
        }
        Set<String> logged = new HashSet<>();
        logs.forEach(log -> numbered(log).forEach(logged::add));
        assertEquals(versions().stream().mapToLong(version -> version).sum(), logged.size());
    }

    private List<AuditEntry> entries() {
        return logs.stream()
                .flatMap(log -> log.entries(0, log.size()).stream())
                .map(AuditEntry::parse)
                .toList();
    }

    private static Stream<String> numbered(InMemoryAuditLog log) {
        return log.entries(0, log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isPresent())
                .map(entry ->
                        entry.rental().orElseThrow() + " " + entry.number().orElseThrow());
    }

    private List<Long> versions() {
        return engines.getFirst().rentals(renter.account()).stream()
                .map(Rental::version)
                .toList();
    }

    private long count(RentalId id, Class<? extends RentalEvent> kind) {
        return stores.getFirst().history(id).stream()
                .filter(recorded -> kind.isInstance(recorded.event()))
                .count();
    }

    private void passTo(Instant instant) {
        time = InstantSource.offset(time, Duration.between(clock.instant(), instant));
        stores.forEach(store -> store.timers().hurry());
    }

    private Rental await(RentalId id, RentalState state) {
        return await(id, rental -> rental.state() == state);
    }

    /** Whichever engine gets it there. */
    private Rental await(RentalId id, Predicate<Rental> condition) {
        return (Rental) CompletableFuture.anyOf(engines.stream()
                        .map(engine -> engine.when(id, condition))
                        .toArray(CompletableFuture<?>[]::new))
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }
}
