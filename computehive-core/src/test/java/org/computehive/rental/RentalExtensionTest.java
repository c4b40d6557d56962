package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
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

/** More time, an early end and what calling off costs: the engine over ports in memory, and a clock that the test moves. */
class RentalExtensionTest {
    private static final Amount MONEY = Amount.of(10_000_000);
    private static final ListingId LISTING = new ListingId("listing-1");
    private static final Duration HOUR = Duration.ofHours(1);

    private Instant now = Sample.NOW;
    private final InstantSource clock = () -> now;
    private final InMemoryStore store = InMemoryStore.simulated(clock);
    private final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    private final InMemoryAccess access = new InMemoryAccess(clock);
    private final InMemoryHypervisor hypervisor = InMemoryHypervisor.withImages("demo");
    private final List<Notifier.Notice> notices = new ArrayList<>();
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(MONEY);
    private RentalEngine engine;

    @BeforeEach
    void open() {
        engine = RentalEngine.builder()
                .store(store)
                .escrow(escrow)
                .access(access)
                .auditLog(new InMemoryAuditLog(NoteKey.generate("test.example")))
                .notifier(notices::add)
                .clock(clock)
                .policy(Sample.POLICY)
                .build();
        Host host = engine.registerHost(Sample.HOST, lender.account(), hypervisor);
        engine.list(listing(host, Rate.of(100), Cancellation.FREE));
        engine.start();
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private static Listing listing(Host host, Rate price, Cancellation cancellation) {
        Listing plain = Listing.of(LISTING, host, Sample.SHAPE, Sample.TOKEN, price);
        return new Listing(
                plain.id(),
                plain.lender(),
                plain.host(),
                plain.gpus(),
                plain.shape(),
                plain.token(),
                plain.floor(),
                plain.ceiling(),
                plain.price(),
                Availability.always(),
                new Listing.Rules(
                        Duration.ofSeconds(10),
                        Duration.ofHours(4),
                        Duration.ofMinutes(1),
                        Duration.ofMinutes(4),
                        HOUR,
                        cancellation),
                plain.assurance(),
                plain.emulated());
    }

    private void relist(Rate price, Cancellation cancellation) {
        engine.list(listing(engine.hosts().getFirst(), price, cancellation));
    }

    private void passTo(Instant instant) {
        now = instant;
        store.runDue();
    }

    private Rental await(RentalId id, Predicate<Rental> condition) {
        store.runDue();
        return engine.when(id, condition).orTimeout(20, TimeUnit.SECONDS).join();
    }

    private Rental await(RentalId id, RentalState state) {
        return await(id, rental -> rental.state() == state);
    }

    private Rental fund() {
        Quote quote = engine.quote(renter.account(), LISTING, Window.of(now.plusSeconds(600), HOUR));
        RentalId id = engine.reserve(quote.id(), renter.account()).id();
        signAndOpen(await(id, rental -> rental.offerToSign().isPresent()));
        return await(id, rental -> rental.state() == RentalState.FUNDED && rental.lastInvitation() == 0);
    }

    private void signAndOpen(Rental rental) {
        EscrowOffer offer = rental.offerToSign().orElseThrow();
        var signature = lender.sign(offer.digest());
        engine.signOffer(rental.id(), signature);
        renter.open(offer, signature);
    }

    private Rental activate(Rental rental) {
        passTo(rental.window().start().minus(Sample.POLICY.lead()));
        await(rental.id(), booted -> booted.machine().isPresent());
        passTo(rental.window().start());
        return await(rental.id(), RentalState.ACTIVE);
    }

    private Rental held(Rental rental, Duration more) {
        Quote quote = engine.quoteExtension(
                rental.id(), renter.account(), rental.window().end().plus(more));
        engine.extend(rental.id(), renter.account(), quote.id());
        return await(rental.id(), waiting -> waiting.offerToSign().isPresent());
    }

    private Rental extended(Rental rental, Duration more) {
        Instant end = rental.window().end().plus(more);
        signAndOpen(held(rental, more));
        return await(rental.id(), longer -> longer.window().end().equals(end));
    }

    private Rental state(RentalId id) {
        return store.rental(id).orElseThrow();
    }

    private Rental settleBySignatures(RentalId id) {
        List<LegDigest> receipts = engine.receiptsToSign(id);
        engine.signReceipts(
                id,
                renter.account(),
                receipts.stream().map(receipt -> renter.sign(receipt.digest())).toList());
        engine.signReceipts(
                id,
                lender.account(),
                receipts.stream().map(receipt -> lender.sign(receipt.digest())).toList());
        return await(id, RentalState.SETTLED);
    }

    @Test
    void extension_inALaneThatTheRentalHolds_isRefused() {
        Rental rental = fund();
        Window further = Window.of(rental.window().end(), HOUR);
        for (long lane : List.of(rental.terms().lane(), rental.terms().lane() + 1)) {
            var held = new RentalEvent.OfLeg.Held(
                    now,
                    1,
                    new Extension(
                            RentalId.random(),
                            further,
                            Rate.of(1),
                            lane,
                            further.start().minusSeconds(60),
                            rental.allLegs().last().offer().orElseThrow().digest()));
            if (lane == rental.terms().lane()) {
                assertThrows(RentalException.WrongState.class, () -> rental.after(held));
            } else {
                assertEquals(2, rental.after(held).lanes().size());
            }
        }
    }

    @Test
    void extension_movesTheEnd_ofVmAccessCertificateAndCalendar_andEachLegIsSettled() {
        Rental rental = activate(fund());
        Instant oldEnd = rental.window().end();
        relist(Rate.of(150), Cancellation.FREE);
        Rental longer = extended(rental, HOUR);
        assertEquals(2, longer.legs().size());
        assertEquals(Rate.of(150), longer.legs().get(1).rate(), "the price of now");
        assertEquals(
                rental.offer().orElseThrow().digest(),
                longer.legs().get(1).extension().orElseThrow().follows());

        await(rental.id(), told -> told.lastInvitation() >= 1 && told.toTell().equals(told.told()));
        assertEquals(oldEnd.plus(HOUR), hypervisor.list().getFirst().expires());
        var grant = engine.issueCertificate(
                rental.id(),
                renter.account(),
                HostKeyPair.generate().publicKey().line());
        assertEquals(oldEnd.plus(HOUR), grant.notAfter());
        passTo(oldEnd.plusSeconds(100));
        assertEquals(RentalState.ACTIVE, state(rental.id()).state());
        assertTrue(access.enter(rental.id()).isPresent());

        engine.end(rental.id(), renter.account());
        Rental ended = await(rental.id(), RentalState.ENDED);
        assertEquals(HOUR, ended.charged(ended.legs().get(0)));
        assertEquals(Duration.ofSeconds(100), ended.charged(ended.legs().get(1)));
        assertThrows(RentalException.WrongState.class, () -> engine.receiptToSign(rental.id()));
        Rental settled = settleBySignatures(rental.id());
        assertEquals(
                Amount.of(360_000 + 15_000), settled.settlement().orElseThrow().paid());
        assertEquals(settled.due(), lender.balance());
        assertEquals(MONEY, lender.balance().plus(renter.balance()));
        assertTrue(settled.lanes().isEmpty());
    }

    @Test
    void extension_thatNobodyFunds_lapses_andTheSessionEndsOnTime() {
        Rental rental = activate(fund());
        Instant end = rental.window().end();
        held(rental, HOUR);
        assertFalse(store.isFree(rental.gpus(), Window.of(end.plusSeconds(120), HOUR)));
        passTo(end.minusSeconds(1));
        Rental lapsed = await(rental.id(), at -> at.pendingExtension().isEmpty());
        assertEquals(end, lapsed.window().end());
        assertTrue(store.isFree(rental.gpus(), Window.of(end.plusSeconds(120), HOUR)), "its hold is over");
        passTo(end);
        assertEquals(
                EndCause.WINDOW_OVER,
                await(rental.id(), RentalState.ENDED).endCause().orElseThrow());
        passTo(end.plus(HOUR));
        assertEquals(
                Amount.of(360_000),
                await(rental.id(), RentalState.SETTLED)
                        .settlement()
                        .orElseThrow()
                        .paid());
    }

    @Test
    void extension_intoAnothersTime_isRefused_andNothingChanges() {
        Rental rental = activate(fund());
        Quote taken = engine.quote(
                renter.account(), LISTING, Window.of(rental.window().end().plusSeconds(600), HOUR));
        engine.reserve(taken.id(), renter.account());
        Quote more = engine.quoteExtension(
                rental.id(), renter.account(), rental.window().end().plus(HOUR));
        Rental before = state(rental.id());
        assertThrows(RentalException.Overlap.class, () -> engine.extend(rental.id(), renter.account(), more.id()));
        assertEquals(before.version(), state(rental.id()).version());
    }

    @Test
    void extension_whoseDepositIsTakenBackBeforeItsTime_takesTheEndBack() {
        Rental rental = activate(fund());
        Instant end = rental.window().end();
        Rental longer = extended(rental, HOUR);
        renter.end(longer.legs().get(1).offer().orElseThrow());
        passTo(now.plus(Sample.POLICY.watch()));
        await(rental.id(), shorter -> shorter.window().end().equals(end));
        assertTrue(store.isFree(rental.gpus(), Window.of(end.plusSeconds(120), HOUR)));
        passTo(end);
        await(rental.id(), RentalState.ENDED);
        assertEquals(Optional.empty(), access.enter(rental.id()));
    }

    @Test
    void extension_whileTheChainCantBeRead_isNotTakenForFunded() {
        Rental rental = activate(fund());
        Instant end = rental.window().end();
        EscrowOffer offer = held(rental, HOUR).offerToSign().orElseThrow();
        Rental held = engine.signOffer(rental.id(), lender.sign(offer.digest()));
        escrow.setReachable(false);
        passTo(end);
        assertEquals(RentalState.ENDED, await(rental.id(), RentalState.ENDED).state(), "on time");
        assertFalse(state(rental.id()).legs().get(1).isClosed(), "unknown is not unpaid: its lane stays taken");
        assertTrue(state(rental.id()).lanes().contains(held.legs().get(1).lane()));
        escrow.setReachable(true);
        passTo(end.plusSeconds(60));
        await(rental.id(), over -> over.legs().get(1).isLapsed());
    }

    @Test
    void extension_beyondWhatIsAllowed_isRefusedWithTheReason() {
        Rental rental = activate(fund());
        Instant end = rental.window().end();
        for (Instant bad :
                List.of(end, end.minusSeconds(1), end.plusMillis(1), end.plus(Duration.ofHours(9)), Instant.MAX)) {
            assertThrows(
                    RentalException.Unacceptable.class,
                    () -> engine.quoteExtension(rental.id(), renter.account(), bad),
                    bad.toString());
        }
        assertThrows(
                RentalException.NotAllowed.class,
                () -> engine.quoteExtension(rental.id(), lender.account(), end.plus(HOUR)));
        passTo(end.minusSeconds(30));
        var late = assertThrows(
                RentalException.Unacceptable.class,
                () -> engine.quoteExtension(rental.id(), renter.account(), end.plus(HOUR)));
        assertTrue(late.getMessage().contains("must be funded"), late.getMessage());
    }

    @Test
    void extension_askedTwiceForOneQuote_isHeldOnce() {
        Rental rental = activate(fund());
        Quote quote = engine.quoteExtension(
                rental.id(), renter.account(), rental.window().end().plus(HOUR));
        engine.extend(rental.id(), renter.account(), quote.id());
        assertEquals(
                2,
                engine.extend(rental.id(), renter.account(), quote.id()).legs().size());
    }

    @Test
    void end_byTheLender_isItsFault_andTheRenterPaysTheTimeUsed() {
        Rental rental = activate(fund());
        passTo(rental.window().start().plusSeconds(100));
        engine.end(rental.id(), lender.account());
        Rental ended = await(rental.id(), RentalState.ENDED);
        assertEquals(EndCause.BY_LENDER, ended.endCause().orElseThrow());
        assertEquals(Fault.Blame.LENDER, ended.fault().orElseThrow().blame());
        assertEquals(Amount.of(10_000), ended.due());
        passTo(rental.window().end().plus(Duration.ofDays(1)));
        assertEquals(RentalState.ENDED, state(rental.id()).state(), "no time lock pays it in full");
        assertEquals(
                Amount.of(10_000),
                settleBySignatures(rental.id()).settlement().orElseThrow().paid());
    }

    @Test
    void end_byAnOperator_saysWhyAndWhoAnswers() {
        Rental rental = activate(fund());
        engine.endByOperator(rental.id(), new Fault(Fault.Blame.RENTER, "abuse reported"));
        Rental ended = await(rental.id(), RentalState.ENDED);
        assertEquals(EndCause.BY_OPERATOR, ended.endCause().orElseThrow());
        assertEquals("abuse reported", ended.fault().orElseThrow().what());
        assertThrows(
                RentalException.WrongState.class,
                () -> engine.endByOperator(rental.id(), new Fault(Fault.Blame.NOBODY, "again")));
        Account stranger = escrow.party(Amount.ZERO).account();
        assertThrows(RentalException.NotFound.class, () -> engine.end(rental.id(), stranger));
    }

    @Test
    void cancel_afterTheNotice_owesItsShare_whichBothSign() {
        relist(Rate.of(100), new Cancellation(HOUR, 2_500, Duration.ZERO, 0));
        Rental rental = fund();
        engine.cancel(rental.id(), renter.account());
        Rental cancelled = await(rental.id(), RentalState.CANCELLED);
        assertEquals(Amount.of(90_000), cancelled.due());
        assertEquals(
                Amount.of(90_000),
                settleBySignatures(rental.id()).settlement().orElseThrow().paid());
    }

    @Test
    void cancel_beforeTheNotice_isFree() {
        relist(Rate.of(100), new Cancellation(Duration.ofSeconds(60), 10_000, Duration.ZERO, 0));
        Rental rental = fund();
        engine.cancel(rental.id(), renter.account());
        assertEquals(Amount.ZERO, await(rental.id(), RentalState.CANCELLED).due());
    }

    @Test
    void noShow_endsTheSession_andOwesTheShare() {
        relist(Rate.of(100), new Cancellation(Duration.ZERO, 0, Duration.ofMinutes(10), 5_000));
        Rental rental = activate(fund());
        passTo(rental.window().start().plus(Duration.ofMinutes(10)));
        Rental ended = await(rental.id(), RentalState.ENDED);
        assertEquals(EndCause.NO_SHOW, ended.endCause().orElseThrow());
        assertEquals(Fault.Blame.RENTER, ended.fault().orElseThrow().blame());
        assertEquals(Duration.ofMinutes(30), ended.charged(ended.legs().getFirst()));
        assertTrue(store.isFree(rental.gpus(), Window.of(now.plusSeconds(60), Duration.ofMinutes(20))));
    }

    @Test
    void noShow_ofARenterWhoCame_isNone() {
        relist(Rate.of(100), new Cancellation(Duration.ZERO, 0, Duration.ofMinutes(10), 5_000));
        Rental rental = activate(fund());
        passTo(rental.window().start().plus(Duration.ofMinutes(9)));
        assertTrue(access.enter(rental.id()).isPresent());
        assertTrue(state(rental.id()).enteredAt().isPresent());
        passTo(rental.window().start().plus(Duration.ofMinutes(11)));
        assertEquals(RentalState.ACTIVE, state(rental.id()).state());
    }

    @Test
    void windows_beyondAllTime_areRefused_notFailed() {
        for (Window bad : List.of(
                new Window(now.plusSeconds(60), Instant.MAX.minusNanos(999_999_999)),
                Window.of(now.plus(Duration.ofDays(365_000)), HOUR),
                new Window(Instant.MIN, now.plusSeconds(60)))) {
            assertThrows(
                    RentalException.Unacceptable.class,
                    () -> engine.quote(renter.account(), LISTING, bad),
                    bad.toString());
        }
    }

    @Test
    void price_atTheContractsLimit_overTheLongestWindow_isQuotedAndReserved() {
        relist(new Rate(Rate.MAX), Cancellation.FREE);
        Quote quote = engine.quote(renter.account(), LISTING, Window.of(now.plusSeconds(600), Duration.ofHours(4)));
        assertEquals(
                Rate.MAX.multiply(BigInteger.valueOf(14_400)), quote.total().units());
        assertEquals(
                quote.total(),
                engine.reserve(quote.id(), renter.account()).terms().deposit());
    }
}
