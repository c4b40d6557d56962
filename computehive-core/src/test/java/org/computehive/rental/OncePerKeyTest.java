package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.AuditLog;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.GpuCondition;
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
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;
import org.computehive.store.JdbcStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every command twice under one key, over restarts and from many threads. */
@Timeout(120)
class OncePerKeyTest {
    @TempDir
    Path folder;

    private volatile Instant now = Sample.NOW;
    private final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, () -> now);
    private final InMemoryHypervisor hypervisor = InMemoryHypervisor.withImages("demo");
    private final AuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example"));
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(Amount.of(1_000_000));
    private RentalStore store;
    private RentalEngine engine;

    @BeforeEach
    void open() {
        store = JdbcStore.sqlite(folder.resolve("rentals.sqlite"), () -> now);
        engine = engine(store, Retention.DEFAULT);
        engine.list(listing(Rate.of(100)));
    }

    private RentalEngine engine(RentalStore rentals, Retention retention) {
        RentalEngine made = engineWithoutHosts(rentals, retention);
        made.registerHost(Sample.HOST, lender.account(), hypervisor);
        return made;
    }

    private RentalEngine engineWithoutHosts(RentalStore rentals, Retention retention) {
        return RentalEngine.builder()
                .store(rentals)
                .escrow(escrow)
                .access(new InMemoryAccess(() -> now))
                .priceAdvisor(request -> {
                    throw new AssertionError("nobody asked for a suggestion");
                })
                .auditLog(log)
                .notifier(notice -> {})
                .clock(() -> now)
                .policy(Sample.POLICY)
                .retention(retention)
                .build();
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private void restart() {
        engine.close();
        open();
    }

    private static IdempotencyKey key(String value) {
        return new IdempotencyKey(value);
    }

    private RentalCommands asRenter(String key) {
        return engine.once(renter.account(), key(key));
    }

    private RentalCommands asLender(String key) {
        return engine.once(lender.account(), key(key));
    }

    private Listing listing(Rate price) {
        Host host = engine.hosts().getFirst();
        return new Listing(
                Sample.listing().id(),
                lender.account(),
                host.id(),
                List.of(new GpuId(host.id(), host.gpus().getFirst().address())),
                new MachineShape(1, 256, 64, "demo"),
                Sample.TOKEN,
                Rate.of(1),
                Rate.of(1000),
                price,
                Availability.always(),
                Sample.listing().rules(),
                Assurance.ISOLATED,
                host.gpus().getFirst().emulated());
    }

    private Window window(int day) {
        return Window.of(Sample.WINDOW.start().plus(Duration.ofDays(day)), Duration.ofHours(1));
    }

    private Quote quoted(int day) {
        return engine.quote(renter.account(), Sample.listing().id(), window(day));
    }

    private Rental offered(int day) {
        Rental rental = engine.reserve(quoted(day).id(), renter.account());
        return appended(rental, new RentalEvent.OfferWritten(now, offerOf(rental)));
    }

    /** What the steps would do; here nothing runs by itself. */
    private Rental appended(Rental before, RentalEvent event) {
        Rental after = before.after(event);
        store.append(new RentalStore.Recorded(after, event, "00".repeat(32), Optional.empty()));
        return after;
    }

    private EscrowOffer offerOf(Rental rental) {
        RentalTerms terms = rental.terms();
        return escrow.offer(new Escrow.Terms(
                terms.lender(),
                BigInteger.valueOf(terms.lane()),
                terms.renter(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.holdUntil(),
                terms.spec(rental.id())));
    }

    private Rental funded(int day) {
        Rental offered = offered(day);
        Rental signed = engine.signOffer(
                offered.id(), lender.sign(offered.offer().orElseThrow().digest()));
        return appended(signed, new RentalEvent.Funded(now, signed.terms().deposit(), Sample.HASH));
    }

    private Rental active(int day) {
        Rental rental =
                appended(funded(day), new RentalEvent.Starting(window(day).start()));
        rental = appended(rental, new RentalEvent.MachineStarted(window(day).start(), Map.of("k", "6")));
        return appended(rental, new RentalEvent.Activated(window(day).start(), "SSH-2.0-test"));
    }

    @Test
    void quote_again_isTheSameQuote_alsoAfterARestart() {
        Quote first = asRenter("q").quote(renter.account(), Sample.listing().id(), window(0));
        now = now.plusSeconds(60);
        assertEquals(
                first, asRenter("q").quote(renter.account(), Sample.listing().id(), window(0)));
        assertNotEquals(
                first.id(),
                engine.quote(renter.account(), Sample.listing().id(), window(0)).id());
        restart();
        assertEquals(
                first, asRenter("q").quote(renter.account(), Sample.listing().id(), window(0)));
    }

    @Test
    void reserve_again_isTheRentalAsItWasThen_thoughItWentOn() {
        Quote quote = quoted(0);
        Rental first = asRenter("r").reserve(quote.id(), renter.account());
        engine.cancel(first.id(), renter.account());
        restart();

        Rental again = asRenter("r").reserve(quote.id(), renter.account());

        assertEquals(first, again);
        assertEquals(RentalState.RESERVED, again.state());
        assertEquals(2, store.version(first.id()), "nothing happened twice");
    }

    @Test
    void reserve_ofAQuoteThatIsTakenUp_keepsItsKeyToo() {
        Quote quote = quoted(0);
        Rental first = engine.reserve(quote.id(), renter.account());

        assertEquals(first, asRenter("r").reserve(quote.id(), renter.account()));
        engine.cancel(first.id(), renter.account());
        assertEquals(first, asRenter("r").reserve(quote.id(), renter.account()));
        assertThrows(RentalException.KeyReused.class, () -> asRenter("r").reserve(RentalId.random(), renter.account()));
    }

    @Test
    void reserve_inOneStep_again_isTheRentalAsItWasThen() {
        Listing listing = Sample.listing();
        Amount most = listing.price().cost(window(0).length());
        Rental first = asRenter("b").reserve(renter.account(), listing.id(), window(0), most);
        engine.cancel(first.id(), renter.account());
        restart();

        assertEquals(first, asRenter("b").reserve(renter.account(), listing.id(), window(0), most));
        assertEquals(1, engine.rentals(renter.account()).size());
        assertThrows(
                RentalException.KeyReused.class,
                () -> asRenter("b").reserve(renter.account(), listing.id(), window(1), most));
        assertThrows(
                RentalException.KeyReused.class,
                () -> asRenter("b").reserve(renter.account(), listing.id(), window(0), most.plus(Amount.of(1))));
    }

    @Test
    void cancelAndEnd_again_changeNothing() {
        Rental held = engine.reserve(quoted(0).id(), renter.account());
        Rental cancelled = asRenter("c").cancel(held.id(), renter.account());
        assertEquals(cancelled, asRenter("c").cancel(held.id(), renter.account()));
        assertThrows(RentalException.WrongState.class, () -> engine.cancel(held.id(), renter.account()));

        Rental running = active(1);
        now = running.terms().window().start().plusSeconds(5);
        Rental ending = asRenter("e").end(running.id(), renter.account());
        assertEquals(ending, asRenter("e").end(running.id(), renter.account()));
        assertEquals(ending.version(), store.version(running.id()));
    }

    @Test
    void signatures_again_changeNothing() {
        Rental offered = offered(0);
        Signature signature = lender.sign(offered.offer().orElseThrow().digest());
        Rental signed = asLender("s").signOffer(offered.id(), signature);
        assertEquals(signed, asLender("s").signOffer(offered.id(), signature));

        Rental funded =
                appended(signed, new RentalEvent.Funded(now, signed.terms().deposit(), Sample.HASH));
        Signature release = lender.sign(engine.releaseToSign(funded.id()));
        Rental released = asLender("rel").signRelease(funded.id(), release);
        assertEquals(released, asLender("rel").signRelease(funded.id(), release));
        assertEquals(released.version(), store.version(funded.id()));

        Rental running = active(1);
        now = running.terms().window().start().plusSeconds(500);
        Rental ended = engine.end(running.id(), renter.account());
        Signature receipt = renter.sign(engine.receiptToSign(ended.id()));
        Rental agreed = asRenter("rec").signReceipt(ended.id(), renter.account(), receipt);
        assertEquals(agreed, asRenter("rec").signReceipt(ended.id(), renter.account(), receipt));
        assertEquals(agreed.version(), store.version(ended.id()));
    }

    @Test
    void issueCertificate_again_isTheSameGrant_alsoAfterARestart() {
        Rental funded = funded(0);
        String line = publicKey();
        SessionAccess.Grant first = asRenter("g").issueCertificate(funded.id(), renter.account(), line);
        assertEquals(first, asRenter("g").issueCertificate(funded.id(), renter.account(), line));
        restart();
        assertEquals(first, asRenter("g").issueCertificate(funded.id(), renter.account(), line));
        assertEquals(1, issued(funded.id()));
        engine.issueCertificate(funded.id(), renter.account(), line);
        assertEquals(2, issued(funded.id()), "without a key it is another");
    }

    private long issued(RentalId id) {
        return store.history(id).stream()
                .filter(recorded -> recorded.event() instanceof RentalEvent.CertificateIssued)
                .count();
    }

    private static String publicKey() {
        return HostKeyPair.generate().publicKey().line();
    }

    @Test
    void listAndReleaseGpu_again_areNotAppliedOverWhatCameAfter() {
        Listing cheap = listing(Rate.of(50));
        assertEquals(cheap, asLender("l").list(cheap));
        engine.list(listing(Rate.of(70)));
        assertEquals(cheap, asLender("l").list(cheap));
        assertEquals(Rate.of(70), engine.listing(cheap.id()).price());
        assertThrows(RentalException.KeyReused.class, () -> asLender("l").list(listing(Rate.of(60))));

        GpuId gpu = cheap.gpus().getFirst();
        GpuCondition fine = asLender("g").releaseGpu(gpu, Sample.OPERATOR, "fan replaced");
        store.putCondition(new GpuCondition(gpu, GpuCondition.State.QUARANTINED, "no reset", now));
        now = now.plusSeconds(1);
        assertEquals(fine, asLender("g").releaseGpu(gpu, Sample.OPERATOR, "fan replaced"));
        assertEquals(
                GpuCondition.State.QUARANTINED,
                store.condition(gpu).orElseThrow().state());
    }

    @Test
    void blockAndUnblock_again_areNotAppliedOverWhatCameAfter_alsoAfterARestart() {
        var fans = new Maintenance(Sample.HOST, "fans", listing(Rate.of(50)).gpus(), window(0), "new fans");
        long logged = log.size();
        assertEquals(fans, asLender("b").block(lender.account(), fans));
        engine.unblock(lender.account(), Sample.HOST, "fans");
        restart();
        assertEquals(fans, asLender("b").block(lender.account(), fans));
        assertEquals(List.of(), engine.maintenances(lender.account(), Sample.HOST));
        assertEquals(logged + 2, log.size(), "set and removed, each noted once");

        assertFalse(asLender("n").unblock(lender.account(), Sample.HOST, "fans"));
        engine.block(lender.account(), fans);
        assertFalse(asLender("n").unblock(lender.account(), Sample.HOST, "fans"), "as it was then");
        assertTrue(asLender("u").unblock(lender.account(), Sample.HOST, "fans"));
        engine.block(lender.account(), fans);
        restart();
        assertTrue(asLender("u").unblock(lender.account(), Sample.HOST, "fans"));
        assertEquals(List.of(fans), engine.maintenances(lender.account(), Sample.HOST));
        assertThrows(
                RentalException.KeyReused.class, () -> asLender("u").unblock(lender.account(), Sample.HOST, "paste"));
        assertEquals(fans, asLender("b2").block(lender.account(), fans));
        engine.unblock(lender.account(), Sample.HOST, "fans");
        assertEquals(fans, asLender("b2").block(lender.account(), fans), "it was blocked already, and the key is kept");
        assertEquals(List.of(), engine.maintenances(lender.account(), Sample.HOST));
    }

    @Test
    void reclaim_again_isTheRentalAsItWasThen_alsoAfterARestart() {
        Rental rental = funded(1);
        Instant at = window(1).start().plusSeconds(60);
        Rental announced = asLender("rc").reclaim(rental.id(), lender.account(), at);
        assertEquals(announced, asLender("rc").reclaim(rental.id(), lender.account(), at));
        Rental booting = appended(announced, new RentalEvent.Starting(window(1).start()));
        restart();
        assertEquals(announced, asLender("rc").reclaim(rental.id(), lender.account(), at));
        assertThrows(
                RentalException.KeyReused.class,
                () -> asLender("rc").reclaim(rental.id(), lender.account(), at.plusSeconds(1)));
        assertEquals(booting, asLender("rc2").reclaim(rental.id(), lender.account(), at), "notice was given already");
        assertEquals(booting.version(), store.version(rental.id()));
    }

    @Test
    void resume_again_leavesWhatGotStuckSince_alsoAfterARestart() {
        Rental stuck = appended(funded(1), new RentalEvent.Stuck(now, RentalEffect.Step.NOTIFY, "no mail server"));
        stuck = appended(stuck, new RentalEvent.Stuck(now, RentalEffect.Step.WATCH_ESCROW, "no node"));
        RentalId id = stuck.id();
        Rental resumed = asLender("rs").resume(id, "both are up again");
        assertEquals(Map.of(), resumed.stuck());
        assertEquals(stuck.version() + 2, resumed.version());
        assertEquals(resumed, asLender("rs").resume(id, "both are up again"));
        Rental again = appended(resumed, new RentalEvent.Stuck(now, RentalEffect.Step.NOTIFY, "no mail server"));
        restart();
        assertEquals(resumed, asLender("rs").resume(id, "both are up again"));
        assertEquals(again.version(), store.version(id));
        assertThrows(RentalException.KeyReused.class, () -> asLender("rs").resume(id, "something else"));
    }

    @Test
    void registerHost_again_keepsTheInventoryThatCameAfter_andConnectsTheHostAfterARestart() {
        Host first = asLender("h").registerHost(Sample.HOST, lender.account(), hypervisor);
        Host later = engine.registerHost(Sample.HOST, lender.account(), InMemoryHypervisor.withGpus(3, "demo"));
        engine.close();
        store = JdbcStore.sqlite(folder.resolve("rentals.sqlite"), () -> now);
        engine = engineWithoutHosts(store, Retention.DEFAULT);

        assertEquals(first, asLender("h").registerHost(Sample.HOST, lender.account(), hypervisor));
        assertEquals(List.of(later), engine.hosts());
        engine.start();
        RentalId id = engine.reserve(
                        engine.quote(renter.account(), Sample.listing().id(), window(0))
                                .id(),
                        renter.account())
                .id();
        Rental offered = awaited(id, rental -> rental.offer().isPresent());
        EscrowOffer offer = offered.offer().orElseThrow();
        Rental signed = engine.signOffer(id, lender.sign(offer.digest()));
        renter.open(offer, signed.offerSignature().orElseThrow());
        awaited(id, rental -> rental.state() == RentalState.FUNDED);
        now = window(0).start();
        store.timers().hurry();
        awaited(id, rental -> rental.state() == RentalState.ACTIVE);
        assertEquals(
                List.of(id),
                hypervisor.list().stream().map(Hypervisor.RunningVm::id).toList());
    }

    private Rental awaited(RentalId id, Predicate<Rental> condition) {
        return engine.when(id, condition).orTimeout(30, TimeUnit.SECONDS).join();
    }

    @Test
    void keyOfAnotherRequest_isRefused_andAnotherCallersIsNot() {
        Quote quote = quoted(0);
        asRenter("k").reserve(quote.id(), renter.account());

        var refused = assertThrows(
                RentalException.KeyReused.class, () -> asRenter("k").cancel(quote.id(), renter.account()));
        assertTrue(refused.getMessage().contains("use a new key"), refused.getMessage());
        assertEquals(1, store.version(quote.id()));

        asLender("k").cancel(quote.id(), lender.account());
        assertEquals(2, store.version(quote.id()));
    }

    @Test
    void refusedCommand_leavesNoKey() {
        Rental offered = offered(0);
        assertThrows(RentalException.WrongState.class, () -> asRenter("k").end(offered.id(), renter.account()));
        assertThrows(RentalException.NotFound.class, () -> asRenter("k").reserve(RentalId.random(), renter.account()));

        assertEquals(
                RentalState.CANCELLED,
                asRenter("k").cancel(offered.id(), renter.account()).state());
    }

    @Test
    void oneKeyByManyThreads_happensOnceAndAllGetTheAnswer() throws Exception {
        for (int day = 0; day < 5; day++) {
            Quote quote = quoted(day);
            String key = "many-" + day;
            List<Rental> answers = atOnce(12, () -> asRenter(key).reserve(quote.id(), renter.account()));
            assertEquals(1, answers.stream().distinct().count(), answers::toString);
            List<Rental> cancelled = atOnce(12, () -> asRenter("c" + key).cancel(quote.id(), renter.account()));
            assertEquals(1, cancelled.stream().distinct().count(), cancelled::toString);
            assertEquals(2, store.version(quote.id()));
            Window again = window(day);
            List<Quote> quotes = atOnce(
                    12,
                    () -> asRenter("q" + key)
                            .quote(renter.account(), Sample.listing().id(), again));
            assertEquals(1, quotes.stream().distinct().count(), quotes::toString);
            var fans = new Maintenance(
                    Sample.HOST, "fans" + day, listing(Rate.of(50)).gpus(), again, "new fans");
            long logged = log.size();
            atOnce(12, () -> asLender("b" + key).block(lender.account(), fans));
            List<Boolean> removed =
                    atOnce(12, () -> asLender("u" + key).unblock(lender.account(), Sample.HOST, fans.name()));
            assertEquals(List.of(true), removed.stream().distinct().toList());
            assertEquals(logged + 2, log.size(), "set and removed, each noted once");
        }
    }

    private static <T> List<T> atOnce(int threads, Callable<T> work) throws Exception {
        try (var pool = Executors.newFixedThreadPool(threads)) {
            List<Callable<T>> all = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                all.add(work);
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : pool.invokeAll(all)) {
                results.add(future.get(60, TimeUnit.SECONDS));
            }
            return results;
        }
    }

    @Test
    void keysAndQuotes_areForgottenAfterTheirTime() {
        engine.close();
        try (InMemoryStore memory = InMemoryStore.simulated(() -> now)) {
            store = memory;
            engine = engine(memory, new Retention(Duration.ofDays(2), Duration.ofDays(1)));
            engine.list(listing(Rate.of(100)));
            engine.start();
            Quote quote = asRenter("k").quote(renter.account(), Sample.listing().id(), window(9));
            Rental waiting = engine.reserve(quoted(8).id(), renter.account());

            pass(memory, Duration.ofHours(23));
            assertTrue(memory.answer(renter.account(), key("k")).isPresent());
            pass(memory, Duration.ofHours(2));
            assertEquals(Optional.empty(), memory.answer(renter.account(), key("k")));
            assertTrue(memory.quote(quote.id()).isPresent());
            pass(memory, Duration.ofDays(1));
            assertEquals(Optional.empty(), memory.quote(quote.id()));
            assertEquals(
                    waiting.id(), engine.reserve(waiting.id(), renter.account()).id(), "outlives its quote");
        }
    }

    /** A rental whose hold runs out wakes the engine, which prunes then. */
    private void pass(InMemoryStore memory, Duration time) {
        now = now.plus(time);
        Quote soon = engine.quote(
                renter.account(),
                new ListingId("listing-1"),
                Window.of(now.plusSeconds(600).truncatedTo(ChronoUnit.SECONDS), Duration.ofHours(1)));
        engine.reserve(soon.id(), renter.account());
        assertTrue(memory.runDue() > 0);
    }

    @Test
    void retention_thatWouldForgetQuotesBeforeAnswers_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Retention(Duration.ofHours(1), Duration.ofHours(2)));
        assertThrows(IllegalArgumentException.class, () -> new Retention(Duration.ofHours(1), Duration.ZERO));
    }

    @Test
    void key_thatIsEmptyLongOrInvisible_isRefused() {
        assertEquals(128, new IdempotencyKey("~".repeat(128)).value().length());
        for (String bad : List.of("", "~".repeat(129), "a b", "a\n", "\u007f", "caf\u00e9")) {
            assertThrows(IllegalArgumentException.class, () -> new IdempotencyKey(bad), bad);
        }
    }
}
