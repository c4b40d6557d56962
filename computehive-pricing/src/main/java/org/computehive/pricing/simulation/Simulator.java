package org.computehive.pricing.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * Replays arrivals against one lender's gpus under a policy.
 *
 * <p>Every policy meets the same renters with the same purses in the same order (common random numbers), so that
 * differences are the policies'. A seed chooses which arrivals of the trace a run has, in which week, and what renters would
 * pay; the time of the week stays, in a trace that is as long. Immutable and thread-safe; the same input gives the same outcome.
 *
 * @param arrivals the trace
 * @param gpus how many the lender has
 * @param days how long a run lasts
 * @param meanHours the mean time that a renter stays: the trace's durations are stretched to it
 */
public record Simulator(Arrivals arrivals, int gpus, int days, double meanHours) {
    private static final double ARRIVALS_A_DAY_AT_LEAST = 4;
    private static final double WEEK = 168;

    /** Makes a simulator of a lender with 64 gpus, 60 days and stays of 12 hours on average. */
    public static Simulator of(Arrivals arrivals) {
        return new Simulator(arrivals, 64, 60, 12);
    }

    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public Simulator {
        if (gpus < 1 || gpus > 10_000 || days < 2 || days > 400 || !(meanHours >= .1 && meanHours <= 1_000)) {
            throw new IllegalArgumentException(
                    "%d gpus, %d days and stays of %s hours: give 1 to 10000, 2 to 400 and 0.1 to 1000"
                            .formatted(gpus, days, meanHours));
        }
    }

    private record Renter(double hour, double hours, int gpus, double purse) {}

    private record Stay(double end, int gpus) {}

    /** What a run is made of: the same for every policy. */
    public record Draw(Scenario scenario, long seed, List<Renter> renters, double[] peers) {
        /** Copies the list. */
        public Draw {
            renters = List.copyOf(renters);
            peers = peers.clone();
        }
    }

    /** Draws the renters and the peers' prices of a run. */
    public Draw draw(Scenario scenario, long seed) {
        var random = new Random(seed);
        List<Arrival> trace = arrivals.list();
        double span = Math.max(1, trace.getLast().hour() + trace.getLast().hour() / trace.size());
        double horizon = days * 24.;
        double[] peers = new double[days * 24];
        double wander = 0;
        for (int h = 0; h < peers.length; h++) {
            wander = .995 * wander + .004 * random.nextGaussian();
            peers[h] = StrictMath.exp(wander + scenario.drift() * h / peers.length);
        }
        double meanLength = trace.stream()
                .mapToDouble(a -> Math.min(a.hours(), 1_000))
                .average()
                .orElse(1);
        double stretch = meanHours / meanLength;
        double gpuHours = trace.stream()
                .mapToDouble(a -> stay(a, stretch) * Math.min(a.gpus(), gpus))
                .average()
                .orElse(1);
        double wanted = Math.max(ARRIVALS_A_DAY_AT_LEAST * days, scenario.load() * gpus * horizon / gpuHours);
        int offset = random.nextInt(7) * 24;
        var renters = new ArrayList<Renter>();
        double mean = (1 + scenario.shock()) / 2;
        int candidates = (int) Math.ceil(wanted * Math.max(1, scenario.shock()) / mean);
        for (int i = 0; i < candidates; i++) {
            Arrival a = trace.get(random.nextInt(trace.size()));
            double hour = span < WEEK
                    ? random.nextDouble() * horizon
                    : (WEEK * random.nextInt((int) Math.ceil(horizon / WEEK)) + a.hour() % WEEK + offset) % horizon;
            double kept = hour < horizon / 2 ? 1 : scenario.shock();
            double purse = scenario.middle()
                    * peers[Math.min(peers.length - 1, (int) hour)]
                    * StrictMath.exp(scenario.spread() * random.nextGaussian());
            if (random.nextDouble() * Math.max(1, scenario.shock()) < kept) {
                renters.add(new Renter(hour, stay(a, stretch), Math.min(a.gpus(), gpus), purse));
            }
        }
        renters.sort(Comparator.comparingDouble(Renter::hour));
        return new Draw(scenario, seed, renters, peers);
    }

    private static double stay(Arrival a, double stretch) {
        return Math.clamp(Math.min(a.hours(), 1_000) * stretch, .25, 24 * 7);
    }

    /** Runs one policy against what was drawn. */
    public Outcome run(Policy policy, Draw draw) {
        Policy.Pricer pricer = policy.start();
        var stays = new PriorityQueue<Stay>(Comparator.comparingDouble(Stay::end));
        int free = gpus;
        double price = draw.peers()[0];
        double[] peers = draw.peers();
        double earned = 0;
        double surplus = 0;
        double rented = 0;
        int next = 0;
        int searches = 0;
        int missed = 0;
        double utilisation = 0;
        double[] daily = new double[days];
        double horizon = days * 24.;
        for (int hour = 0; hour < peers.length; hour++) {
            price = pricer.price(new Policy.Market(hour, peers[hour], utilisation, searches, missed, price));
            if (!(price > 0 && price < 1e9)) {
                throw new IllegalStateException("policy %s set the price %s".formatted(policy.name(), price));
            }
            if (hour % 24 == 0) {
                daily[hour / 24] = StrictMath.log(price);
            }
            searches = 0;
            missed = 0;
            for (; next < draw.renters().size() && draw.renters().get(next).hour() < hour + 1; next++) {
                Renter renter = draw.renters().get(next);
                while (!stays.isEmpty() && stays.peek().end() <= renter.hour()) {
                    free += stays.remove().gpus();
                }
                searches++;
                if (renter.gpus() > free) {
                    missed++;
                } else if (renter.purse() >= price) {
                    double hours = Math.min(renter.hours(), horizon - renter.hour());
                    free -= renter.gpus();
                    stays.add(new Stay(renter.hour() + renter.hours(), renter.gpus()));
                    earned += price * hours * renter.gpus();
                    surplus += (renter.purse() - price) * hours * renter.gpus();
                    rented += hours * renter.gpus();
                }
            }
            while (!stays.isEmpty() && stays.peek().end() <= hour + 1) {
                free += stays.remove().gpus();
            }
            utilisation = 1 - (double) free / gpus;
        }
        return new Outcome(earned, surplus, rented / (gpus * horizon), volatility(daily));
    }

    private static double volatility(double[] daily) {
        double sum = 0;
        for (int d = 1; d < daily.length; d++) {
            sum += (daily[d] - daily[d - 1]) * (daily[d] - daily[d - 1]);
        }
        return Math.sqrt(sum / (daily.length - 1));
    }
}
