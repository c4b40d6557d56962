package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.computehive.access.AccessException;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Days of rentals in milliseconds: real parts of the engine, in-memory ports, and a clock that the test moves. */
class RentalEngineTest {
    private static final Amount MONEY = Amount.of(10_000_000);
    private static final ListingId LISTING = new ListingId("listing-1");

    private Instant now = Sample.NOW;
    private final InstantSource clock = () -> now;
    private final InMemoryStore store = InMemoryStore.simulated(clock);
    private final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    private final InMemoryAccess access = new InMemoryAccess(clock);
    private final InMemoryHypervisor hypervisor = InMemoryHypervisor.withImages("demo");
    private final InMemoryAuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example"));
    private final List<Notifier.Notice> notices = new ArrayList<>();
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(MONEY);
    private RentalEngine engine;
    private boolean calendarDown;

    @BeforeEach
    void open() {
        engine = newEngine();
        Host host = engine.registerHost(Sample.HOST, lender.account(), hypervisor);
        engine.list(listing(host, Rate.of(100)));
        engine.start();
    }

    private RentalEngine newEngine() {
        return RentalEngine.builder()
                .store(store)
                .escrow(escrow)
                .access(access)
                .priceAdvisor(request -> {
                    throw new AssertionError("nobody asked for a suggestion");
                })
                .auditLog(log)
                .notifier(notice -> {
                    if (calendarDown) {
                        throw new IllegalStateException("the calendar is down");
                    }
                    notices.add(notice);
                })
                .clock(clock)
                .policy(Sample.POLICY)
                .build();
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private Listing listing(Host host, Rate price) {
        return new Listing(
                LISTING,
                lender.account(),
                host.id(),
                host.gpus().stream()
                        .map(Gpu::address)
                        .map(address -> new GpuId(host.id(), address))
                        .toList(),
                new MachineShape(1, 256, 64, "demo"),
                Sample.TOKEN,
                Rate.of(50),
                Rate.of(200),
                price,
                Availability.always(),
                Sample.listing().rules(),
                Assurance.ISOLATED,
                host.gpus().getFirst().emulated());
    }

    private void pass(Duration time) {
        now = now.plus(time);
        store.runDue();
    }

    private void passTo(Instant instant) {
        now = instant;
        store.runDue();
    }

    /** Moves time to the window's start and awaits the session. */
    private Rental activate(Rental rental) {
        Window window = rental.terms().window();
        passTo(window.start().minus(Sample.POLICY.lead()));
        engine.when(rental.id(), booted -> booted.machine().isPresent())
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
        passTo(window.start());
        return await(rental.id(), RentalState.ACTIVE);
    }

    private Rental state(RentalId id) {
        return store.rental(id).orElseThrow();
    }

    /** Awaits a state that a hint from the chain leads to on another thread. */
    private Rental await(RentalId id, RentalState state) {
        return engine.when(id, rental -> rental.state() == state)
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
    }

    private Rental reserve(Window window) {
        Quote quote = engine.quote(renter.account(), LISTING, window);
        Rental rental = engine.reserve(quote.id(), renter.account());
        store.runDue();
        return engine.when(rental.id(), written -> written.offer().isPresent())
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
    }

    private Rental fund(Window window) {
        Rental rental = reserve(window);
        EscrowOffer offer = rental.offer().orElseThrow();
        engine.signOffer(rental.id(), lender.sign(offer.digest()));
        renter.open(offer, state(rental.id()).offerSignature().orElseThrow());
        return engine.when(rental.id(), funded -> funded.state() == RentalState.FUNDED && funded.lastInvitation() == 0)
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
    }

    private static Window window(Instant from) {
        return Window.of(from.plusSeconds(600), Duration.ofSeconds(3600));
    }

    @Test
    void rental_walksFromReservationToSettlement() {
        Window window = window(now);
        Rental rental = fund(window);
        assertEquals(RentalState.FUNDED, rental.state());
        assertEquals(2, notices.size());
        assertTrue(notices.getFirst().calendar().contains("METHOD:REQUEST"));

        passTo(window.start().minus(Sample.POLICY.lead()));
        engine.when(rental.id(), booted -> booted.machine().isPresent())
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
        assertEquals(1, hypervisor.list().size());
        assertEquals(Optional.empty(), access.enter(rental.id()), "not before the window");

        passTo(window.start());
        await(rental.id(), RentalState.ACTIVE);
        engine.issueCertificate(
                rental.id(),
                renter.account(),
                HostKeyPair.generate().publicKey().line());
        assertTrue(access.enter(rental.id()).isPresent());

        passTo(window.start().plusSeconds(1000));
        engine.end(rental.id(), renter.account());
        store.runDue();
        Rental ended = await(rental.id(), RentalState.ENDED);
        assertEquals(EndCause.BY_RENTER, ended.endCause().orElseThrow());
        assertEquals(Optional.empty(), access.enter(rental.id()));
        assertEquals(List.of(), hypervisor.list());

        var receipt = engine.receiptToSign(rental.id());
        engine.signReceipt(rental.id(), renter.account(), renter.sign(receipt));
        engine.signReceipt(rental.id(), lender.account(), lender.sign(receipt));
        store.runDue();
        Rental settled = await(rental.id(), RentalState.SETTLED);
        assertEquals(Amount.of(100_000), settled.settlement().orElseThrow().paid());
        assertEquals(Amount.of(260_000), settled.settlement().orElseThrow().refunded());
        assertEquals(Amount.of(100_000), lender.balance());
        assertEquals(MONEY, lender.balance().plus(renter.balance()));
        auditHoldsEveryEventOnce(settled);
    }

    private void auditHoldsEveryEventOnce(Rental rental) {
        List<AuditEntry> entries = log.entries(0, log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isPresent()
                        && entry.rental().equals(Optional.of(rental.id().value())))
                .toList();
        var history = store.history(rental.id());
        assertEquals(history.size(), entries.size());
        for (int i = 0; i < entries.size(); i++) {
            var recorded = history.get(i);
            assertEquals(i + 1, entries.get(i).number().orElseThrow());
            assertTrue(entries.get(i)
                    .matches(
                            EventCodec.write(recorded.event()).getBytes(StandardCharsets.UTF_8),
                            HexFormat.of().parseHex(recorded.salt())));
        }
    }

    @Test
    void whatTheGatewayDecides_isInTheLogWithItsRental() {
        Rental rental = fund(window(now));
        activate(rental);
        access.enter(rental.id());
        List<AuditEntry> notes = log.entries(0, log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isEmpty())
                .toList();
        assertEquals(1, notes.size());
        assertEquals("access.accepted", notes.getFirst().type());
        assertEquals(Optional.of(rental.id().value()), notes.getFirst().rental());
    }

    @Test
    void breakGlass_whereItIsOff_isRefusedAndNotNoted() {
        Rental rental = fund(window(now));
        activate(rental);
        long logged = log.size();
        assertThrows(
                AccessException.LeaseRefused.class,
                () -> engine.breakGlass(rental.id(), "olga", "help", now.plusSeconds(1), "key"));
        assertThrows(
                RentalException.Unacceptable.class,
                () -> engine.breakGlass(
                        rental.id(), "olga", "help", rental.window().end().plusSeconds(1), "key"));
        engine.end(rental.id(), renter.account());
        assertThrows(
                RentalException.WrongState.class,
                () -> engine.breakGlass(rental.id(), "olga", "help", now.plusSeconds(1), "key"));
        assertEquals(0, notes(logged));
    }

    private long notes(long from) {
        return log.entries(from, log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isEmpty())
                .count();
    }

    @Test
    void session_endsAtTheWindowsEnd_andTheTimeLockPaysTheLender() {
        Window window = window(now);
        Rental rental = fund(window);
        activate(rental);
        passTo(window.end());
        await(rental.id(), RentalState.ENDED);
        assertEquals(window.length(), state(rental.id()).used());
        passTo(window.end().plus(Duration.ofHours(1)));
        await(rental.id(), RentalState.SETTLED);
        assertEquals(rental.terms().deposit(), lender.balance());
    }

    @Test
    void hold_runsOutUnfunded_andTheGpuIsFreeAgain() {
        Window window = window(now);
        Rental rental = reserve(window);
        assertEquals(List.of(), engine.search(ListingQuery.free(window)));
        assertThrows(RentalException.Overlap.class, () -> reserve(window));
        passTo(rental.terms().holdUntil().plusSeconds(1));
        await(rental.id(), RentalState.EXPIRED);
        assertEquals(1, engine.search(ListingQuery.free(window)).size());
    }

    @Test
    void unknown_isNotUnpaid_aChainThatCantBeReadExpiresNothing() {
        Window window = window(now);
        Rental rental = reserve(window);
        EscrowOffer offer = rental.offer().orElseThrow();
        engine.signOffer(rental.id(), lender.sign(offer.digest()));
        escrow.setReachable(false);
        passTo(rental.terms().holdUntil().plusSeconds(60));
        assertEquals(RentalState.RESERVED, state(rental.id()).state());
        escrow.setReachable(true);
        await(rental.id(), RentalState.EXPIRED);
    }

    @Test
    void unreachableChain_doesNotEndASessionThatRuns() {
        Window window = window(now);
        Rental rental = fund(window);
        activate(rental);
        escrow.setReachable(false);
        pass(Duration.ofMinutes(5));
        assertEquals(RentalState.ACTIVE, state(rental.id()).state());
        assertEquals(1, hypervisor.list().size());
    }

    @Test
    void startThatFails_isTakenDown_andTheReleaseRefundsAll() {
        Window window = window(now);
        Rental rental = fund(window);
        hypervisor.failNextStart(new HypervisorException.Lacking("no disk space on the host", null));
        passTo(window.start().minus(Sample.POLICY.lead()));
        Rental ended = engine.when(rental.id(), over -> over.state() == RentalState.ENDED && over.lastInvitation() == 1)
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
        assertEquals(Fault.Blame.LENDER, ended.fault().orElseThrow().blame());
        assertTrue(notices.getLast().calendar().contains("METHOD:CANCEL"));
        passTo(window.end().plus(Duration.ofDays(2)));
        assertEquals(RentalState.ENDED, state(rental.id()).state(), "the time lock never pays for a failed start");
        engine.signRelease(rental.id(), lender.sign(engine.releaseToSign(rental.id())));
        store.runDue();
        await(rental.id(), RentalState.SETTLED);
        assertEquals(MONEY, renter.balance());
    }

    @Test
    void renterEndsOnTheChainItself_andTheSessionFollows() {
        Window window = window(now);
        Rental rental = fund(window);
        activate(rental);
        passTo(window.start().plusSeconds(900));
        renter.end(rental.offer().orElseThrow());
        pass(Sample.POLICY.watch());
        Rental settled = await(rental.id(), RentalState.SETTLED);
        assertEquals(EndCause.ESCROW_CLOSED, settled.endCause().orElseThrow());
        assertEquals(List.of(), hypervisor.list());
    }

    @Test
    void machineLost_endsTheSession_withoutPayingTheLenderByItself() {
        Window window = window(now);
        Rental rental = fund(window);
        activate(rental);
        hypervisor.destroy(rental.id());
        pass(Sample.POLICY.watch());
        assertEquals(
                EndCause.MACHINE_LOST,
                await(rental.id(), RentalState.ENDED).endCause().orElseThrow());
        passTo(window.end().plus(Duration.ofDays(2)));
        assertEquals(RentalState.ENDED, state(rental.id()).state());
        assertEquals(Amount.ZERO, lender.balance());
    }

    @Test
    void cancelledAfterFunding_isRefundedByTheRentersOwnHand() {
        Window window = window(now);
        Rental rental = fund(window);
        engine.cancel(rental.id(), renter.account());
        store.runDue();
        renter.end(rental.offer().orElseThrow());
        await(rental.id(), RentalState.SETTLED);
        assertEquals(MONEY, renter.balance());
    }

    @Test
    void wrongSignatures_changeNothing() {
        Rental rental = reserve(window(now));
        var digest = rental.offer().orElseThrow().digest();
        assertThrows(EscrowException.Refused.class, () -> engine.signOffer(rental.id(), renter.sign(digest)));
        assertEquals(rental.version(), state(rental.id()).version());
    }

    @Test
    void strangers_seeAndMayNothing() {
        Rental rental = fund(window(now));
        Account stranger = escrow.party(Amount.ZERO).account();
        assertThrows(RentalException.NotFound.class, () -> engine.rental(rental.id(), stranger));
        assertThrows(RentalException.NotFound.class, () -> engine.end(rental.id(), stranger));
        assertThrows(RentalException.NotFound.class, () -> engine.cancel(rental.id(), stranger));
        assertThrows(
                RentalException.NotAllowed.class,
                () -> engine.issueCertificate(rental.id(), lender.account(), "ssh-ed25519 AAAA"));
    }

    @Test
    void strangers_whoNameNoRental_leaveNothingInTheLog() {
        Rental rental = fund(window(now));
        long before = log.size();
        access.enter(new RentalId("0".repeat(26)));
        assertEquals(before, log.size(), "anybody could fill it");
        access.enter(rental.id());
        assertEquals(before + 1, log.size());
    }

    @Test
    void revokedCertificate_letsNobodyIn_andAnotherDoes_alsoWhenItIsRepeated() {
        Rental rental = activate(fund(window(now)));
        String key = HostKeyPair.generate().publicKey().line();
        String lost =
                engine.issueCertificate(rental.id(), renter.account(), key).serial();
        String kept =
                engine.issueCertificate(rental.id(), renter.account(), key).serial();
        assertThrows(
                RentalException.NotAllowed.class,
                () -> engine.revokeCertificates(rental.id(), lender.account(), Set.of(lost)));
        assertThrows(
                RentalException.NotFound.class,
                () -> engine.revokeCertificates(rental.id(), renter.account(), Set.of("987654321")));
        Rental revoked = engine.revokeCertificates(rental.id(), renter.account(), Set.of(lost));
        assertEquals(Set.of(lost), revoked.revokedSerials());
        assertEquals(
                revoked.version(),
                engine.revokeCertificates(rental.id(), renter.account(), Set.of(lost))
                        .version());
        var refusal = assertThrows(RentalException.NotAllowed.class, () -> access.enter(rental.id(), lost));
        assertTrue(refusal.getMessage().contains(lost), refusal.getMessage());
        assertTrue(access.enter(rental.id(), kept).isPresent());
        assertEquals(Set.of(lost), Rental.of(rental.id(), events(rental.id())).revokedSerials(), "it is in the store");

        assertThrows(RentalException.Unacceptable.class, () -> engine.revokeCertificates(rental.id(), Set.of(), " "));
        engine.revokeCertificates(rental.id(), Set.of(), "all keys were lost");
        assertThrows(RentalException.NotAllowed.class, () -> access.enter(rental.id(), kept));
        String fresh =
                engine.issueCertificate(rental.id(), renter.account(), key).serial();
        assertTrue(access.enter(rental.id(), fresh).isPresent());
        engine.end(rental.id(), renter.account());
        assertThrows(
                RentalException.WrongState.class,
                () -> engine.revokeCertificates(rental.id(), renter.account(), Set.of(fresh)));
    }

    private List<RentalEvent> events(RentalId id) {
        return store.history(id).stream().map(RentalStore.Recorded::event).toList();
    }

    @Test
    void calendarThatIsDown_keepsNobodyFromTheSession() {
        calendarDown = true;
        Window window = window(now);
        Rental rental = reserve(window);
        EscrowOffer offer = rental.offer().orElseThrow();
        engine.signOffer(rental.id(), lender.sign(offer.digest()));
        renter.open(offer, state(rental.id()).offerSignature().orElseThrow());
        await(rental.id(), RentalState.FUNDED);
        activate(rental);
    }

    @Test
    void rentersReceipt_thatTheLenderNeverSigns_isNotPaidInFullByThePlatform() {
        Window window = window(now);
        Rental rental = fund(window);
        activate(rental);
        passTo(window.start().plusSeconds(60));
        engine.end(rental.id(), renter.account());
        store.runDue();
        await(rental.id(), RentalState.ENDED);
        engine.signReceipt(rental.id(), renter.account(), renter.sign(engine.receiptToSign(rental.id())));
        passTo(window.end().plus(Duration.ofDays(2)));
        assertEquals(RentalState.ENDED, state(rental.id()).state());
        assertEquals(Amount.ZERO, lender.balance());
    }

    @Test
    void lenderCallsOffAFundedRental_onlyByGivingAllBack() {
        Rental rental = fund(window(now));
        assertThrows(RentalException.WrongState.class, () -> engine.cancel(rental.id(), lender.account()));
        engine.signRelease(rental.id(), lender.sign(engine.releaseToSign(rental.id())));
        store.runDue();
        await(rental.id(), RentalState.SETTLED);
        assertEquals(MONEY, renter.balance());
    }

    /** Other entries may come meanwhile: the engine works on. */
    private long releases() {
        return log.entries(0, log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.type().equals("gpu.released"))
                .count();
    }

    @Test
    void quarantinedGpu_startsNoSession_untilAnOperatorReleasesIt() {
        Window window = window(now);
        Rental rental = fund(window);
        GpuId gpu = rental.terms().gpus().getFirst();
        store.putCondition(new GpuCondition(gpu, GpuCondition.State.QUARANTINED, "not scrubbed", now));
        passTo(window.start().minus(Sample.POLICY.lead()));
        Rental ended = await(rental.id(), RentalState.ENDED);
        assertTrue(ended.fault().orElseThrow().what().contains("quarantined"));
        assertThrows(
                RentalException.NotAllowed.class, () -> engine.releaseGpu(gpu, lender.account(), "scrubbed by hand"));
        var unknown = new GpuId(new HostId("elsewhere"), gpu.address());
        assertThrows(
                RentalException.NotFound.class, () -> engine.releaseGpu(unknown, Sample.OPERATOR, "scrubbed by hand"));
        assertEquals(0, releases(), "what was refused leaves no entry");
        assertEquals(
                0,
                engine.search(ListingQuery.free(window(now.plusSeconds(60)))).size(),
                "its lender alone frees nothing");
        GpuCondition released = engine.releaseGpu(gpu, Sample.OPERATOR, "scrubbed by hand");
        assertTrue(released.why().contains("scrubbed by hand"), released::why);
        assertTrue(released.why().contains(Sample.OPERATOR.toString()), released::why);
        assertEquals(1, releases(), "the release is in the audit log, once");
        assertEquals(
                1, engine.search(ListingQuery.free(window(now.plusSeconds(60)))).size());
    }

    @Test
    void grace_tooShortForASessionThatNeverStarts_isRefused() {
        Listing honest = listing(engine.hosts().getFirst(), Rate.of(100));
        var hasty = new Listing.Rules(
                honest.rules().shortest(),
                honest.rules().longest(),
                honest.rules().turnover(),
                Sample.POLICY.startLimit(),
                honest.rules().disputeWindow());
        Listing listing = new Listing(
                honest.id(),
                honest.lender(),
                honest.host(),
                honest.gpus(),
                honest.shape(),
                honest.token(),
                honest.floor(),
                honest.ceiling(),
                honest.price(),
                honest.availability(),
                hasty,
                honest.assurance(),
                honest.emulated());
        assertThrows(RentalException.Unacceptable.class, () -> engine.list(listing));
    }

    @Test
    void quote_keepsItsPriceAndTerms_whenTheListingChanges() {
        Quote quote = engine.quote(renter.account(), LISTING, window(now));
        engine.list(listing(engine.hosts().getFirst(), Rate.of(200)));
        RentalTerms terms = engine.reserve(quote.id(), renter.account()).terms();
        assertEquals(Rate.of(100), terms.rate());
        assertEquals(quote.offered().rules().grace(), terms.grace());
        assertEquals(quote.offered().shape(), terms.shape());
    }

    @Test
    void quote_thatExpired_cantBeTakenUp() {
        Quote quote = engine.quote(renter.account(), LISTING, window(now.plusSeconds(3600)));
        pass(Sample.POLICY.quoteLife());
        assertThrows(RentalException.Expired.class, () -> engine.reserve(quote.id(), renter.account()));
    }

    @Test
    void reserve_again_returnsTheSameRental() {
        Quote quote = engine.quote(renter.account(), LISTING, window(now));
        Rental first = engine.reserve(quote.id(), renter.account());
        assertEquals(first.id(), engine.reserve(quote.id(), renter.account()).id());
        assertEquals(1, engine.rentals(renter.account()).size());
    }

    @Test
    void reserve_inOneStep_isAtThePriceOfNow_andOverTheMostThatIsPaid_isRefused() {
        Window window = window(now);
        Amount price = Rate.of(100).cost(window.length());
        Rental rental = engine.reserve(renter.account(), LISTING, window, price);
        assertEquals(Rate.of(100), rental.terms().rate());
        assertEquals(
                engine.quote(renter.account(), LISTING, window(window.end().plusSeconds(3600)))
                        .setup(),
                rental.terms().setup());
        assertThrows(RentalException.Overlap.class, () -> engine.reserve(renter.account(), LISTING, window, price));
        assertEquals(1, engine.rentals(renter.account()).size());

        // The engine has read the listing before: what it remembers counts no more.
        engine.list(listing(engine.hosts().getFirst(), Rate.of(200)));
        Window later = window(window.end().plusSeconds(3600));
        var refused = assertThrows(
                RentalException.Unacceptable.class, () -> engine.reserve(renter.account(), LISTING, later, price));
        assertTrue(refused.getMessage().contains(price.plus(price).toString()), refused.getMessage());
        assertEquals(
                Rate.of(200),
                engine.reserve(renter.account(), LISTING, later, price.plus(price))
                        .terms()
                        .rate());
        engine.list(listing(engine.hosts().getFirst(), Rate.of(100)));
        Window last = window(later.end().plusSeconds(3600));
        assertEquals(
                Rate.of(100),
                engine.reserve(renter.account(), LISTING, last, price).terms().rate(),
                "cheaper than remembered");
    }

    @Test
    void windows_thatBreakARule_areRefusedWithTheReason() {
        for (Window bad : List.of(
                Window.of(now.minusSeconds(60), Duration.ofSeconds(30)),
                Window.of(now.minusSeconds(1), Duration.ofSeconds(3600)),
                Window.of(now.plusMillis(500), Duration.ofSeconds(3600)),
                Window.of(now.plusSeconds(5), Duration.ofSeconds(9)),
                Window.of(now.plusSeconds(5), Duration.ofDays(8)))) {
            var refused = assertThrows(
                    RentalException.Unacceptable.class, () -> engine.quote(renter.account(), LISTING, bad));
            assertTrue(refused.getMessage().contains(bad.toString()), refused.getMessage());
            var unbooked = assertThrows(
                    RentalException.Unacceptable.class,
                    () -> engine.reserve(renter.account(), LISTING, bad, new Amount(Amount.MAX_UNITS)));
            assertEquals(refused.getMessage(), unbooked.getMessage());
        }
    }

    @Test
    void listing_thatPromisesMoreThanItsHostKeeps_isRefused() {
        Host host = engine.hosts().getFirst();
        Listing honest = listing(host, Rate.of(100));
        Listing lying = new Listing(
                honest.id(),
                honest.lender(),
                honest.host(),
                honest.gpus(),
                honest.shape(),
                honest.token(),
                honest.floor(),
                honest.ceiling(),
                honest.price(),
                honest.availability(),
                honest.rules(),
                honest.assurance(),
                !honest.emulated());
        assertThrows(RentalException.Unacceptable.class, () -> engine.list(lying));
    }
}
