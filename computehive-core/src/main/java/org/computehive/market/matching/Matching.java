package org.computehive.market.matching;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.computehive.schedule.Window;

/**
 * The best windows for many requests at once: the choice of the greatest total weight in which no two share a candidate at a
 * time, turnover included. The weight of a window for a request is what the request is worth less the window's total by the
 * {@link Objective}, and more than nothing.
 *
 * <p>Windows begin where {@link Proposals} would let them begin, or where one of the requests could just follow another or
 * itself. Among these:
 *
 * <ul>
 *   <li>where all windows of each candidate overlap, as when everybody wants the same hours, it is an assignment problem, and
 *       solved exactly whatever its size;
 *   <li>else the choice weighs at least half of the best, and is the best if the search ends in time, as it does for a dozen
 *       requests. {@link Plan#bound()} says how far it can be from the best, {@link Plan#isOptimal()} whether that is proved.
 * </ul>
 *
 * <p>What a window strands is counted in the free window as it was given, whatever else is chosen there. Pure functions: the
 * same input gives the same answer. Weights over 2<sup>43</sup> units are compared to 43 bits of the largest, as
 * {@link Plan#precision()} says; all amounts in the answer are exact.
 */
public final class Matching {
    /** How many requests one call takes. */
    public static final int MAX_REQUESTS = 500;

    /** How many candidates one call takes. */
    public static final int MAX_CANDIDATES = 500;

    /** How many requests times free windows one call takes. */
    public static final int MAX_PAIRS = 250_000;

    /** How many windows one call chooses from: for each request the best of every free window, then the second best. */
    public static final int MAX_WINDOWS = 250_000;

    private static final int WEIGHT_BITS = 43;
    private static final int CHAIN = 8;
    private static final Comparator<Considered> BEST = Comparator.comparing(Considered::proposal, Proposals.ORDER);
    private final List<Request> requests;
    private final List<Candidate> candidates;
    private final Objective objective;
    private final List<Duration> lengths;
    private final List<Considered> considered;
    private final int shift;

    /** A proposal among those to choose from. */
    private record Considered(int request, int candidate, Proposal proposal, BigInteger weight, Window taken) {}

