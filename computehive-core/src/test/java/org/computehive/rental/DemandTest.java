package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.demand.DemandSignals;
import org.computehive.demand.DemandState;
import org.computehive.market.Account;
import org.computehive.market.ListingQuery;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the engine measures of demand, gives the advisor, and keeps of its advice. */
class DemandTest {
    private static final Instant TODAY = Instant.parse("2026-11-22T00:00:00Z");
    private static final Instant TOMORROW = TODAY.plus(Duration.ofDays(1));

    private final World world = World.ofHosts(2);
    private final List<Request> asked = new ArrayList<>();
    private String model = "";

    @TempDir
    private Path folder;

    @BeforeEach
    void advise() {
        model = world.store.hosts().getFirst().gpus().getFirst().model();
        world.advisor = request -> {
            asked.add(request);
            return suggestion(request);
        };
    }

    @AfterEach
    void close() {
        world.close();
    }

    private static PriceSuggestion suggestion(Request request) {
        return new PriceSuggestion(
                "USD",
                300_000,
                400_000,
                500_000,
                PriceSuggestion.Confidence.HIGH,
                List.of(),
                "a peer",
                "made up",
                "0".repeat(64),
                LocalDate.parse("2026-11-01"),
                request.demand().flatMap(DemandState::newest).stream().toList());
    }

    private Request request() {
        return new Request(
                model,
                1,
                OptionalLong.empty(),
                1,
                256,
                OptionalDouble.empty(),
                OptionalLong.empty(),
                OptionalLong.empty());
    }

    private PriceSuggestion ask() {
        return world.engine.suggestPrice(world.lender.account(), request());
    }

    private void measureOn(Instant day) {
        world.passTo(day);
        world.engine.measureDemand();
    }

    @Test
    void suggestPrice_afterADayWithABooking_getsWhatTheStoreSaysOfIt() {
        world.funded();
        assertEquals(List.of(), ask().demand());
        measureOn(TOMORROW);

        var expected = new DemandSignals(TOMORROW, 4. / 48, 0, 0, 1, Duration.ofMinutes(10));
        assertEquals(List.of(expected), ask().demand());
        assertEquals(
                Optional.of(DemandState.neutral(TODAY).next(expected)),
                asked.getLast().demand());
    }

    @Test
    void suggestPrice_dayAfterDay_movesFromWhereItWasByTheLimit() {
        world.funded();
        measureOn(TOMORROW);
        ask();
        DemandState before = asked.getLast().demand().orElseThrow();
        for (int day = 2; day < 8; day++) {
            measureOn(TODAY.plus(Duration.ofDays(day)));
            ask();
            DemandState now = asked.getLast().demand().orElseThrow();
            assertEquals(before.next(now.newest().orElseThrow()), now);
            assertTrue(now.multiplier() >= .9 * before.multiplier() - 1e-12, now::toString);
            before = now;
        }
        assertTrue(before.multiplier() < 1, before::toString);
    }

    @Test
    void suggestPrice_withoutAnyPaidBooking_knowsNothing() {
        RentalId quote = world.engine
                .quote(world.renter.account(), world.lot(1), world.window())
                .id();
        world.engine.reserve(quote, world.renter.account());
        measureOn(TOMORROW);
        assertEquals(List.of(), ask().demand());
    }

    @Test
    void suggestPrice_searchesThatFoundNothing_areCounted() {
        world.funded();
        Window day = Window.of(world.now.plusSeconds(60), Duration.ofHours(2));
        for (int gpus : new int[] {1, 5, 6, 7}) {
            world.engine.freeWindows(
                    ListingQuery.in(day).model(model).gpusAtLeast(gpus).build());
        }
        world.engine.freeWindows(ListingQuery.in(day).gpusAtLeast(9).build()); // for any model
        world.engine.freeWindows(ListingQuery.in(day).model("another").build());
        measureOn(TOMORROW);

        DemandSignals signals = ask().demand().getFirst();
        assertEquals(4, signals.searches());
        assertEquals(3, signals.foundNothing());
    }

    @Test
    void suggestPrice_statedUtilisationOrDemand_isLeftAsItIs() {
        world.funded();
        measureOn(TOMORROW);
        DemandState own = DemandState.neutral(TODAY);
        world.engine.suggestPrice(request().with(own));
        assertEquals(Optional.of(own), asked.getLast().demand());
    }

