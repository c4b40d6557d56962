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
import java.util.TreeSet;
import java.util.stream.Stream;
import org.computehive.schedule.Window;

/**
 * The best windows for one request, by an {@link Objective}, with the reason. Pure functions: the same input gives the same
 * answer.
 *
 * <p>A <em>stranded</em> gap is what a window leaves over, on one of its sides, of the free window it lies in, if a further
 * rental there would be shorter than the objective's useful gap: its length less the turnover in between. No gap, no cost.
 *
 * <p>The choice is exact, over every second. The sum of the terms is linear in the start, but for jumps where a gap becomes
 * useful or vanishes; at each jump it takes the lower of both values, so its least value lies at one of six starts of each
 * free window, and these are all that is looked at.
 *
 * <p>In JShell:
 *
 * <pre>{@code
 * import org.computehive.market.*; import org.computehive.market.matching.*; import org.computehive.schedule.Window
 * import java.time.*
 * var noon = Instant.parse("2027-01-04T12:00:00Z")
 * var morning = new Candidate("near", 2, Rate.of(30), Duration.ofMinutes(1),
 *     List.of(Window.of(noon, Duration.ofHours(5))))
 * var evening = new Candidate("cheap", 2, Rate.of(20), Duration.ofMinutes(1),
 *     List.of(Window.of(noon.plus(Duration.ofHours(6)), Duration.ofHours(9))))
 * var request = new Request("mine", 2, Duration.ofHours(4), noon, noon.plus(Duration.ofDays(1)), Amount.of(1_000_000))
 * Proposals.best(request, List.of(morning, evening), Objective.CHEAPEST, 3).forEach(it -> System.out.println(it.why()))
 * }</pre>
 */
public final class Proposals {
    /** How many candidates one call takes. */
    public static final int MAX_CANDIDATES = 10_000;

    /** How many proposals one call gives. */
    public static final int MAX_PROPOSALS = 100;

    /** The order of proposals: the best first. */
    static final Comparator<Proposal> ORDER = Comparator.comparing(Proposal::total)
            .thenComparing(Proposal::delay)
            .thenComparing(Proposal::stranded)
            .thenComparing(Proposal::candidate)
            .thenComparing(it -> it.window().start());

    private Proposals() {}

    /**
     * A proposal and its place.
     *
     * @param rank its place, from 1
     * @param proposal the proposal
     * @param why its terms, and why it ranks before the next
     */
    public record Ranked(int rank, Proposal proposal, String why) {}

    /**
     * Returns the best windows, at most one of each free window. The request's {@code worth} does not matter here.
     *
     * @param candidates at most {@value #MAX_CANDIDATES} with different ids
     * @param most how many at most, 1 to {@value #MAX_PROPOSALS}
     * @return the best first; none if nothing fits
     * @throws IllegalArgumentException if a number is out of range, or two candidates share an id
     */
    public static List<Ranked> best(Request request, List<Candidate> candidates, Objective objective, int most) {
        if (most < 1 || most > MAX_PROPOSALS) {
            throw new IllegalArgumentException("%d proposals are out of range: 1 to %d".formatted(most, MAX_PROPOSALS));
        }
        checkCandidates(candidates);
        List<Proposal> all = candidates.stream()
                .filter(it -> it.gpus() >= request.gpus())
                .flatMap(candidate ->
                        candidate.free().stream().flatMap(free -> bestIn(request, candidate, free, objective).stream()))
                .sorted(ORDER)
                .limit(most + 1L)
                .toList();
        List<Ranked> ranked = new ArrayList<>();
        for (int i = 0; i < Math.min(all.size(), most); i++) {
            Proposal own = all.get(i);
            String before = i + 1 < all.size() ? own.whyBefore(all.get(i + 1)) : "nothing else fits";
            ranked.add(new Ranked(i + 1, own, own.terms() + "; " + before));
        }
        return List.copyOf(ranked);
    }

    static void checkCandidates(List<Candidate> candidates) {
        if (candidates.size() > MAX_CANDIDATES) {
            throw new IllegalArgumentException("%d candidates are too many: at most %d, so search for fewer"
                    .formatted(candidates.size(), MAX_CANDIDATES));
        }
        Set<String> ids = new HashSet<>();
        for (Candidate candidate : candidates) {
            if (!ids.add(candidate.id())) {
                throw new IllegalArgumentException("candidate %s is there twice: join them".formatted(candidate.id()));
            }
        }
    }

    private static Optional<Proposal> bestIn(Request request, Candidate candidate, Window free, Objective objective) {
        return starts(request, candidate, free, objective, Stream.empty()).stream()
                .map(start -> at(request, candidate, free, start, objective))
                .min(ORDER);
    }

    /** Returns the starts at which the sum can be least, and of others those that fit. */
    static TreeSet<Instant> starts(
            Request request, Candidate candidate, Window free, Objective objective, Stream<Instant> others) {
        Instant first = later(wholeSecondFrom(free.start()), request.earliest());
        Instant last = earlier(free.end(), request.latestEnd()).minus(request.length());
        last = last.minusNanos(last.getNano());
        TreeSet<Instant> starts = new TreeSet<>();
        if (first.isAfter(last)) {
            return starts;
        }
        Duration useful = candidate.turnover().plus(objective.usefulGap());
        Instant end = free.end().minus(request.length());
        Instant latest = last;
        Stream.concat(
                        Stream.of(first, last, wholeSecondFrom(free.start().plus(useful)), end, end.minus(useful)),
                        others)
                .map(it -> it.minusNanos(it.getNano()))
                .filter(it -> !it.isBefore(first) && !it.isAfter(latest))
                .forEach(starts::add);
        return starts;
    }

    private static Instant wholeSecondFrom(Instant instant) {
        return instant.getNano() == 0 ? instant : instant.plusNanos(1_000_000_000L - instant.getNano());
    }

    /** Returns the proposal that begins at a start. */
    static Proposal at(Request request, Candidate candidate, Window free, Instant start, Objective objective) {
        Window window = Window.of(start, request.length());
        Duration useful = candidate.turnover().plus(objective.usefulGap());
        Duration stranded = stranded(Duration.between(free.start(), start), useful)
                .plus(stranded(Duration.between(window.end(), free.end()), useful));
        Duration delay = Duration.between(request.earliest(), start);
        return new Proposal(
                request.id(),
                candidate.id(),
                window,
                candidate.rate().cost(request.length()),
                delay,
                stranded,
                cost(objective.delay().unitsPerSecond(), delay),
                cost(objective.stranded().unitsPerSecond(), stranded));
    }

    private static Duration stranded(Duration gap, Duration useful) {
        return gap.compareTo(useful) < 0 ? gap : Duration.ZERO;
    }

    private static BigInteger cost(BigInteger unitsPerSecond, Duration time) {
        return unitsPerSecond.multiply(BigInteger.valueOf(time.toSeconds()));
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }
}
