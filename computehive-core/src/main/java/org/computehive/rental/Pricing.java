package org.computehive.rental;

import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the advisor with what was measured of demand, and keeps what it told lenders. Applies nothing. Thread-safe. */
final class Pricing {
    private static final Logger LOG = LoggerFactory.getLogger(Pricing.class);
    private static final BigDecimal SECONDS_PER_HOUR = BigDecimal.valueOf(3_600);

    private final PriceAdvisor advisor;
    private final RentalStore store;
    private final InstantSource clock;
    private final SuggestionHistory history;
    private final DemandMeter meter;
    private final Executor background;
    private final AtomicBoolean measuring = new AtomicBoolean();

    Pricing(
            PriceAdvisor advisor,
            RentalStore store,
            InstantSource clock,
            SuggestionHistory history,
            Executor background) {
        this.advisor = advisor;
        this.store = store;
        this.clock = clock;
        this.history = history;
        this.background = background;
        this.meter = new DemandMeter(store, clock, advisor::gpuClass);
    }

    DemandMeter meter() {
        return meter;
    }

    /** Suggests with measured demand, unless the request brings its own; a day that is over is measured beside it. */
    PriceSuggestion suggest(Request request) {
        measureInBackground();
        return advisor.suggest(withDemand(request));
    }

    PriceSuggestion suggest(Account lender, Request request) {
        measureInBackground();
        Request full = withDemand(request);
        if (full.own().isEmpty()) {
            full = meter.of(lender).map(full::with).orElse(full);
        }
        PriceSuggestion suggestion = advisor.suggest(full);
        int gpus = request.gpuCount()
                + request.others().stream().mapToInt(Lot::gpuCount).sum();
        var advice = new GivenAdvice(lender, clock.instant(), request.gpuModel(), gpus, suggestion);
        history.keep(advice);
        background.execute(() -> write(advice));
        return suggestion;
    }

    private void write(GivenAdvice advice) {
        try {
            history.write(advice);
        } catch (UncheckedIOException e) {
            LOG.warn("{}", e.getMessage(), e.getCause());
        }
    }

    private Request withDemand(Request request) {
        return request.demand().isPresent() || request.utilisation().isPresent()
                ? request
                : meter.of(request.gpuModel()).map(request::with).orElse(request);
    }

    private void measureInBackground() {
        if (meter.isDue() && measuring.compareAndSet(false, true)) {
            background.execute(() -> {
                try {
                    meter.measure();
                } finally {
                    measuring.set(false);
                }
            });
        }
    }

    /** Returns a lender's suggestions, newest first, each beside what it charged until the next one. */
    List<AdviceOutcome> outcomes(Account lender) {
        List<GivenAdvice> given = history.of(lender);
        if (given.isEmpty()) {
            return List.of();
        }
        Map<GpuId, Gpu> gpus = new HashMap<>();
        for (Host host : store.hosts()) {
            host.gpus().forEach(gpu -> gpus.put(new GpuId(host.id(), gpu.address()), gpu));
        }
        Instant first = given.getFirst().at();
        List<Rental> paid;
        try (Stream<Rental> rentals = store.allOf(lender, clock.instant().plusMillis(1))) {
            paid = rentals.takeWhile(rental -> !rental.reservedAt().isBefore(first))
                    .filter(rental -> rental.terms().lender().equals(lender))
                    .filter(Rental::funded)
                    .toList();
        }
        var outcomes = new ArrayList<AdviceOutcome>();
        Map<String, Instant> until = new HashMap<>();
        for (GivenAdvice advice : given.reversed()) {
            String hardware = advisor.gpuClass(advice.gpuModel()) + "/" + advice.gpuCount();
            Instant end = until.getOrDefault(hardware, Instant.MAX);
            List<Rental> of = paid.stream()
                    .filter(rental -> !rental.reservedAt().isBefore(advice.at())
                            && rental.reservedAt().isBefore(end))
                    .filter(rental -> hardware(rental, gpus).equals(Optional.of(hardware)))
                    .toList();
            outcomes.add(new AdviceOutcome(advice, of.size(), mean(of)));
            until.put(hardware, advice.at());
        }
        return List.copyOf(outcomes);
    }

    /** Gpus of several classes are named after the first one, as requests are. */
    private Optional<String> hardware(Rental rental, Map<GpuId, Gpu> gpus) {
        return Optional.ofNullable(gpus.get(rental.gpus().getFirst()))
                .map(gpu -> advisor.gpuClass(gpu.model()) + "/" + rental.gpus().size());
    }

    private static OptionalLong mean(List<Rental> rentals) {
        if (rentals.isEmpty()
                || !rentals.stream().allMatch(rental -> rental.terms().token().usdPegged())) {
            return OptionalLong.empty();
        }
        BigDecimal sum = BigDecimal.ZERO;
        for (Rental rental : rentals) {
            RentalTerms terms = rental.terms();
            BigInteger units = terms.rate().unitsPerSecond();
            sum = sum.add(new BigDecimal(units, terms.token().decimals())
                    .multiply(SECONDS_PER_HOUR)
                    .movePointRight(6));
        }
        return OptionalLong.of(sum.divide(BigDecimal.valueOf(rentals.size()), 0, RoundingMode.HALF_UP)
                .longValue());
    }
}