    @Test
    void suggestPrice_toALender_bringsItsOwnBookings() {
        world.funded();
        measureOn(TOMORROW);
        ask();
        var own = asked.getLast().own().orElseThrow();
        assertEquals(1, own.bookings());
        assertEquals(
                List.of(Duration.ofMinutes(10)),
                own.leadTimes().stream().distinct().toList());
        world.engine.suggestPrice(request());
        assertEquals(Optional.empty(), asked.getLast().own());
    }

    @Test
    void adviceOutcomes_standBesideWhatWasChargedUntilTheNext() {
        ask();
        world.pass(Duration.ofSeconds(1));
        world.funded();
        world.pass(Duration.ofSeconds(1));
        ask();

        List<AdviceOutcome> outcomes = world.engine.adviceOutcomes(world.lender.account());
        assertEquals(
                List.of(0, 1), outcomes.stream().map(AdviceOutcome::rentals).toList());
        assertEquals(OptionalLong.empty(), outcomes.getFirst().charged());
        assertEquals(OptionalLong.of(360_000), outcomes.getLast().charged()); // 100 units a second, 6 decimals
        assertEquals(400_000, outcomes.getLast().advice().suggestion().point());
        assertEquals(List.of(), world.engine.adviceOutcomes(world.renter.account()));
    }

    @Test
    void history_inAFile_isReadAgainWithoutALineThatWasCutOff() throws Exception {
        Path file = folder.resolve("suggestions.jsonl");
        var history = SuggestionHistory.inFile(file);
        var first = new GivenAdvice(Sample.LENDER, TODAY, "T4", 1, suggestion(request()));
        var second = new GivenAdvice(Sample.LENDER, TOMORROW, "T4", 2, suggestion(request()));
        history.keep(first);
        history.write(first);
        Files.writeString(file, Files.readString(file) + "\n{\"lender\":\"0x");
        var reopened = SuggestionHistory.inFile(file);
        reopened.keep(second);
        reopened.write(second);
        assertEquals(List.of(first, second), SuggestionHistory.inFile(file).of(Sample.LENDER));
        assertEquals(List.of(), SuggestionHistory.inFile(file).of(Sample.OPERATOR));
        assertThrows(java.io.UncheckedIOException.class, () -> SuggestionHistory.inFile(folder));
    }

    private static GivenAdvice advice(Account lender, long second, PriceSuggestion suggestion) {
        return new GivenAdvice(lender, TODAY.plusSeconds(second), "T4", 1, suggestion);
    }

    @Test
    void history_lenderThatAsksWithoutEnd_pushesOutOnlyItsOwn() {
        PriceSuggestion suggestion = suggestion(request());
        var history = SuggestionHistory.inMemory();
        history.keep(advice(Sample.OPERATOR, 0, suggestion));
        for (int second = 1; second <= 2 * SuggestionHistory.MOST; second++) {
            history.keep(advice(Sample.LENDER, second, suggestion));
        }
        List<GivenAdvice> left = history.of(Sample.LENDER);
        assertEquals(SuggestionHistory.MOST_OF_ONE, left.size());
        assertEquals(
                TODAY.plusSeconds(2L * SuggestionHistory.MOST - SuggestionHistory.MOST_OF_ONE + 1),
                left.getFirst().at());
        assertEquals(1, history.of(Sample.OPERATOR).size());
    }

    @Test
    void history_manyLendersTogetherOverTheLimit_thoseWithTheMostLoseTheirOldest() {
        PriceSuggestion suggestion = suggestion(request());
        var history = SuggestionHistory.inMemory();
        history.keep(advice(RentalStoreContract.account(99), 0, suggestion));
        int second = 1;
        for (int lender = 1; lender <= 11; lender++) {
            for (int i = 0; i < SuggestionHistory.MOST_OF_ONE; i++) {
                history.keep(advice(RentalStoreContract.account(lender), second++, suggestion));
            }
        }
        assertEquals(1, history.of(RentalStoreContract.account(99)).size());
        int all = 1;
        for (int lender = 1; lender <= 11; lender++) {
            List<GivenAdvice> left = history.of(RentalStoreContract.account(lender));
            assertTrue(left.size() >= SuggestionHistory.MOST / 11 - 1, "lender " + lender + " has " + left.size());
            all += left.size();
        }
        assertEquals(SuggestionHistory.MOST, all);
    }
}