    private Matching(List<Request> requests, List<Candidate> candidates, Objective objective) {
        this.requests = requests;
        this.candidates = candidates;
        this.objective = objective;
        lengths = requests.stream()
                .map(Request::length)
                .distinct()
                .sorted()
                .limit(CHAIN)
                .toList();
        considered = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            considered.addAll(worthwhile(i));
        }
        int bits = considered.stream()
                .mapToInt(it -> it.weight().bitLength())
                .max()
                .orElse(0);
        shift = Math.max(0, bits - WEIGHT_BITS);
    }

    /**
     * Matches requests with windows of candidates.
     *
     * @param requests at most {@value #MAX_REQUESTS} with different ids
     * @param candidates at most {@value #MAX_CANDIDATES} with different ids
     * @return an answer for each request
     * @throws IllegalArgumentException if there are too many, or an id is there twice
     */
    public static Plan best(List<Request> requests, List<Candidate> candidates, Objective objective) {
        if (requests.size() > MAX_REQUESTS || candidates.size() > MAX_CANDIDATES) {
            throw new IllegalArgumentException(
                    "%d requests and %d candidates are too many: at most %d and %d, so match in parts"
                            .formatted(requests.size(), candidates.size(), MAX_REQUESTS, MAX_CANDIDATES));
        }
        long free = candidates.stream().mapToLong(it -> it.free().size()).sum();
        if (free * requests.size() > MAX_PAIRS) {
            throw new IllegalArgumentException(
                    "%d requests times %d free windows are too many: at most %d, so match in parts"
                            .formatted(requests.size(), free, MAX_PAIRS));
        }
        Proposals.checkCandidates(candidates);
        Set<String> ids = new HashSet<>();
        for (Request request : requests) {
            if (!ids.add(request.id())) {
                throw new IllegalArgumentException("request %s is there twice: leave one out".formatted(request.id()));
            }
        }
        return new Matching(List.copyOf(requests), List.copyOf(candidates), objective).plan();
    }

    private List<Considered> worthwhile(int number) {
        Request request = requests.get(number);
        // The best of each free window, then the second best of each, and so on: where many ask for the same, the best
        // windows of a few candidates would leave the others out.
        List<List<Considered>> byPlace = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            Candidate candidate = candidates.get(i);
            if (candidate.gpus() < request.gpus()) {
                continue;
            }
            for (Window free : candidate.free()) {
                List<Considered> here = worthwhile(number, i, free);
                for (int place = 0; place < here.size(); place++) {
                    if (byPlace.size() == place) {
                        byPlace.add(new ArrayList<>());
                    }
                    byPlace.get(place).add(here.get(place));
                }
            }
        }
        return byPlace.stream()
                .flatMap(it -> it.stream().sorted(BEST))
                .limit(MAX_WINDOWS / requests.size())
                .toList();
    }

    private List<Considered> worthwhile(int number, int lot, Window free) {
        Request request = requests.get(number);
        Candidate candidate = candidates.get(lot);
        List<Considered> here = new ArrayList<>();
        for (Instant start :
                Proposals.starts(request, candidate, free, objective, following(request, candidate, free))) {
            Proposal proposal = Proposals.at(request, candidate, free, start, objective);
            BigInteger weight = request.worth().units().subtract(proposal.total());
            if (weight.signum() > 0) {
                Window taken = proposal.window().extendedBy(candidate.turnover());
                here.add(new Considered(number, lot, proposal, weight, taken));
            }
        }
        here.sort(BEST);
        return here;
    }

    /** Starts where a request of another length here, or several of its own, would just have ended and been turned over. */
    private Stream<Instant> following(Request request, Candidate candidate, Window free) {
        Instant first = free.start().isAfter(request.earliest()) ? free.start() : request.earliest();
        Stream<Duration> others = lengths.stream().map(candidate.turnover()::plus);
        Stream<Duration> own =
                IntStream.rangeClosed(1, CHAIN).mapToObj(candidate.turnover().plus(request.length())::multipliedBy);
        return Stream.concat(own, others).map(first::plus);
    }

    private Plan plan() {
        List<Integer> chosen;
        BigInteger bound;
        if (isAssignment()) {
            chosen = assigned();
            bound = scaled(chosen);
        } else {
            Selection.Choice choice =
                    Selection.best(considered.stream().map(this::option).toList(), requests.size(), candidates.size());
            chosen = choice.options();
            bound = BigInteger.valueOf(choice.bound());
        }
        BigInteger weight =
                chosen.stream().map(i -> considered.get(i).weight()).reduce(BigInteger.ZERO, BigInteger::add);
        // What the shift cuts off or adds, at most.
        BigInteger precision = shift == 0
                ? BigInteger.ZERO
                : BigInteger.valueOf(requests.size()).shiftLeft(shift + 1);
        BigInteger most = bound.shiftLeft(shift).add(precision.shiftRight(1)).max(weight);
        List<Considered> given = chosen.stream().map(considered::get).toList();
        List<Plan.Answer> answers = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            answers.add(answer(i, given));
        }
        return new Plan(answers, weight, most, precision);
    }

    private BigInteger scaled(List<Integer> chosen) {
        return BigInteger.valueOf(
                chosen.stream().mapToLong(i -> scaled(considered.get(i))).sum());
    }

    /** At least one: a weight that the shift makes nothing still counts. */
    private long scaled(Considered it) {
        return Math.max(1, it.weight().shiftRight(shift).longValueExact());
    }

    private Selection.Option option(Considered it) {
        return new Selection.Option(
                it.request(),
                it.candidate(),
                it.taken().start().getEpochSecond(),
                it.taken().end().getEpochSecond() + (it.taken().end().getNano() > 0 ? 1 : 0),
                scaled(it));
    }

    private boolean isAssignment() {
        Instant[] lastStart = new Instant[candidates.size()];
        Instant[] firstEnd = new Instant[candidates.size()];
        for (Considered it : considered) {
            int i = it.candidate();
            Window taken = it.taken();
            lastStart[i] = lastStart[i] == null || taken.start().isAfter(lastStart[i]) ? taken.start() : lastStart[i];
            firstEnd[i] = firstEnd[i] == null || taken.end().isBefore(firstEnd[i]) ? taken.end() : firstEnd[i];
        }
        for (int i = 0; i < lastStart.length; i++) {
            if (lastStart[i] != null && !lastStart[i].isBefore(firstEnd[i])) {
                return false;
            }
        }
        return true;
    }

    private List<Integer> assigned() {
        long[][] weights = new long[requests.size()][candidates.size()];
        int[][] number = new int[requests.size()][candidates.size()];
        for (int i = 0; i < considered.size(); i++) {
            Considered it = considered.get(i);
            if (scaled(it) > weights[it.request()][it.candidate()]) {
                weights[it.request()][it.candidate()] = scaled(it);
                number[it.request()][it.candidate()] = i;
            }
        }
        int[] candidateOf = Assignment.best(weights, candidates.size());
        List<Integer> chosen = new ArrayList<>();
        for (int request = 0; request < candidateOf.length; request++) {
            if (candidateOf[request] >= 0) {
                chosen.add(number[request][candidateOf[request]]);
            }
        }
        return chosen;
    }

    private Plan.Answer answer(int number, List<Considered> given) {
        Request request = requests.get(number);
        Optional<Considered> own =
                given.stream().filter(it -> it.request() == number).findFirst();
        List<Considered> all =
                considered.stream().filter(it -> it.request() == number).toList();
        if (own.isEmpty()) {
            return nothing(request, all, given);
        }
        Considered first = all.getFirst();
        Proposal proposal = own.get().proposal();
        String why = proposal.terms() + "; weight " + own.get().weight();
        if (!first.equals(own.get())) {
            why += "; its best is %s %s, %s, but taken by %s"
                    .formatted(
                            first.proposal().candidate(),
                            first.proposal().window(),
                            first.proposal().whyBefore(proposal),
                            holders(first, given));
        }
        return new Plan.Matched(request.id(), proposal, why);
    }

    private Plan.Answer nothing(Request request, List<Considered> all, List<Considered> given) {
        List<Candidate> large =
                candidates.stream().filter(it -> it.gpus() >= request.gpus()).toList();
        if (large.isEmpty()) {
            int most = candidates.stream().mapToInt(Candidate::gpus).max().orElse(0);
            return new Plan.Unmatched(
                    request.id(),
                    Plan.Reason.TOO_MANY_GPUS,
                    "it asks for %d gpus, and the largest candidate has %d".formatted(request.gpus(), most));
        }
        if (!all.isEmpty()) {
            Considered first = all.getFirst();
            return new Plan.Unmatched(
                    request.id(),
                    Plan.Reason.OUTWEIGHED,
                    "its best is %s, weight %s, but taken by %s"
                            .formatted(first.proposal().terms(), first.weight(), holders(first, given)));
        }
        List<Proposals.Ranked> best = Proposals.best(request, large, objective, 1);
        if (best.isEmpty()) {
            return new Plan.Unmatched(
                    request.id(),
                    Plan.Reason.NOTHING_FREE,
                    "none of %d candidates is free for %s from %s to %s"
                            .formatted(large.size(), request.length(), request.earliest(), request.latestEnd()));
        }
        return new Plan.Unmatched(
                request.id(),
                Plan.Reason.WORTH_TOO_LITTLE,
                "it is worth %s, and its best is %s"
                        .formatted(request.worth(), best.getFirst().proposal().terms()));
    }

    private String holders(Considered wanted, List<Considered> given) {
        String holders = given.stream()
                .filter(it -> it.request() != wanted.request()
                        && it.candidate() == wanted.candidate()
                        && it.taken().overlaps(wanted.taken()))
                .map(it -> "%s (weight %s)".formatted(requests.get(it.request()).id(), it.weight()))
                .collect(Collectors.joining(", "));
        return holders.isEmpty() ? "nobody: the difference is below the precision" : holders;
    }
}
