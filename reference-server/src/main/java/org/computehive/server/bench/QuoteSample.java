package org.computehive.server.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.computehive.demand.BookingPattern;
import org.computehive.demand.BookingPattern.Booked;
import org.computehive.demand.DemandSignals;
import org.computehive.demand.DemandState;
import org.computehive.pricing.GpuCatalogue;
import org.computehive.pricing.GpuFacts;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisor.Slot;
import org.computehive.rental.PriceSuggestion;
import org.computehive.schedule.Window;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What JMH measures for {@link Quotes}: one suggestion with its explanation, for known and unknown gpus, one to eight of them,
 * some beside others, with and without demand, a window, bookings of the lender's own and limits. One thread at a time.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class QuoteSample {
    private static final int REQUESTS = 4_096;
    private static final Instant NOW = Instant.parse("2026-11-20T12:00:00Z");

    private final TribuoPriceAdvisor advisor = TribuoPriceAdvisor.bundled();
    private final List<Request> requests = requests(new Random(Long.getLong("computehive.seed", 1)));
    private int next;

    /** Loads the model and makes the requests. */
    public QuoteSample() {}

    /** Suggests a price for the next request. */
    @Benchmark
    public PriceSuggestion suggest() {
        return advisor.suggest(requests.get(next++ % REQUESTS));
    }

    private static List<Request> requests(Random random) {
        List<GpuFacts> known = GpuCatalogue.bundled().all();
        DemandState demand = DemandState.neutral(NOW.minusSeconds(86_400))
                .next(new DemandSignals(NOW, .9, 40, 10, 5, Duration.ofHours(9)));
        List<Booked> booked = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Instant start = NOW.minus(Duration.ofHours(1 + random.nextInt(600)));
            booked.add(new Booked(
                    start.minus(Duration.ofHours(random.nextInt(100))), Window.of(start, Duration.ofHours(5)), 1));
        }
        var own = BookingPattern.of(booked, 2, Window.of(NOW.minus(Duration.ofDays(28)), Duration.ofDays(28)));
        var requests = new ArrayList<Request>();
        for (int i = 0; i < REQUESTS; i++) {
            int count = 1 + random.nextInt(8);
            Request request = new Request(
                    gpu(random, known),
                    count,
                    OptionalLong.empty(),
                    4 * count,
                    32_768L * count,
                    random.nextBoolean() ? OptionalDouble.of(random.nextDouble()) : OptionalDouble.empty(),
                    random.nextInt(3) == 0 ? OptionalLong.of(random.nextInt(1_000_000)) : OptionalLong.empty(),
                    OptionalLong.empty());
            if (random.nextInt(8) == 0) {
                request = request.with(List.of(new Lot(gpu(random, known), 2, OptionalLong.empty())));
            }
            if (random.nextBoolean()) {
                request = request.with(demand);
            }
            if (random.nextBoolean()) {
                Instant start = NOW.plus(Duration.ofMinutes(random.nextInt(3_000)));
                request = request.with(new Slot(NOW, Window.of(start, Duration.ofHours(1 + random.nextInt(200)))))
                        .with(own);
            }
            requests.add(request);
        }
        return requests;
    }

    private static String gpu(Random random, List<GpuFacts> known) {
        return random.nextInt(8) == 0
                ? "gpu " + random.nextInt(1_000)
                : known.get(random.nextInt(known.size())).name();
    }
}
