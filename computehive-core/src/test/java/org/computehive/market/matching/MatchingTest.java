package org.computehive.market.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.computehive.market.Amount;
import org.computehive.market.Rate;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

class MatchingTest {
    private static final Instant NOON = Instant.parse("2027-01-04T12:00:00Z");

    private static Instant hour(int hours) {
        return NOON.plus(Duration.ofHours(hours));
    }

    private static Request request(String id, int hours, int earliest, int latestEnd, long worth) {
        return new Request(id, 1, Duration.ofHours(hours), hour(earliest), hour(latestEnd), Amount.of(worth));
    }

    private static Candidate candidate(String id, long rate, int from, int to) {
        return new Candidate(id, 1, Rate.of(rate), Duration.ZERO, List.of(new Window(hour(from), hour(to))));
    }

    /** Checks what must always hold, and returns the sum of the weights. */
    private static BigInteger check(Plan plan, List<Request> requests, List<Candidate> candidates, String message) {
        BigInteger sum = BigInteger.ZERO;
        List<Window> taken = new ArrayList<>();
        List<String> by = new ArrayList<>();
        assertEquals(requests.size(), plan.answers().size(), message);
        for (int i = 0; i < requests.size(); i++) {
            Request request = requests.get(i);
            Plan.Answer answer = plan.answers().get(i);
            assertEquals(request.id(), answer.request(), message);
            if (answer instanceof Plan.Matched matched) {
                Proposal proposal = matched.proposal();
                Candidate candidate = candidates.stream()
                        .filter(it -> it.id().equals(proposal.candidate()))
                        .findFirst()
                        .orElseThrow();
                assertTrue(candidate.free().stream().anyMatch(it -> it.covers(proposal.window())), message);
                assertTrue(new Window(request.earliest(), request.latestEnd()).covers(proposal.window()), message);
                assertEquals(request.length(), proposal.window().length(), message);
                assertTrue(candidate.gpus() >= request.gpus(), message);
                BigInteger weight = request.worth().units().subtract(proposal.total());
                assertTrue(weight.signum() > 0, message);
                sum = sum.add(weight);
                Window blocked = proposal.window().extendedBy(candidate.turnover());
                for (int j = 0; j < taken.size(); j++) {
                    assertTrue(
                            !by.get(j).equals(candidate.id()) || !taken.get(j).overlaps(blocked), message);
                }
                taken.add(blocked);
                by.add(candidate.id());
            }
        }
        assertEquals(sum, plan.weight(), message);
        assertTrue(plan.bound().compareTo(sum) >= 0, message);
        assertTrue(plan.bound().subtract(plan.precision()).compareTo(sum.shiftLeft(1)) <= 0, message);
        return sum;
    }

    @Test
    void best_ofOneWindowForAll_isTheAssignmentThatGreedMisses() {
        // b would take the pair from a, which needs both gpus.
        Request a = new Request("a", 2, Duration.ofHours(4), hour(0), hour(4), Amount.of(200_000));
        List<Request> requests = List.of(a, request("b", 4, 0, 4, 500_000));
        Candidate pair = new Candidate("pair", 2, Rate.of(10), Duration.ZERO, List.of(new Window(hour(0), hour(4))));
        List<Candidate> candidates = List.of(pair, candidate("single", 11, 0, 4));
        Plan plan = Matching.best(requests, candidates, Objective.CHEAPEST);
        check(plan, requests, candidates, "");
        assertTrue(plan.isOptimal());
        assertEquals(
                "single [2027-01-04T12:00:00Z, 2027-01-04T16:00:00Z): total 158400 = rent 158400 + waiting 0 (PT0S) + stranded 0 (PT0S); weight 341600; "
                        + "its best is pair [2027-01-04T12:00:00Z, 2027-01-04T16:00:00Z), 14400 better than single [2027-01-04T12:00:00Z, 2027-01-04T16:00:00Z): "
                        + "rent 14400 less, but taken by a (weight 56000)",
                plan.answers().get(1).why());
    }

