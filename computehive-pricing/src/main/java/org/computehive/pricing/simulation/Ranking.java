package org.computehive.pricing.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * How policies rank in each scenario, the median-fixed one being 100. What renters would pay is assumed: it ranks, and
 * forecasts no revenue. Immutable.
 *
 * @param rows one for each scenario and policy
 * @param seeds how many runs each
 */
public record Ranking(List<Row> rows, int seeds) {
    private static final String OVERALL = "all scenarios";

    /** Copies the list. */
    public Ranking {
        rows = List.copyOf(rows);
    }

    /**
     * A policy in a scenario.
     *
     * @param scenario the scenario
     * @param policy the policy
     * @param index what it came to, the median-fixed price being 100; the mean of the runs
     * @param interval half the width of the mean's 95 % confidence interval
     * @param ofBestFixed what it came to in percent of the fixed price that was best in hindsight, over all seeds
     * @param surplus what renters kept, the median-fixed price being 100
     * @param utilisation the share of gpu-hours rented, in percent
     * @param volatility the standard deviation of the price's daily change, in percent
     */
    public record Row(
            String scenario,
            String policy,
            double index,
            double interval,
            double ofBestFixed,
            double surplus,
            double utilisation,
            double volatility) {}

    /**
     * Runs policies in scenarios.
     *
     * @param seeds how many runs of each, at least 2; 30 or more for intervals to be believed
     */
    public static Ranking of(Simulator simulator, List<Policy> policies, List<Scenario> scenarios, int seeds) {
        if (seeds < 2 || seeds > 10_000) {
            throw new IllegalArgumentException("%d seeds are not 2 to 10000".formatted(seeds));
        }
        List<Policy> grid = IntStream.rangeClosed(10, 50)
                .mapToObj(i -> Policies.fixed(i * .04))
                .toList();
        var rows = new ArrayList<Row>();
        for (Scenario scenario : scenarios) {
            List<Simulator.Draw> draws = IntStream.range(0, seeds)
                    .mapToObj(seed -> simulator.draw(scenario, 1_000L + seed))
                    .toList();
            List<Outcome> median = outcomes(simulator, Policies.medianFixed(), draws);
            double best = grid.stream()
                    .mapToDouble(fixed -> mean(outcomes(simulator, fixed, draws).stream()
                            .mapToDouble(Outcome::earned)
                            .toArray()))
                    .max()
                    .orElseThrow();
            for (Policy policy : policies) {
                rows.add(row(scenario, policy, outcomes(simulator, policy, draws), median, best));
            }
        }
        return new Ranking(rows, seeds);
    }

    private static List<Outcome> outcomes(Simulator simulator, Policy policy, List<Simulator.Draw> draws) {
        return draws.parallelStream().map(draw -> simulator.run(policy, draw)).toList();
    }

    private static Row row(
            Scenario scenario, Policy policy, List<Outcome> outcomes, List<Outcome> median, double best) {
        double[] index = new double[outcomes.size()];
        for (int i = 0; i < index.length; i++) {
            index[i] = 100 * outcomes.get(i).earned() / median.get(i).earned();
        }
        double mean = mean(index);
        double squares =
                DoubleStream.of(index).map(v -> (v - mean) * (v - mean)).sum();
        return new Row(
                scenario.name(),
                policy.name(),
                mean,
                1.96 * Math.sqrt(squares / (index.length - 1) / index.length),
                100 * outcomes.stream().mapToDouble(Outcome::earned).average().orElse(0) / best,
                100
                        * outcomes.stream().mapToDouble(Outcome::surplus).sum()
                        / median.stream().mapToDouble(Outcome::surplus).sum(),
                100
                        * outcomes.stream()
                                .mapToDouble(Outcome::utilisation)
                                .average()
                                .orElse(0),
                100
                        * outcomes.stream()
                                .mapToDouble(Outcome::volatility)
                                .average()
                                .orElse(0));
    }

    private static double mean(double[] values) {
        return DoubleStream.of(values).average().orElse(0);
    }

    /** Returns the mean over all scenarios of one policy. */
    public Row overall(String policy) {
        List<Row> of = rows.stream().filter(r -> r.policy().equals(policy)).toList();
        if (of.isEmpty()) {
            throw new IllegalArgumentException("there is no policy " + policy);
        }
        return new Row(
                OVERALL,
                policy,
                of.stream().mapToDouble(Row::index).average().orElse(0),
                of.stream().mapToDouble(Row::interval).max().orElse(0),
                of.stream().mapToDouble(Row::ofBestFixed).average().orElse(0),
                of.stream().mapToDouble(Row::surplus).average().orElse(0),
                of.stream().mapToDouble(Row::utilisation).average().orElse(0),
                of.stream().mapToDouble(Row::volatility).average().orElse(0));
    }

    /** Returns the row of one policy in the scenario where it ranks lowest against the median-fixed price. */
    public Row worst(String policy) {
        return rows.stream()
                .filter(r -> r.policy().equals(policy))
                .min(java.util.Comparator.comparingDouble(Row::index))
                .orElseThrow(() -> new IllegalArgumentException("there is no policy " + policy));
    }

    /** Returns the names of the policies, in their order. */
    public List<String> policies() {
        return rows.stream().map(Row::policy).distinct().toList();
    }

    /** Writes it as a table. */
    public String table() {
        var text = new StringBuilder(String.format(
                Locale.ROOT,
                "%-22s %-16s %8s %7s %10s %9s %7s %8s%n",
                "scenario",
                "policy",
                "index",
                "+-95%",
                "% of best",
                "surplus",
                "rented",
                "moves %"));
        rows.forEach(row -> text.append(line(row)));
        policies().forEach(policy -> text.append(line(overall(policy))));
        text.append("index: the median-fixed price is 100. % of best: of the fixed price that was best in hindsight.\n")
                .append("What renters would pay is assumed: this ranks policies and forecasts no revenue.\n");
        return text.toString();
    }

    private static String line(Row r) {
        return String.format(
                Locale.ROOT,
                "%-22s %-16s %8.1f %7.1f %10.1f %9.1f %7.1f %8.2f%n",
                r.scenario(),
                r.policy(),
                r.index(),
                r.interval(),
                r.ofBestFixed(),
                r.surplus(),
                r.utilisation(),
                r.volatility());
    }

    /** Writes it as CSV. */
    public String csv() {
        var text = new StringBuilder(
                "scenario,policy,seeds,index,interval95,of_best_fixed,surplus,utilisation,volatility\n");
        rows.forEach(r -> text.append(String.format(
                Locale.ROOT,
                "%s,%s,%d,%.3f,%.3f,%.3f,%.3f,%.3f,%.4f%n",
                r.scenario(),
                r.policy(),
                seeds,
                r.index(),
                r.interval(),
                r.ofBestFixed(),
                r.surplus(),
                r.utilisation(),
                r.volatility())));
        return text.toString();
    }
}
