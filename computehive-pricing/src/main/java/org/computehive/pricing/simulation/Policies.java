package org.computehive.pricing.simulation;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.computehive.demand.DemandSignals;
import org.computehive.demand.DemandState;

/** The policies that come with the simulator. Stateless. */
public final class Policies {
    private static final double OFTEN = .8;
    private static final double STEP = .1;

    private Policies() {}

    private record Named(String name, java.util.function.Supplier<Policy.Pricer> begin) implements Policy {
        @Override
        public Pricer start() {
            return begin.get();
        }
    }

    /** Makes a policy of a name and what begins a run. */
    public static Policy of(String name, java.util.function.Supplier<Policy.Pricer> begin) {
        return new Named(name, begin);
    }

    /** One price for ever: a multiple of the peers' first median. */
    public static Policy fixed(double multiple) {
        return of("fixed x %.2f".formatted(multiple), () -> {
            double[] first = {0};
            return market -> {
                first[0] = first[0] == 0 ? market.peersMedian() * multiple : first[0];
                return first[0];
            };
        });
    }

    /** The peers' first median for ever. */
    public static Policy medianFixed() {
        Policy one = fixed(1);
        return of("median, fixed", one::start);
    }

    /** The peers' median as it moves. */
    public static Policy peersMedian() {
        return of("peers' median", () -> Policy.Market::peersMedian);
    }

    /** A tenth more when over 80 % is rented, a tenth less when not, once a day: what many do by hand. */
    public static Policy occupancyRule() {
        return of("occupancy rule", () -> market -> {
            if (market.hour() % 24 != 0 || market.hour() == 0) {
                return market.price();
            }
            return market.price() * (market.utilisation() > OFTEN ? 1 + STEP : 1 - STEP);
        });
    }

    /** Ours: the peers' median, smoothed, times what {@link DemandState} makes of demand; a tenth a day at most. */
    public static Policy ours() {
        return of("ours", () -> new Policy.Pricer() {
            private DemandState demand = DemandState.neutral(Instant.EPOCH);
            private double base;

            @Override
            public double price(Policy.Market market) {
                base = base == 0 ? market.peersMedian() : base + (market.peersMedian() - base) / 48;
                Instant now = Instant.EPOCH.plus(Duration.ofHours(market.hour()));
                if (market.hour() > 0) {
                    demand = demand.next(new DemandSignals(
                            now, market.utilisation(), market.searches(), market.foundNothing(), 0, Duration.ZERO));
                }
                double limit = StrictMath.pow(1 + DemandState.DAILY_LIMIT, 1 / 24.);
                return Math.clamp(base * demand.multiplier(), market.price() / limit, market.price() * limit);
            }
        });
    }

    /** The four that are compared. */
    public static List<Policy> standard() {
        return List.of(medianFixed(), peersMedian(), occupancyRule(), ours());
    }
}
