package org.computehive.server.bench;

import java.util.List;
import java.util.function.Consumer;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * A price suggestion with its explanation, warm, sampled by JMH in a JVM of its own ({@link QuoteSample}). The peer is the
 * goal, 50 microseconds; how long a model takes to load stands beside.
 */
final class Quotes implements Benchmark {
    private static final int WARM_UPS = 5;
    private static final int ITERATIONS = 10;
    private static final double GOAL_SECONDS = 50e-6;
    private static final double LOAD_SECONDS = 1;

    @Override
    public String name() {
        return "quote";
    }

    @Override
    public String about() {
        return "price suggestions with their explanation against 50 us (JMH)";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        progress.accept("seed %d (computehive.seed sets another); %d s of warm-up, %d s of samples"
                .formatted(Long.getLong("computehive.seed", 1), WARM_UPS, ITERATIONS));
        RunResult result = new Runner(new OptionsBuilder()
                        .include(QuoteSample.class.getName() + "\\.suggest")
                        .forks(1)
                        .warmupIterations(WARM_UPS)
                        .warmupTime(TimeValue.seconds(1))
                        .measurementIterations(ITERATIONS)
                        .measurementTime(TimeValue.seconds(1))
                        .verbosity(VerboseMode.SILENT)
                        .build())
                .runSingle();
        Statistics nanos = result.getPrimaryResult().getStatistics();
        double p50 = nanos.getPercentile(50) / 1e9;
        double p99 = nanos.getPercentile(99) / 1e9;
        TribuoPriceAdvisor.bundled(); // The first one also loads classes.
        double load = Rounds.seconds(TribuoPriceAdvisor::bundled);
        progress.accept(
                "%d samples: p50 %.1f us, p99 %.1f us, p99.9 %.1f us, worst %.0f us; another model loads in %.2f s"
                        .formatted(
                                nanos.getN(),
                                p50 * 1e6,
                                p99 * 1e6,
                                nanos.getPercentile(99.9) / 1e3,
                                nanos.getMax() / 1e3,
                                load));
        return List.of(
                new Figure("quote/p50-seconds", p50, GOAL_SECONDS, 1),
                new Figure("quote/p99-seconds", p99, GOAL_SECONDS, 1),
                new Figure("quote/load-seconds", load, LOAD_SECONDS, 1));
    }
}
