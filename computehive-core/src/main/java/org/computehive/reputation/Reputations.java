package org.computehive.reputation;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.reputation.Outcome.Role;
import org.computehive.reputation.Outcome.Weight;
import org.computehive.reputation.Reputation.Factor;
import org.jspecify.annotations.Nullable;

/**
 * Scores parties from the outcomes of their rentals. Pure: the same outcomes and instant give the same scores, so anyone
 * with the records can compute them again. Immutable and thread-safe.
 *
 * <p>An outcome's weight for a party is the product of
 *
 * <ul>
 *   <li><em>repetition</em>: the k-th outcome with the same counterparty counts 1/k, so n of them count about ln n;
 *   <li><em>independence</em>: a counterparty that paid, or was paid by, n others besides this party counts (n + 1) / (n +
 *       4), so one that trades with nobody else counts a quarter;
 *   <li><em>size</em>: what was paid against the median of all outcomes, at most 1;
 *   <li><em>age</em>: half as much for every 180 days.
 * </ul>
 *
 * Independence and size weigh only what speaks for a party: a fault counts in full, or it could be had cheaply.
 *
 * <h2>Security guarantees</h2>
 *
 * Two accounts of one person that rent to each other without end gain about ln(n) / 4 outcomes. Rings of many accounts are
 * made dear, not impossible: each needs its own deposits and gas, and every further account adds at most one outcome's
 * weight. Nobody can lower another's score by opinion: only faults that the engine observed, or an arbiter decided, count.
 */
public final class Reputations {
    private static final Duration HALF_LIFE = Duration.ofDays(180);
    /** The standard normal's 90 % quantile. */
    private static final double Z = 1.2815515655446004;

    private static final int NEWCOMER = 4;
    private static final int FULL = 1000;

    private final Map<Account, List<Outcome>> asLender = new HashMap<>();
    private final Map<Account, List<Outcome>> asRenter = new HashMap<>();
    private final Instant now;
    private final BigInteger medianPaid;
    /** With whom each account did rentals that were paid for. */
    private final Map<Account, Set<Account>> partners = new HashMap<>();

    private Reputations(List<Outcome> outcomes, Instant now) {
        this.now = now;
        this.medianPaid = medianPaid(outcomes);
        for (Outcome outcome : outcomes) {
            asLender.computeIfAbsent(outcome.lender(), account -> new ArrayList<>())
                    .add(outcome);
            asRenter.computeIfAbsent(outcome.renter(), account -> new ArrayList<>())
                    .add(outcome);
            if (outcome.paid().units().signum() > 0) {
                partners.computeIfAbsent(outcome.lender(), account -> new HashSet<>())
                        .add(outcome.renter());
                partners.computeIfAbsent(outcome.renter(), account -> new HashSet<>())
                        .add(outcome.lender());
            }
        }
    }

    /**
     * Takes the outcomes that scores are to rest on.
     *
     * @param outcomes in any order; those after {@code now} and those of an id seen before don't count
     * @param now the instant as of which scores are computed
     */
    public static Reputations of(Collection<Outcome> outcomes, Instant now) {
        Map<String, Outcome> known = new LinkedHashMap<>();
        outcomes.stream()
                .filter(outcome -> !outcome.at().isAfter(now))
                .sorted(Comparator.comparing(Outcome::at).thenComparing(Outcome::rental))
                .forEach(outcome -> known.putIfAbsent(outcome.rental(), outcome));
        return new Reputations(List.copyOf(known.values()), now);
    }

    /** Returns a party's reputation in a role; one with score 0 and no evidence if nothing is known. */
    public Reputation of(Account party, Role role) {
        var tally = new Tally();
        Map<Account, Integer> seen = new HashMap<>();
        for (Outcome outcome : (role == Role.LENDER ? asLender : asRenter).getOrDefault(party, List.of())) {
            Weight weight = outcome.verdict().of(role);
            tally.total++;
            tally.paid = tally.paid.add(outcome.paid().units());
            if (tally.first == null) {
                tally.first = outcome.at();
            }
            if (weight == Weight.NONE || outcome.lender().equals(outcome.renter())) {
                continue;
            }
            int repeated = seen.merge(outcome.counterparty(role), 1, Integer::sum);
            double counts = weight(outcome, party, role, weight, repeated);
            tally.evidence += counts;
            tally.success += counts * weight.success();
            tally.faults += weight == Weight.BAD ? 1 : 0;
            tally.late += weight == Weight.HALF ? 1 : 0;
        }
        int score = (int) Math.round(FULL * lowerBound(tally.success, tally.evidence));
        return new Reputation(party, role, score, tally.evidence, tally.factors(seen.size(), now));
    }

    private double weight(Outcome outcome, Account party, Role role, Weight weight, int repeated) {
        double age = Math.pow(0.5, (double) Duration.between(outcome.at(), now).toSeconds() / HALF_LIFE.toSeconds());
        if (weight == Weight.BAD) {
            return age / repeated;
        }
        long others = partners.getOrDefault(outcome.counterparty(role), Set.of()).stream()
                .filter(other -> !other.equals(party))
                .count();
        double independence = (others + 1.0) / (others + NEWCOMER);
        return age / repeated * independence * size(outcome.paid());
    }

    private double size(Amount paid) {
        return medianPaid.signum() == 0 ? 0 : Math.min(1.0, paid.units().doubleValue() / medianPaid.doubleValue());
    }

    private static BigInteger medianPaid(List<Outcome> outcomes) {
        List<BigInteger> paid = outcomes.stream()
                .map(outcome -> outcome.paid().units())
                .filter(units -> units.signum() > 0)
                .sorted()
                .toList();
        return paid.isEmpty() ? BigInteger.ZERO : paid.get(paid.size() / 2);
    }

    /** The lower end of Wilson's score interval for {@code success} of {@code count} trials. */
    private static double lowerBound(double success, double count) {
        if (count == 0) {
            return 0;
        }
        double share = success / count;
        double square = Z * Z;
        double middle = share + square / (2 * count);
        double spread = Z * Math.sqrt((share * (1 - share) + square / (4 * count)) / count);
        return Math.clamp((middle - spread) / (1 + square / count), 0.0, 1.0);
    }

    /** What was counted for one party. */
    private static final class Tally {
        private int total;
        private int faults;
        private int late;
        private double evidence;
        private double success;
        private BigInteger paid = BigInteger.ZERO;
        private @Nullable Instant first;

        List<Factor> factors(int counterparties, Instant now) {
            var factors = new ArrayList<Factor>();
            factors.add(new Factor("rentals", Integer.toString(total), "all that are over, whatever came of them"));
            factors.add(
                    new Factor("faults", Integer.toString(faults), "that this party answers for; each counts in full"));
            factors.add(new Factor(
                    "late or interrupted",
                    Integer.toString(late),
                    "usable, but not as agreed; each counts half a success"));
            factors.add(new Factor(
                    "counterparties",
                    Integer.toString(counterparties),
                    "the k-th rental with the same one counts 1/k"));
            factors.add(new Factor(
                    "evidence",
                    String.format(Locale.ROOT, "%.2f", evidence),
                    "rentals after weighing repetition, independence, size and age"));
            factors.add(new Factor("volume", paid + " units", "paid to lenders, by the chain"));
            if (first != null) {
                factors.add(new Factor(
                        "known for", Duration.between(first, now).toDays() + " d", "since its first rental"));
            }
            return factors;
        }
    }
}
