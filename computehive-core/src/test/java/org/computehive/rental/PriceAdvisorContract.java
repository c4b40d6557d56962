package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.computehive.demand.BookingPattern;
import org.computehive.demand.BookingPattern.Booked;
import org.computehive.demand.DemandSignals;
import org.computehive.demand.DemandState;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisor.Slot;
import org.computehive.rental.PriceSuggestion.Factor;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/** What every {@link PriceAdvisor} promises. Implementations extend this class. */
public abstract class PriceAdvisorContract {
    private static final long SEED = Long.getLong("computehive.seed", 1);
    private static final int ROUNDS = 2_000;
    private static final Instant NOW = Instant.parse("2026-11-20T12:00:00Z");
    private static final List<String> MODELS = List.of(
            "NVIDIA H100 SXM 80GB",
            "A100 PCIe 40 GB",
            "RTX 4090",
            "Tesla T4",
            "a gpu that nobody ever made",
            "QEMU Virtio display");

    /** Returns the advisor under test; it is asked once for each test. */
    protected abstract PriceAdvisor advisor();

    private static Request simple(String model, int gpus) {
        return new Request(
                model,
                gpus,
                OptionalLong.empty(),
                32,
                131_072,
                OptionalDouble.empty(),
                OptionalLong.empty(),
                OptionalLong.empty());
    }

    private static Request limited(Request of, OptionalLong floor, OptionalLong ceiling) {
        return new Request(
                of.gpuModel(),
                of.gpuCount(),
                of.gpuMemoryMiB(),
                of.cpus(),
                of.memoryMiB(),
                of.utilisation(),
                floor,
                ceiling,
                of.others(),
                of.demand(),
                of.slot(),
                of.own());
    }

    private static Request any(Random random) {
        long floor = random.nextLong(20_000_000);
        var others = Stream.generate(() -> lot(random)).limit(random.nextInt(4)).toList();
        return new Request(
                MODELS.get(random.nextInt(MODELS.size())),
                1 + random.nextInt(52),
                random.nextInt(4) == 0 ? OptionalLong.of(1 + random.nextLong(300_000)) : OptionalLong.empty(),
                1 + random.nextInt(4_096),
                1 + random.nextLong(67_108_864),
                random.nextBoolean() ? OptionalDouble.of(random.nextDouble()) : OptionalDouble.empty(),
                random.nextInt(3) == 0 ? OptionalLong.of(floor) : OptionalLong.empty(),
                random.nextInt(3) == 0 ? OptionalLong.of(floor + random.nextLong(50_000_000)) : OptionalLong.empty(),
                others,
                random.nextInt(3) == 0 ? Optional.of(demand(random)) : Optional.empty(),
                random.nextInt(3) == 0 ? Optional.of(slot(random)) : Optional.empty(),
                random.nextInt(3) == 0 ? Optional.of(own(random)) : Optional.empty());
    }

    private static Lot lot(Random random) {
        return new Lot(MODELS.get(random.nextInt(MODELS.size())), 1 + random.nextInt(4), OptionalLong.empty());
    }

    private static DemandState demand(Random random) {
        long searches = random.nextLong(100);
        return DemandState.neutral(NOW.minusSeconds(86_400))
                .next(new DemandSignals(
                        NOW, random.nextDouble(), searches, random.nextLong(searches + 1), 3, Duration.ofHours(2)));
    }

    private static Slot slot(Random random) {
        return new Slot(
                NOW,
                Window.of(NOW.plusSeconds(random.nextLong(200_000)), Duration.ofMinutes(1 + random.nextLong(50_000))));
    }

    private static BookingPattern own(Random random) {
        List<Booked> booked = Stream.generate(() -> new Booked(
                        NOW.minusSeconds(3_000_000 + random.nextLong(1_000_000)),
                        Window.of(
                                NOW.minusSeconds(random.nextLong(3_000_000)),
                                Duration.ofMinutes(1 + random.nextLong(3_000))),
                        1))
                .limit(random.nextInt(60))
                .toList();
        return BookingPattern.of(booked, 2, Window.of(NOW.minus(Duration.ofDays(35)), Duration.ofDays(35)));
    }

