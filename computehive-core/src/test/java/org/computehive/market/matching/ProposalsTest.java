package org.computehive.market.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.computehive.market.Amount;
import org.computehive.market.Rate;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

class ProposalsTest {
    private static final Instant NOON = Instant.parse("2027-01-04T12:00:00Z");

    private static Window hours(int from, int to) {
        return new Window(NOON.plus(Duration.ofHours(from)), NOON.plus(Duration.ofHours(to)));
    }

    private static Request request(int gpus, int hours, int latestEnd) {
        return new Request(
                "mine", gpus, Duration.ofHours(hours), NOON, NOON.plus(Duration.ofHours(latestEnd)), Amount.ZERO);
    }

    private static Candidate candidate(String id, long rate, Window... free) {
        return new Candidate(id, 2, Rate.of(rate), Duration.ZERO, List.of(free));
    }

    @Test
    void best_byObjective_isTheEarliestTheCheapestOrTheTightest() {
        Candidate early = candidate("early", 30, hours(-1, 9));
        Candidate cheap = candidate("cheap", 10, hours(3, 20));
        Candidate tight = candidate("tight", 20, new Window(NOON.plusSeconds(1800), NOON.plusSeconds(1800 + 4 * 3600)));
        List<Candidate> all = List.of(tight, early, cheap);
        Request request = request(2, 4, 24);
        assertEquals(List.of("early", "tight", "cheap"), ids(Proposals.best(request, all, Objective.EARLIEST, 9)));
        assertEquals(List.of("cheap", "tight", "early"), ids(Proposals.best(request, all, Objective.CHEAPEST, 9)));
        List<Proposals.Ranked> tightest = Proposals.best(request, all, Objective.LEAST_FRAGMENTATION, 1);
        assertEquals(hours(3, 7), tightest.getFirst().proposal().window());
        assertEquals(Duration.ZERO, tightest.getFirst().proposal().stranded());
    }

    private static List<String> ids(List<Proposals.Ranked> ranked) {
        return ranked.stream().map(it -> it.proposal().candidate()).toList();
    }

    @Test
    void best_saysItsTerms_andWhyItRanksBeforeTheNext() {
        var hourly = new Objective(Rate.of(1), Rate.of(2), Duration.ofHours(1));
        List<Proposals.Ranked> ranked = Proposals.best(
                request(1, 4, 24),
                List.of(candidate("near", 30, hours(0, 4)), candidate("cheap", 20, hours(2, 8))),
                hourly,
                5);
        assertEquals(
                "cheap [2027-01-04T14:00:00Z, 2027-01-04T18:00:00Z): total 295200 = rent 288000 + waiting 7200 (PT2H) + stranded 0 (PT0S); "
                        + "136800 better than near [2027-01-04T12:00:00Z, 2027-01-04T16:00:00Z): rent 144000 less, waiting 7200 more",
                ranked.getFirst().why());
        assertTrue(
                ranked.get(1).why().endsWith("nothing else fits"), ranked.get(1).why());
    }

    @Test
    void best_leavesAGapThatIsUseful_ratherThanOneThatIsNot() {
        // Free for 5.5 hours, asked for 4 from half past twelve on: as early as may be would strand both gaps.
        var thrifty = new Objective(Rate.of(1), Rate.of(10), Duration.ofHours(1));
        var request = new Request(
                "mine", 1, Duration.ofHours(4), NOON.plusSeconds(1800), NOON.plus(Duration.ofHours(9)), Amount.ZERO);
        Candidate candidate = new Candidate(
                "a", 2, Rate.of(1), Duration.ofMinutes(1), List.of(Window.of(NOON, Duration.ofMinutes(330))));
        Proposal best = Proposals.best(request, List.of(candidate), thrifty, 1)
                .getFirst()
                .proposal();
        // The gap on the left is an hour and a turnover; what is left on the right, 29 minutes, is stranded.
        assertEquals(NOON.plus(Duration.ofMinutes(90)), best.window().start());
        assertEquals(Duration.ZERO, best.stranded());
    }

