package org.computehive.market.matching;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A choice of options of great total weight, at most one of each request, none of one lot overlapping: the job interval
 * selection problem, which is NP-hard (F. C. R. Spieksma, "On the approximability of an interval scheduling problem", Journal
 * of Scheduling 2, 1999).
 *
 * <p>First the two-phase local ratio algorithm (A. Bar-Noy, R. Bar-Yehuda, A. Freund, J. Naor and B. Schieber, "A unified
 * approach to approximating resource allocation and scheduling", Journal of the ACM 48, 2001), which reaches at least half of
 * the optimum and gives an upper bound of it; then swaps that only ever gain; then branch and bound, which proves the optimum
 * if it ends within its steps. Deterministic; integers only.
 */
final class Selection {
    /** How many options branch and bound tries before it stays with what it has. */
    static final int MAX_STEPS = 1_000_000;

    private static final int MAX_ROUNDS = 50;
    private static final int NONE = -1;
    private final List<Option> options;
    private final List<List<Integer>> ofRequest;
    private final boolean[] taken;
    private final int[] takenOfRequest;
    private final List<List<Integer>> takenOfLot;

    /**
     * One way to serve a request.
     *
     * @param request its number
     * @param lot the lot's number
     * @param start when the lot is taken
     * @param end when it is free again, turnover included; later than {@code start}
     * @param weight what it is worth, at least 1
     */
    record Option(int request, int lot, long start, long end, long weight) {
        boolean conflicts(Option other) {
            return request == other.request || (lot == other.lot && start < other.end && other.start < end);
        }
    }

    /**
     * What was chosen.
     *
     * @param options the numbers of the chosen options
     * @param weight their sum
     * @param bound no choice weighs more
     */
    record Choice(List<Integer> options, long weight, long bound) {}

    private Selection(List<Option> options, int requests, int lots) {
        this.options = options;
        ofRequest = IntStream.range(0, requests)
                .<List<Integer>>mapToObj(i -> new ArrayList<>())
                .toList();
        takenOfLot = IntStream.range(0, lots)
                .<List<Integer>>mapToObj(i -> new ArrayList<>())
                .toList();
        takenOfRequest = new int[requests];
        Arrays.fill(takenOfRequest, NONE);
        taken = new boolean[options.size()];
        for (int i = 0; i < options.size(); i++) {
            ofRequest.get(options.get(i).request()).add(i);
        }
    }

    /** Chooses. */
    static Choice best(List<Option> options, int requests, int lots) {
        var selection = new Selection(options, requests, lots);
        long bound = Math.min(selection.twoPhases(), selection.mostOfEach());
        selection.improve();
        long reached = selection.weight();
        if (reached < bound) {
            var search = new Search(selection);
            boolean proved = search.run();
            selection.improve();
            reached = selection.weight();
            bound = proved ? reached : bound;
        }
        boolean[] chosen = selection.taken;
        return new Choice(
                IntStream.range(0, options.size())
                        .filter(i -> chosen[i])
                        .boxed()
                        .toList(),
                reached,
                bound);
    }

    private long weight() {
        return IntStream.range(0, taken.length)
                .filter(i -> taken[i])
                .mapToLong(i -> options.get(i).weight())
                .sum();
    }

    private long mostOfEach() {
        return ofRequest.stream()
                .mapToLong(it -> it.stream()
                        .mapToLong(i -> options.get(i).weight())
                        .max()
                        .orElse(0))
                .sum();
    }

    /**
     * Takes what is left of each option's weight, by their ends, after what those before it took of all they conflict with;
     * then goes back over them. Any choice has at most twice the sum taken, and the one made has at least that sum.
     */
    private long twoPhases() {
        long[] ofItsRequest = new long[ofRequest.size()];
        List<List<long[]>> ofItsLot =
                takenOfLot.stream().<List<long[]>>map(it -> new ArrayList<>()).toList();
        List<Integer> stack = new ArrayList<>();
        long sum = 0;
        int[] byEnd = IntStream.range(0, options.size())
                .boxed()
                .sorted(Comparator.comparingLong((Integer i) -> options.get(i).end()))
                .mapToInt(Integer::intValue)
                .toArray();
        for (int i : byEnd) {
            Option option = options.get(i);
            long left = option.weight() - ofItsRequest[option.request()];
            List<long[]> earlier = ofItsLot.get(option.lot());
            for (int j = earlier.size() - 1; j >= 0 && earlier.get(j)[0] > option.start(); j--) {
                left -= earlier.get(j)[1] == option.request() ? 0 : earlier.get(j)[2];
            }
            if (left > 0) {
                stack.add(i);
                sum += left;
                ofItsRequest[option.request()] += left;
                earlier.add(new long[] {option.end(), option.request(), left});
            }
        }
        for (int i : stack.reversed()) {
            if (conflicting(i).isEmpty()) {
                take(i);
            }
        }
        return 2 * sum;
    }

    private List<Integer> conflicting(int option) {
        Option own = options.get(option);
        List<Integer> found = new ArrayList<>();
        if (takenOfRequest[own.request()] != NONE) {
            found.add(takenOfRequest[own.request()]);
        }
        for (int i : takenOfLot.get(own.lot())) {
            if (options.get(i).request() != own.request() && own.conflicts(options.get(i))) {
                found.add(i);
            }
        }
        return found;
    }

    private void take(int option) {
        taken[option] = true;
        takenOfRequest[options.get(option).request()] = option;
        takenOfLot.get(options.get(option).lot()).add(option);
    }

    private void leave(Integer option) {
        taken[option] = false;
        takenOfRequest[options.get(option).request()] = NONE;
        takenOfLot.get(options.get(option).lot()).remove(option);
    }

    /** Takes an option in place of those it conflicts with, where it weighs more than they do together. */
    private void improve() {
        boolean improved = true;
        for (int round = 0; improved && round < MAX_ROUNDS; round++) {
            improved = false;
            for (int i = 0; i < taken.length; i++) {
                if (taken[i]) {
                    continue;
                }
                List<Integer> others = conflicting(i);
                long lost = others.stream()
                        .mapToLong(it -> options.get(it).weight())
                        .sum();
                if (options.get(i).weight() > lost) {
                    others.forEach(this::leave);
                    take(i);
                    improved = true;
                }
            }
        }
    }

    /** Goes through the choices, request by request, leaving out what can't be better than the best so far. */
    private static final class Search {
        private final Selection selection;
        private final List<List<Integer>> byRequest;
        private final long[] mostFrom;
        private final int[] chosen;
        private int[] best = {};
        private long bestWeight;
        private int steps;

        Search(Selection selection) {
            this.selection = selection;
            bestWeight = selection.weight();
            Comparator<Integer> heaviest = Comparator.comparingLong(
                    (Integer i) -> -selection.options.get(i).weight());
            byRequest = selection.ofRequest.stream()
                    .filter(it -> !it.isEmpty())
                    .map(it -> it.stream().sorted(heaviest).toList())
                    .sorted(Comparator.comparingLong((List<Integer> it) ->
                            -selection.options.get(it.getFirst()).weight()))
                    .toList();
            mostFrom = new long[byRequest.size() + 1];
            for (int i = byRequest.size() - 1; i >= 0; i--) {
                mostFrom[i] = mostFrom[i + 1]
                        + selection.options.get(byRequest.get(i).getFirst()).weight();
            }
            chosen = new int[byRequest.size()];
        }

        /** Returns whether it went through all, and leaves the best in the selection. */
        boolean run() {
            go(0, 0, 0);
            if (best.length > 0) {
                IntStream.range(0, selection.taken.length)
                        .filter(i -> selection.taken[i])
                        .forEach(selection::leave);
                for (int i : best) {
                    selection.take(i);
                }
            }
            return steps < MAX_STEPS;
        }

        private void go(int request, int count, long weight) {
            if (weight > bestWeight) {
                bestWeight = weight;
                best = Arrays.copyOf(chosen, count);
            }
            if (request == byRequest.size() || weight + mostFrom[request] <= bestWeight || steps >= MAX_STEPS) {
                return;
            }
            for (int i : byRequest.get(request)) {
                Option option = selection.options.get(i);
                boolean free = ++steps < MAX_STEPS;
                for (int j = 0; j < count && free; j++) {
                    free = !option.conflicts(selection.options.get(chosen[j]));
                }
                if (free) {
                    chosen[count] = i;
                    go(request + 1, count + 1, weight + option.weight());
                }
            }
            go(request + 1, count, weight);
        }
    }
}