    @Test
    void suggest_anyRequest_rangeHoldsPointAndLimitsHold() {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED);
        for (int i = 0; i < ROUNDS; i++) {
            Request request = any(random);
            PriceSuggestion suggestion = advisor.suggest(request);
            assertTrue(
                    suggestion.low() <= suggestion.point() && suggestion.point() <= suggestion.high(),
                    () -> "seed " + SEED + ": " + request + " gave " + suggestion);
            assertTrue(
                    suggestion.low() >= request.floor().orElse(0)
                            && suggestion.high() <= request.ceiling().orElse(Long.MAX_VALUE),
                    () -> "seed " + SEED + ": " + request + " gave " + suggestion);
            assertTrue(suggestion.modelSha256().matches("[0-9a-f]{64}"), suggestion::modelSha256);
            assertTrue(
                    !suggestion.reference().isBlank() && !suggestion.modelId().isBlank(), suggestion::toString);
        }
    }

    @Test
    void suggest_anyRequest_factorsAreExplainedAndStrongestFirst() {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED + 1);
        for (int i = 0; i < ROUNDS; i++) {
            List<Factor> factors = advisor.suggest(any(random)).factors();
            double before = Double.POSITIVE_INFINITY;
            for (Factor factor : factors) {
                assertTrue(!factor.name().isBlank() && !factor.why().isBlank(), factor::toString);
                double strength = Math.abs(Math.log(factor.multiplier()));
                assertTrue(strength <= before, () -> "seed " + (SEED + 1) + ": not strongest first: " + factors);
                before = strength;
            }
        }
    }

    @Test
    void suggest_moreFloor_neverLowers() {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED + 2);
        for (int i = 0; i < ROUNDS; i++) {
            Request request = limited(any(random), OptionalLong.empty(), OptionalLong.empty());
            long floor = random.nextLong(30_000_000);
            long more = floor + random.nextLong(30_000_000);
            long point = advisor.suggest(limited(request, OptionalLong.of(floor), OptionalLong.empty()))
                    .point();
            long pointWithMore = advisor.suggest(limited(request, OptionalLong.of(more), OptionalLong.empty()))
                    .point();
            assertTrue(
                    advisor.suggest(request).point() <= point && point <= pointWithMore,
                    () -> "seed " + (SEED + 2) + ": " + request + " with floors " + floor + " and " + more);
        }
    }

    @Test
    void suggest_moreGpus_neverCheaperTogether() {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED + 3);
        for (int i = 0; i < ROUNDS; i++) {
            Request request = any(random);
            int others = request.others().stream().mapToInt(Lot::gpuCount).sum();
            int more = request.gpuCount() + random.nextInt(65 - request.gpuCount() - others);
            Request larger = new Request(
                    request.gpuModel(),
                    more,
                    request.gpuMemoryMiB(),
                    request.cpus(),
                    request.memoryMiB(),
                    request.utilisation(),
                    request.floor(),
                    request.ceiling(),
                    request.others(),
                    request.demand(),
                    request.slot(),
                    request.own());
            assertTrue(
                    advisor.suggest(request).point() <= advisor.suggest(larger).point(),
                    () -> "seed " + (SEED + 3) + ": " + request + " against " + more + " gpus");
        }
    }

    @Test
    void suggest_anotherGpuBeside_neverCheaperTogether() {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED + 5);
        for (int i = 0; i < ROUNDS; i++) {
            Request request = any(random);
            List<Lot> more = Stream.concat(request.others().stream(), Stream.of(lot(random)))
                    .toList();
            if (request.gpuCount() + more.stream().mapToInt(Lot::gpuCount).sum() > 64) {
                continue;
            }
            assertTrue(
                    advisor.suggest(request).point()
                            <= advisor.suggest(request.with(more)).point(),
                    () -> "seed " + (SEED + 5) + ": " + request + " against " + more);
        }
    }

    @Test
    void suggest_dayAfterDay_movesAtMostTheLimit() {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED + 6);
        DemandState state = DemandState.neutral(NOW);
        double before = advisor.suggest(simple("H100 SXM", 1).with(state)).point();
        for (int day = 1; day < 400; day++) {
            boolean full = random.nextInt(10) < 5;
            state = state.next(new DemandSignals(
                    NOW.plus(Duration.ofDays(day)), full ? 1 : 0, 10, full ? 10 : 0, 1, Duration.ofHours(1)));
            double point = advisor.suggest(simple("H100 SXM", 1).with(state)).point();
            assertTrue(
                    point <= before * 1.1 + 1 && point >= before * .9 - 1,
                    "seed " + (SEED + 6) + ", day " + day + ": " + point + " after " + before);
            before = point;
        }
    }

    @Test
    void suggest_withMeasuredDemand_namesIt() {
        DemandState state = demand(new Random(SEED + 7));
        PriceSuggestion suggestion = advisor().suggest(simple("H100 SXM", 1).with(state));
        assertEquals(state.newest().stream().toList(), suggestion.demand());
        assertEquals(List.of(), advisor().suggest(simple("H100 SXM", 1)).demand());
    }

    @Test
    void suggest_higherUtilisation_neverLowers() {
        PriceAdvisor advisor = advisor();
        long before = 0;
        for (int percent = 0; percent <= 100; percent++) {
            Request request = new Request(
                    "H100",
                    1,
                    OptionalLong.empty(),
                    16,
                    65_536,
                    OptionalDouble.of(percent / 100.),
                    OptionalLong.empty(),
                    OptionalLong.empty());
            long point = advisor.suggest(request).point();
            assertTrue(before <= point, "at " + percent + " %");
            before = point;
        }
    }

    @Test
    void suggest_sameRequestFromManyThreads_sameSuggestion() throws Exception {
        PriceAdvisor advisor = advisor();
        var random = new Random(SEED + 4);
        List<Request> requests = Stream.generate(() -> any(random)).limit(200).toList();
        List<PriceSuggestion> expected = requests.stream().map(advisor::suggest).toList();
        Callable<List<PriceSuggestion>> again =
                () -> requests.stream().map(advisor::suggest).toList();
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (var answer : threads.invokeAll(List.of(again, again, again, again))) {
                assertEquals(expected, answer.get());
            }
        }
    }
}