    @Test
    void best_packsRequestsOneAfterTheOther_turnoverBetween() {
        List<Request> requests = IntStream.range(0, 4)
                .mapToObj(i -> request("r" + i, 3, 0, 12, 100_000))
                .toList();
        Candidate lot =
                new Candidate("lot", 1, Rate.of(1), Duration.ofMinutes(10), List.of(new Window(hour(0), hour(11))));
        Plan plan = Matching.best(requests, List.of(lot), Objective.CHEAPEST);
        check(plan, requests, List.of(lot), "");
        assertEquals(
                3,
                plan.answers().stream().filter(Plan.Matched.class::isInstance).count());
        assertTrue(plan.isOptimal());
    }

    @Test
    void best_saysWhyOneGetsNothing() {
        List<Request> requests = List.of(
                new Request("large", 8, Duration.ofHours(1), hour(0), hour(9), Amount.of(1_000_000)),
                request("long", 30, 0, 40, 10_000_000),
                request("poor", 1, 0, 9, 3_600),
                request("weak", 9, 0, 9, 40_000),
                request("strong", 9, 0, 9, 90_000));
        List<Candidate> candidates = List.of(candidate("lot", 1, 0, 9));
        Plan plan = Matching.best(requests, candidates, Objective.CHEAPEST);
        check(plan, requests, candidates, "");
        assertEquals(
                List.of(
                        Plan.Reason.TOO_MANY_GPUS,
                        Plan.Reason.NOTHING_FREE,
                        Plan.Reason.WORTH_TOO_LITTLE,
                        Plan.Reason.OUTWEIGHED),
                plan.answers().subList(0, 4).stream()
                        .map(it -> ((Plan.Unmatched) it).reason())
                        .toList());
        assertEquals(
                "its best is lot [2027-01-04T12:00:00Z, 2027-01-04T21:00:00Z): total 32400 = rent 32400 + waiting 0 (PT0S) + stranded 0 (PT0S), weight 7600, "
                        + "but taken by strong (weight 57600)",
                plan.answers().get(3).why());
        assertTrue(plan.answers().get(2).why().startsWith("it is worth 3600, and its best is lot"));
    }

