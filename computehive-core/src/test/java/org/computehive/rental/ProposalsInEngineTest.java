package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.computehive.manifest.Difference;
import org.computehive.market.Account;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.MachineShape;
import org.computehive.market.Maintenance;
import org.computehive.market.Rate;
import org.computehive.market.matching.Candidate;
import org.computehive.market.matching.Objective;
import org.computehive.market.matching.Proposals;
import org.computehive.market.search.FreeWindow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the engine proposes, from its listings and bookings. */
class ProposalsInEngineTest {
    private static final Account LENDER = new Account("0x" + "a".repeat(40));
    private static final Account RENTER = new Account("0x" + "b".repeat(40));
    private static final Instant NOON = Instant.parse("2026-12-01T12:00:00Z");
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Window DAY = Window.of(NOON.plus(HOUR), Duration.ofDays(1));

    private final InstantSource clock = () -> NOON;
    private final RentalEngine engine = RentalEngine.builder()
            .store(InMemoryStore.simulated(clock))
            .clock(clock)
            .build();

    @AfterEach
    void close() {
        engine.close();
    }

    private void list(String name, long rate, String image) {
        Host host = engine.registerHost(
                new HostId("host-" + name), LENDER, InMemoryHypervisor.withImages("ubuntu", "debian"));
        engine.list(Listing.of(
                new ListingId(name),
                host,
                new MachineShape(2, 1_024, 64, image),
                engine.escrow().token(),
                Rate.of(rate)));
    }

    private Rental book(String name, Instant start, Duration length) {
        RentalId quote = engine.quote(RENTER, new ListingId(name), Window.of(start, length))
                .id();
        return engine.reserve(quote, RENTER);
    }

    @Test
    void propose_cheapestFirst_saysWhy() {
        list("dear", 20, "ubuntu");
        list("cheap", 10, "ubuntu");

        List<Proposals.Ranked> proposals =
                engine.propose(ListingQuery.lasting(HOUR, DAY).build(), Objective.CHEAPEST, 3);

        assertEquals("cheap", proposals.getFirst().proposal().candidate());
        assertFalse(proposals.getFirst().why().isBlank());
    }

    @Test
    void propose_aroundABooking_leavesItsTurnover() {
        list("one", 10, "ubuntu");
        Instant start = DAY.start().plus(HOUR);
        book("one", start, HOUR);

        Candidate candidate =
                engine.candidates(ListingQuery.lasting(HOUR, DAY).build()).getFirst();

        Duration turnover = candidate.turnover();
        assertEquals(
                List.of(
                        new Window(DAY.start(), start.minus(turnover)),
                        new Window(start.plus(HOUR).plus(turnover), DAY.end())),
                candidate.free());
    }

    @Test
    void timeBehindAMaintenance_isFound() {
        list("one", 10, "ubuntu");
        Listing listing = engine.listing(new ListingId("one"));
        engine.block(
                LENDER,
                new Maintenance(
                        listing.host(),
                        "fans",
                        listing.gpus(),
                        Window.of(DAY.start(), Duration.ofHours(2)),
                        "new fans"));

        FreeWindow free =
                engine.freeWindows(ListingQuery.lasting(HOUR, DAY).build()).getFirst();

        assertEquals(DAY.start().plus(Duration.ofHours(2)), free.window().start());
        assertEquals(
                free.window().start(),
                engine.propose(ListingQuery.lasting(HOUR, DAY).build(), Objective.EARLIEST, 1)
                        .getFirst()
                        .proposal()
                        .window()
                        .start());
    }

    @Test
    void everyProposal_canBeReserved() {
        list("one", 10, "ubuntu");
        list("two", 11, "ubuntu");
        book("one", DAY.start().plus(Duration.ofMinutes(61)), HOUR);
        for (Objective objective : List.of(Objective.EARLIEST, Objective.CHEAPEST, Objective.LEAST_FRAGMENTATION)) {
            Proposals.Ranked best = engine.propose(
                            ListingQuery.lasting(HOUR, DAY).build(), objective, 1)
                    .getFirst();

            Rental rental =
                    book(best.proposal().candidate(), best.proposal().window().start(), HOUR);

            assertEquals(RentalState.RESERVED, rental.state());
        }
    }

    @Test
    void propose_forATimeThatIsOver_isRefused() {
        list("one", 10, "ubuntu");
        Window past = Window.of(NOON.minus(Duration.ofDays(2)), Duration.ofDays(1));

        var refused = assertThrows(
                RentalException.Unacceptable.class,
                () -> engine.propose(ListingQuery.lasting(HOUR, past).build(), Objective.EARLIEST, 1));

        assertTrue(refused.getMessage().contains("look further ahead"), refused.getMessage());
    }

    @Test
    void rebook_findsTheSameFirstAndSaysWhatDiffers() throws Exception {
        list("cheap-but-other", 1, "debian");
        list("same", 10, "ubuntu");
        Rental rental = book("same", DAY.start(), HOUR);
        engine.when(rental.id(), any -> true).get(1, TimeUnit.SECONDS);

        List<Rebooking> again = engine.rebook(
                rental.terms().manifest(rental.id()),
                ListingQuery.in(Window.of(DAY.start().plus(Duration.ofHours(3)), HOUR))
                        .gpus(1)
                        .build());

        assertEquals("same", again.getFirst().free().listing().id().value());
        assertTrue(again.getFirst().isSame());
        assertEquals(
                List.of(new Difference("image/name", "ubuntu", "debian")),
                again.get(1).differences());
    }
}
