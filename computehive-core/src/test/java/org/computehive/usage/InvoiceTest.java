package org.computehive.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.YearMonth;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.reputation.Outcome;
import org.computehive.reputation.Outcomes;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;
import org.computehive.usage.Invoice.Role;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whole rentals over the in-memory ports, then the books: what they say is what the escrow paid. */
class InvoiceTest {
    private static final ListingId LISTING = new ListingId("gpu-1");
    private static final YearMonth NOVEMBER = YearMonth.of(2026, 11);
    private static final Amount MONEY = Amount.of(10_000_000);

    private volatile Instant now = Instant.parse("2026-11-30T20:00:00Z");
    private final InstantSource clock = () -> now;
    private final InMemoryStore store = InMemoryStore.simulated(clock);
    private final InMemoryEscrow escrow = new InMemoryEscrow(new Token(Account.ZERO, "=USD\"<b>", 6, true), clock);
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(MONEY);
    private RentalEngine engine;

    @BeforeEach
    void open() {
        engine = RentalEngine.builder().store(store).escrow(escrow).clock(clock).build();
        Host host =
                engine.registerHost(new HostId("host-1"), lender.account(), InMemoryHypervisor.withImages("ubuntu"));
        engine.list(Listing.of(LISTING, host, new MachineShape(2, 1_024, 64, "ubuntu"), escrow.token(), Rate.of(100)));
        engine.start();
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private Rental await(RentalId id, Predicate<Rental> condition) {
        store.runDue();
        return engine.when(id, condition).orTimeout(20, TimeUnit.SECONDS).join();
    }

    private void passTo(Instant instant) {
        now = instant;
        store.runDue();
    }

    private Rental funded() {
        Window window = Window.of(now.plus(Duration.ofHours(1)), Duration.ofHours(1));
        RentalId id = engine.quote(renter.account(), LISTING, window).id();
        engine.reserve(id, renter.account());
        EscrowOffer offer =
                await(id, rental -> rental.offer().isPresent()).offer().orElseThrow();
        engine.signOffer(id, lender.sign(offer.digest()));
        renter.open(offer, lender.sign(offer.digest()));
        return await(id, rental -> rental.state() == RentalState.FUNDED && rental.lastInvitation() == 0);
    }

    private Rental active() {
        Rental rental = funded();
        passTo(rental.window().start().minusSeconds(200));
        await(rental.id(), booted -> booted.machine().isPresent());
        passTo(rental.window().start());
        return await(rental.id(), usable -> usable.state() == RentalState.ACTIVE);
    }

    private Rental settledAfter(Duration used) {
        Rental rental = active();
        passTo(rental.window().start().plus(used));
        engine.end(rental.id(), renter.account());
        await(rental.id(), ended -> ended.state() == RentalState.ENDED);
        Hash32 receipt = engine.receiptToSign(rental.id());
        engine.signReceipt(rental.id(), renter.account(), renter.sign(receipt));
        engine.signReceipt(rental.id(), lender.account(), lender.sign(receipt));
        return await(rental.id(), settled -> settled.state() == RentalState.SETTLED);
    }

    private Invoice invoice(Account party, Role role, YearMonth month) {
        return Invoice.of(party, role, month, engine.rentals(party).stream(), now);
    }

    private Invoice.Totals total(Invoice invoice) {
        return invoice.totals().values().stream().findFirst().orElseThrow();
    }

    @Test
    void sums_areWhatTheEscrowPaid() {
        settledAfter(Duration.ofSeconds(1_000));
        settledAfter(Duration.ofSeconds(7));

        Invoice earned = invoice(lender.account(), Role.LENDER, NOVEMBER);
        Invoice spent = invoice(renter.account(), Role.RENTER, NOVEMBER);

        assertEquals(2, earned.lines().size());
        assertEquals(lender.balance(), total(earned).paid());
        assertEquals(MONEY.minus(renter.balance()), total(spent).paid());
        assertEquals(
                total(earned).deposit(), total(earned).paid().plus(total(earned).refunded()));
        assertTrue(invoice(lender.account(), Role.RENTER, NOVEMBER).lines().isEmpty());
    }

    @Test
    void settlementOfTheNextMonth_isInTheNextInvoice() {
        settledAfter(Duration.ofSeconds(10));
        assertFalse(invoice(lender.account(), Role.LENDER, NOVEMBER).complete());
        now = Instant.parse("2026-12-01T00:00:00Z");
        settledAfter(Duration.ofSeconds(20));

        Invoice november = invoice(lender.account(), Role.LENDER, NOVEMBER);
        Invoice december = invoice(lender.account(), Role.LENDER, NOVEMBER.plusMonths(1));

        assertTrue(november.complete());
        assertEquals(Amount.of(1_000), total(november).paid());
        assertEquals(Amount.of(2_000), total(december).paid());
        assertEquals(
                lender.balance(), total(november).paid().plus(total(december).paid()));
    }

    @Test
    void csv_isOneLineASettlement_andNoFormula() {
        settledAfter(Duration.ofSeconds(1_000));

        List<String> lines =
                invoice(lender.account(), Role.LENDER, NOVEMBER).csv().lines().toList();

        assertEquals(2, lines.size());
        assertTrue(lines.getFirst().startsWith("settled_at,rental,leg,"));
        assertTrue(lines.get(1).contains("\"'=USD\"\"<b>\""), lines.get(1));
        assertTrue(lines.get(1).contains(",360000,100000,260000,0x"), lines.get(1));
    }

    @Test
    void html_showsTheSumsAndEscapesWhatItShows() {
        settledAfter(Duration.ofSeconds(1_000));

        String page = invoice(lender.account(), Role.LENDER, NOVEMBER).html();

        assertTrue(page.contains("0.100000 =USD&quot;&lt;b&gt;"), page);
        assertFalse(page.contains("<b>"), page);
        assertFalse(page.contains("<script"), page);
        assertTrue(page.contains("The month is not over"), page);
    }

    @Test
    void rentalThatRan_isAServedOutcome() {
        Outcome outcome = Outcomes.of(settledAfter(Duration.ofSeconds(1_000))).orElseThrow();

        assertEquals(Outcome.Verdict.SERVED, outcome.verdict());
        assertEquals(lender.balance(), outcome.paid());
    }

    @Test
    void searchByReputation_findsALenderWhoHasOne() {
        Window tomorrow = Window.of(now.plus(Duration.ofDays(1)), Duration.ofHours(1));
        ListingQuery known = ListingQuery.in(tomorrow).reputation(1).build();
        assertEquals(List.of(), engine.search(known));
        settledAfter(Duration.ofSeconds(1_000));
        now = now.plus(Duration.ofMinutes(2));

        assertEquals(1, engine.search(known).size());
        assertEquals(
                List.of(),
                engine.search(ListingQuery.in(tomorrow).reputation(1_000).build()));
    }

    @Test
    void rentalThatRuns_isNoOutcomeYet() {
        assertEquals(Optional.empty(), Outcomes.of(active()));
    }

    @Test
    void rentalCalledOffByItsLender_isItsFault() {
        Rental rental = funded();
        engine.signRelease(rental.id(), lender.sign(engine.releaseToSign(rental.id())));
        Rental settled = await(rental.id(), over -> over.state() == RentalState.SETTLED);

        assertEquals(
                Outcome.Verdict.LENDER_FAULT, Outcomes.of(settled).orElseThrow().verdict());
        assertEquals(MONEY, renter.balance());
        UsageRecord usage = UsageRecord.of(settled);
        assertEquals(Duration.ZERO, usage.used());
        assertEquals(Amount.ZERO, usage.charges().getFirst().paid());
    }

    @Test
    void offer_bindsTheManifestThatWasAgreed_andTheSessionRanOnIt() {
        Rental rental = active();

        assertEquals(
                Hash32.of(rental.terms().manifest(rental.id()).sha256()),
                rental.offer().orElseThrow().spec());
        var ran = rental.manifest().orElseThrow();
        assertEquals(List.of(), rental.terms().setup().differences(ran.setup()));
        assertEquals(rental.terms().manifest(rental.id()), ran);
    }
}