    @Test
    void best_ofRandomSmallCases_isThatOfBruteForceOverItsStarts() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            List<Request> requests = IntStream.range(0, 1 + random.nextInt(4))
                    .mapToObj(i -> {
                        int earliest = random.nextInt(4);
                        int length = 1 + random.nextInt(3);
                        return request(
                                "r" + i,
                                length,
                                earliest,
                                earliest + length + random.nextInt(5),
                                random.nextInt(60_000));
                    })
                    .toList();
            List<Candidate> candidates = IntStream.range(0, 1 + random.nextInt(2))
                    .mapToObj(i -> candidate("c" + i, random.nextInt(4), random.nextInt(3), 4 + random.nextInt(6)))
                    .toList();
            var objective = new Objective(Rate.of(random.nextInt(2)), Rate.of(random.nextInt(2)), Duration.ofHours(1));
            String message = "seed " + seed + " round " + round;
            Plan plan = Matching.best(requests, candidates, objective);
            BigInteger weight = check(plan, requests, candidates, message);
            assertTrue(plan.isOptimal(), message);
            // Whole hours everywhere, and at most four requests: every start on the hour is all there is to choose
            // from.
            BigInteger best = bruteForce(requests, candidates, objective, 0, new ArrayList<>());
            assertTrue(weight.compareTo(best) <= 0, message);
            assertTrue(weight.shiftLeft(1).compareTo(best) >= 0, message);
            if (requests.stream().map(Request::length).distinct().count() == 1
                    && objective.stranded().unitsPerSecond().signum() == 0
                    && requests.stream().map(Request::earliest).distinct().count() == 1) {
                assertEquals(best, weight, message);
            }
        }
    }

    private record Taken(String candidate, Window window) {}

    private static BigInteger bruteForce(
            List<Request> requests, List<Candidate> candidates, Objective objective, int next, List<Taken> taken) {
        if (next == requests.size()) {
            return BigInteger.ZERO;
        }
        BigInteger best = bruteForce(requests, candidates, objective, next + 1, taken);
        Request request = requests.get(next);
        for (Candidate candidate : candidates) {
            Window free = candidate.free().getFirst();
            for (Instant at = request.earliest();
                    !at.plus(request.length()).isAfter(request.latestEnd());
                    at = at.plusSeconds(3600)) {
                Window window = Window.of(at, request.length());
                boolean clash = taken.stream()
                        .anyMatch(it -> it.candidate().equals(candidate.id())
                                && it.window().overlaps(window));
                BigInteger weight = request.worth()
                        .units()
                        .subtract(Proposals.at(request, candidate, free, at, objective)
                                .total());
                if (free.covers(window) && !clash && weight.signum() > 0) {
                    taken.addLast(new Taken(candidate.id(), window));
                    best = best.max(weight.add(bruteForce(requests, candidates, objective, next + 1, taken)));
                    taken.removeLast();
                }
            }
        }
        return best;
    }

    @Test
    void best_ofLargeAmounts_isRightWithinItsPrecision() {
        BigInteger unit = BigInteger.TEN.pow(18);
        List<Request> requests = IntStream.range(0, 20)
                .mapToObj(i -> new Request(
                        "r" + i,
                        1,
                        Duration.ofHours(4),
                        hour(0),
                        hour(4),
                        new Amount(unit.multiply(BigInteger.valueOf(1_000_000 + i)))))
                .toList();
        List<Candidate> candidates = IntStream.range(0, 10)
                .mapToObj(i -> new Candidate(
                        "c" + i,
                        1,
                        new Rate(unit.divide(BigInteger.valueOf(3_600 - i))),
                        Duration.ofMinutes(1),
                        List.of(new Window(hour(0), hour(4)))))
                .toList();
        Plan plan = Matching.best(requests, candidates, Objective.CHEAPEST);
        check(plan, requests, candidates, "");
        assertTrue(plan.isOptimal());
        assertTrue(plan.precision().signum() > 0);
        // The ten that are worth most.
        assertTrue(IntStream.range(0, 20).allMatch(i -> plan.answers().get(i) instanceof Plan.Matched == i >= 10));
    }

    @Test
    void best_ofTwoHundredRequests_endsInTime_andIsTheSameTwice() {
        var random = new Random(7);
        List<Request> requests = IntStream.range(0, 200)
                .mapToObj(i -> {
                    int earliest = random.nextInt(40);
                    int length = 1 + random.nextInt(12);
                    return request(
                            "r" + i,
                            length,
                            earliest,
                            earliest + length + random.nextInt(30),
                            100_000 + random.nextInt(900_000));
                })
                .toList();
        List<Candidate> scattered = IntStream.range(0, 20)
                .mapToObj(i -> candidate("c" + i, 1 + random.nextInt(20), random.nextInt(10), 60))
                .toList();
        List<Candidate> alike = IntStream.range(0, 200)
                .mapToObj(i -> candidate("c" + i, 5, 0, 90))
                .toList();
        for (List<Candidate> candidates : List.of(scattered, alike)) {
            Plan plan = assertTimeoutPreemptively(
                    Duration.ofSeconds(60), () -> Matching.best(requests, candidates, Objective.CHEAPEST));
            check(plan, requests, candidates, "");
            System.out.printf(
                    "%d candidates: weight %s of at most %s%n", candidates.size(), plan.weight(), plan.bound());
        }
        assertEquals(
                Matching.best(requests, scattered, Objective.CHEAPEST),
                Matching.best(requests, scattered, Objective.CHEAPEST));
    }

    @Test
    void best_ofTooManyOrTheSameTwice_isRefused() {
        Request request = request("r", 1, 0, 9, 1);
        Candidate candidate = candidate("c", 1, 0, 9);
        assertThrows(
                IllegalArgumentException.class,
                () -> Matching.best(List.of(request, request), List.of(candidate), Objective.CHEAPEST));
        assertThrows(
                IllegalArgumentException.class,
                () -> Matching.best(List.of(request), List.of(candidate, candidate), Objective.CHEAPEST));
        List<Request> many = IntStream.rangeClosed(0, Matching.MAX_REQUESTS)
                .mapToObj(i -> request("r" + i, 1, 0, 9, 1))
                .toList();
        assertThrows(IllegalArgumentException.class, () -> Matching.best(many, List.of(candidate), Objective.CHEAPEST));
        assertEquals(
                List.of(),
                Matching.best(List.of(), List.of(candidate), Objective.CHEAPEST).answers());
        assertInstanceOf(
                Plan.Unmatched.class,
                Matching.best(List.of(request), List.of(), Objective.CHEAPEST)
                        .answers()
                        .getFirst());
    }
}