    @Test
    void best_ofRandomCases_isThatOfEverySecond() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            Instant start = NOON.plusSeconds(random.nextInt(40) - 20);
            List<Window> free = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                Window next =
                        Window.of(start.plusSeconds(random.nextInt(5)), Duration.ofSeconds(1 + random.nextInt(40)));
                free.add(next);
                start = next.end();
            }
            Collections.shuffle(free, random);
            var candidate =
                    new Candidate("a", 1, Rate.of(random.nextInt(5)), Duration.ofSeconds(random.nextInt(4)), free);
            var request = new Request(
                    "r",
                    1,
                    Duration.ofSeconds(1 + random.nextInt(12)),
                    NOON.plusSeconds(random.nextInt(20)),
                    NOON.plusSeconds(40 + random.nextInt(60)),
                    Amount.ZERO);
            var objective = new Objective(
                    Rate.of(random.nextInt(4)), Rate.of(random.nextInt(4)), Duration.ofSeconds(1 + random.nextInt(10)));
            List<Proposals.Ranked> best = Proposals.best(request, List.of(candidate), objective, 1);
            List<BigInteger> all = everySecond(request, candidate, objective);
            assertEquals(
                    all.isEmpty() ? List.of() : List.of(Collections.min(all)),
                    best.stream().map(it -> it.proposal().total()).toList(),
                    "seed " + seed + " round " + round);
        }
    }

    /** The totals of every start, as the documentation defines them. */
    private static List<BigInteger> everySecond(Request request, Candidate candidate, Objective objective) {
        List<BigInteger> totals = new ArrayList<>();
        long useful = objective.usefulGap().plus(candidate.turnover()).toSeconds();
        for (Window free : candidate.free()) {
            for (Instant at = free.start(); at.isBefore(free.end()); at = at.plusSeconds(1)) {
                Window window = Window.of(at, request.length());
                if (!free.covers(window)
                        || at.isBefore(request.earliest())
                        || window.end().isAfter(request.latestEnd())) {
                    continue;
                }
                long left = Duration.between(free.start(), at).toSeconds();
                long right = Duration.between(window.end(), free.end()).toSeconds();
                long stranded = (left < useful ? left : 0) + (right < useful ? right : 0);
                totals.add(candidate
                        .rate()
                        .cost(request.length())
                        .units()
                        .add(objective
                                .delay()
                                .unitsPerSecond()
                                .multiply(BigInteger.valueOf(
                                        Duration.between(request.earliest(), at).toSeconds())))
                        .add(objective.stranded().unitsPerSecond().multiply(BigInteger.valueOf(stranded))));
            }
        }
        return totals;
    }

    @Test
    void best_whereNothingFits_isNothing() {
        assertEquals(
                List.of(),
                Proposals.best(request(3, 4, 24), List.of(candidate("a", 1, hours(0, 9))), Objective.CHEAPEST, 1));
        assertEquals(
                List.of(),
                Proposals.best(request(1, 4, 24), List.of(candidate("a", 1, hours(0, 3))), Objective.CHEAPEST, 1));
        assertEquals(
                List.of(),
                Proposals.best(request(1, 4, 6), List.of(candidate("a", 1, hours(3, 9))), Objective.CHEAPEST, 1));
        assertEquals(List.of(), Proposals.best(request(1, 4, 6), List.of(), Objective.CHEAPEST, 1));
    }

    @Test
    void best_ofFractionsOfSeconds_staysWithinTheFreeWindow() {
        Window free = new Window(NOON.plusMillis(300), NOON.plusSeconds(7).plusMillis(700));
        Request request = new Request("r", 1, Duration.ofSeconds(6), NOON, NOON.plusSeconds(60), Amount.ZERO);
        Proposal best = Proposals.best(request, List.of(candidate("a", 1, free)), Objective.EARLIEST, 1)
                .getFirst()
                .proposal();
        assertEquals(NOON.plusSeconds(1), best.window().start());
        assertTrue(free.covers(best.window()));
    }

    @Test
    void values_outOfRange_areRefused() {
        Request request = request(1, 4, 24);
        Candidate candidate = candidate("a", 1, hours(0, 9));
        assertThrows(
                IllegalArgumentException.class,
                () -> Proposals.best(request, List.of(candidate), Objective.CHEAPEST, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> Proposals.best(request, List.of(candidate), Objective.CHEAPEST, 101));
        assertThrows(
                IllegalArgumentException.class,
                () -> Proposals.best(request, List.of(candidate, candidate), Objective.CHEAPEST, 1));
        assertThrows(IllegalArgumentException.class, () -> candidate("a", 1, hours(0, 9), hours(8, 10)));
        assertThrows(IllegalArgumentException.class, () -> candidate("", 1, hours(0, 9)));
        assertThrows(IllegalArgumentException.class, () -> candidate("a\nb", 1, hours(0, 9)));
        assertThrows(IllegalArgumentException.class, () -> request(0, 4, 24));
        assertThrows(IllegalArgumentException.class, () -> request(65, 4, 24));
        assertThrows(IllegalArgumentException.class, () -> request(1, 25, 24));
        assertThrows(IllegalArgumentException.class, () -> request(1, 0, 24));
        assertThrows(IllegalArgumentException.class, () -> request(1, 1, 24 * 367));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Request("r", 1, Duration.ofMillis(1500), NOON, NOON.plusSeconds(9), Amount.ZERO));
        assertThrows(IllegalArgumentException.class, () -> new Objective(Rate.of(0), Rate.of(0), Duration.ZERO));
    }
}
