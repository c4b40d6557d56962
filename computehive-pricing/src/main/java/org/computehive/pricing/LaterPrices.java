package org.computehive.pricing;

import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What an offer asks later than it was seen: between its last price on the same terms and what the market says, and how
 * far that was off.
 *
 * <p>Both are learnt forward in time: each row of an offer that was seen on an earlier day is asked of all rows but those
 * of its offer from its day on. Kinds of providers, and prices soon and long after the last, count apart where there are
 * enough of them (Mondrian conformal prediction), since a marketplace's hosts ask anew within hours and others within
 * months. Prices are logarithms, less what the host adds. Immutable and thread-safe.
 */
final class LaterPrices {
    /** The 10 % tails of fewer errors are the outermost one. */
    private static final int LEAST_ERRORS = 20;

    private static final int SOON_DAYS = 14;
    private static final int SHARES = 10;

    private final Map<Terms, Last> last;
    private final Map<Group, Rule> rules;
    private final ErrorBand otherTerms;

    private LaterPrices(Map<Terms, Last> last, Map<Group, Rule> rules, ErrorBand otherTerms) {
        this.last = Map.copyOf(last);
        this.rules = Map.copyOf(rules);
        this.otherTerms = otherTerms;
    }

    /** A price and its errors. */
    record Guess(double price, ErrorBand band) {}

    /** One offer on one kind of terms. */
    private record Terms(String offer, String terms, int gpus) {
        static Terms of(Observation row) {
            return new Terms(row.offer(), MarketKernel.terms(row), row.gpuCount());
        }
    }

    private record Last(LocalDate day, double price) {}

    /** What counts together; no kind stands for all. */
    private record Group(Optional<String> kind, boolean soon) {
        static Group of(Observation row, LocalDate last) {
            return new Group(
                    row.traits().stream()
                            .filter(trait -> trait.startsWith("kind:"))
                            .sorted()
                            .findFirst()
                            .or(() -> Optional.of("")),
                    ChronoUnit.DAYS.between(last, row.day()) <= SOON_DAYS);
        }
    }

    /** How much of the way from what the market says to the last price is gone, and the errors of that. */
    private record Rule(double share, ErrorBand band) {}

    private record Ask(double actual, double last, double market, double scale) {
        ErrorBand.Error error(double share) {
            return new ErrorBand.Error(actual - (market + share * (last - market)), scale);
        }
    }

    static LaterPrices fit(List<Observation> rows, double[] y, KernelRegression regression, double[][] inverse) {
        var byOffer = new TreeMap<String, TreeMap<LocalDate, List<Integer>>>();
        for (int i = 0; i < y.length; i++) {
            byOffer.computeIfAbsent(rows.get(i).offer(), name -> new TreeMap<>())
                    .computeIfAbsent(rows.get(i).day(), day -> new ArrayList<>())
                    .add(i);
        }
        Map<Terms, Last> last = new HashMap<>();
        Map<Group, List<Ask>> asked = new HashMap<>();
        var others = new ArrayList<ErrorBand.Error>();
        byOffer.forEach((offer, days) -> {
            days.forEach((day, of) -> {
                KernelRegression.Guess[] guesses = {};
                if (of.stream().anyMatch(i -> last.containsKey(Terms.of(rows.get(i))))) {
                    // The rows of the day come first.
                    guesses = regression.without(inverse, indices(days.tailMap(day).values().stream()), y);
                }
                for (int a = 0; a < guesses.length && a < of.size(); a++) {
                    Observation row = rows.get(of.get(a));
                    Last before = last.get(Terms.of(row));
                    if (before != null) {
                        Group group = Group.of(row, before.day());
                        var ask = new Ask(
                                y[of.get(a)],
                                before.price(),
                                guesses[a].mean(),
                                StrictMath.sqrt(guesses[a].variance()));
                        for (Group each : List.of(group, new Group(Optional.empty(), group.soon()))) {
                            asked.computeIfAbsent(each, g -> new ArrayList<>()).add(ask);
                        }
                    }
                }
                var prices = new HashMap<Terms, List<Double>>();
                of.forEach(i -> prices.computeIfAbsent(Terms.of(rows.get(i)), t -> new ArrayList<>())
                        .add(y[i]));
                prices.forEach((terms, these) -> last.put(
                        terms,
                        new Last(
                                day,
                                these.stream().mapToDouble(p -> p).average().orElseThrow())));
            });
            others.addAll(byOtherTerms(
                    rows, days.values().stream().flatMap(List::stream).toList(), y, regression, inverse));
        });
        Map<Group, Rule> rules = new HashMap<>();
        asked.forEach((group, asks) -> {
            if (group.kind().isEmpty() || asks.size() >= LEAST_ERRORS) {
                rules.put(group, rule(asks));
            }
        });
        return new LaterPrices(last, rules, ErrorBand.of(others, ErrorBand.TAIL));
    }

    /** The errors of an offer's rows, each by those on other terms. */
    private static List<ErrorBand.Error> byOtherTerms(
            List<Observation> rows, List<Integer> offer, double[] y, KernelRegression regression, double[][] inverse) {
        var byTerms = new HashMap<Terms, List<Integer>>();
        offer.forEach(i -> byTerms.computeIfAbsent(Terms.of(rows.get(i)), t -> new ArrayList<>())
                .add(i));
        var errors = new ArrayList<ErrorBand.Error>();
        if (byTerms.size() > 1) {
            for (int first :
                    new TreeSet<>(byTerms.values().stream().map(List::getFirst).toList())) {
                int[] out = indices(Stream.of(byTerms.getOrDefault(Terms.of(rows.get(first)), List.of())));
                KernelRegression.Guess[] guesses = regression.without(inverse, out, y);
                for (int a = 0; a < out.length; a++) {
                    errors.add(
                            new ErrorBand.Error(y[out[a]] - guesses[a].mean(), StrictMath.sqrt(guesses[a].variance())));
                }
            }
        }
        return errors;
    }

    private static int[] indices(Stream<List<Integer>> lists) {
        return lists.flatMap(List::stream).mapToInt(Integer::intValue).toArray();
    }

    /** The share with the least mean absolute error; the least of them where several are alike. */
    private static Rule rule(List<Ask> asks) {
        double best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int step = 0; step <= SHARES; step++) {
            double share = step / (double) SHARES;
            double loss = asks.stream()
                    .mapToDouble(ask -> Math.abs(ask.error(share).residual()))
                    .average()
                    .orElse(0);
            if (loss < least - 1e-12) {
                least = loss;
                best = share;
            }
        }
        double share = best;
        return new Rule(
                share, ErrorBand.of(asks.stream().map(ask -> ask.error(share)).toList(), ErrorBand.TAIL));
    }

    /**
     * Returns what a known offer asks.
     *
     * @param market what the regression says of it
     */
    Guess guess(Observation row, double market) {
        Last before = last.get(Terms.of(row));
        if (before == null) {
            return new Guess(market, otherTerms);
        }
        Group group = Group.of(row, before.day());
        Rule all = rules.getOrDefault(new Group(Optional.empty(), group.soon()), new Rule(0, otherTerms));
        Rule rule = rules.getOrDefault(group, all);
        ErrorBand band = rule.band();
        if (!rules.containsKey(group)) {
            // What this kind asks long after is not known: it is off at least as far as soon after, and the reverse.
            Rule same = rules.get(new Group(group.kind(), !group.soon()));
            band = same == null ? band : band.orWider(same.band());
        }
        return new Guess(market + rule.share() * (before.price() - market), band);
    }
}
