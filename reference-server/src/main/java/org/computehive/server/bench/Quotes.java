package org.computehive.server.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Consumer;
import org.computehive.pricing.GpuCatalogue;
import org.computehive.pricing.GpuFacts;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.PriceAdvisor.Request;

/**
 * A price suggestion with its explanation, warm: known and unknown gpus, one to eight of them, with and without
 * utilisation and limits. The peer is the goal, 50 microseconds; how long a model takes to load stands beside.
 */
final class Quotes implements Benchmark {
    private static final int REQUESTS = 4_096;
    private static final int WARM_UP = 300_000;
    private static final int MEASURED = 500_000;
    private static final double GOAL_SECONDS = 50e-6;
    private static final double LOAD_SECONDS = 1;

    @Override
    public String name() {
        return "quote";
    }

    @Override
    public String about() {
        return "price suggestions with their explanation against 50 us";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        long seed = Long.getLong("computehive.seed", 1);
        progress.accept("seed %d (computehive.seed sets another)".formatted(seed));
        List<Request> requests = requests(new Random(seed));
        TribuoPriceAdvisor advisor = TribuoPriceAdvisor.bundled();
        long points = 0;
        for (int i = 0; i < WARM_UP; i++) {
            points += advisor.suggest(requests.get(i % REQUESTS)).point();
        }
        double[] seconds = new double[MEASURED];
        for (int i = 0; i < MEASURED; i++) {
            long start = System.nanoTime();
            points += advisor.suggest(requests.get(i % REQUESTS)).point();
            seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        Arrays.sort(seconds);
        double load = Rounds.seconds(TribuoPriceAdvisor::bundled);
        progress.accept("p50 %.1f us, p99 %.1f us, p99.9 %.1f us, worst %.0f us; another model loads in %.2f s (%d)"
                .formatted(
                        seconds[MEASURED / 2] * 1e6,
                        seconds[MEASURED / 100 * 99] * 1e6,
                        seconds[MEASURED / 1_000 * 999] * 1e6,
                        seconds[MEASURED - 1] * 1e6,
                        load,
                        Long.signum(points)));
        return List.of(
                new Figure("quote/p50-seconds", seconds[MEASURED / 2], GOAL_SECONDS, 1),
                new Figure("quote/p99-seconds", seconds[MEASURED / 100 * 99], GOAL_SECONDS, 1),
                new Figure("quote/load-seconds", load, LOAD_SECONDS, 1));
    }

    private static List<Request> requests(Random random) {
        List<GpuFacts> known = GpuCatalogue.bundled().all();
        var requests = new ArrayList<Request>();
        for (int i = 0; i < REQUESTS; i++) {
            String gpu = random.nextInt(8) == 0
                    ? "gpu " + random.nextInt(1_000)
                    : known.get(random.nextInt(known.size())).name();
            int count = 1 + random.nextInt(8);
            requests.add(new Request(
                    gpu,
                    count,
                    OptionalLong.empty(),
                    4 * count,
                    32_768L * count,
                    random.nextBoolean() ? OptionalDouble.of(random.nextDouble()) : OptionalDouble.empty(),
                    random.nextInt(3) == 0 ? OptionalLong.of(random.nextInt(1_000_000)) : OptionalLong.empty(),
                    OptionalLong.empty()));
        }
        return requests;
    }
}
