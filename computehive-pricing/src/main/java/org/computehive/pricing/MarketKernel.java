package org.computehive.pricing;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;

/**
 * How alike two offers are: the covariance of their logarithmic prices, a sum of parts for hardware, provider, terms,
 * place and time. Each part is a level of pooling: what a gpu, a provider, a provider with a gpu, or one offer adds, the
 * nearer to nothing the less is known of it (C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine
 * Learning, 2006). Immutable and thread-safe.
 */
final class MarketKernel {
    private static final double HYPERSCALER = .5;
    private static final double OFFER = .15;
    private static final double GENERATION_YEARS = 3;

    private final LocalDate today;

    MarketKernel(LocalDate today) {
        this.today = today;
    }

    /** What the kernel sees of an offer. */
    record Point(
            double[] spec,
            String gpu,
            String provider,
            String offer,
            String terms,
            String region,
            String[] traits,
            boolean hyperscaler,
            double years) {}

    Point point(Observation row) {
        GpuFacts gpu = row.gpu();
        double[] spec = {
            StrictMath.log(gpu.memoryGib()),
            StrictMath.log(gpu.bandwidthGbPerSecond()),
            StrictMath.log(gpu.fp32Tflops()) / 1.2,
            StrictMath.log(gpu.computeTflops()) / 1.2,
            (gpu.year() - 2020) / GENERATION_YEARS,
            gpu.segment() == GpuFacts.Segment.CONSUMER ? 1 : 0,
            gpu.segment() == GpuFacts.Segment.WORKSTATION ? 1 : 0
        };
        String[] traits = row.traits().stream().sorted().toArray(String[]::new);
        return new Point(
                spec,
                gpu.name(),
                row.provider(),
                row.offer(),
                terms(row),
                Arrays.stream(traits)
                        .filter(t -> t.startsWith("region:"))
                        .findFirst()
                        .orElse(""),
                Arrays.stream(traits).filter(t -> !t.startsWith("region:")).toArray(String[]::new),
                row.tier() == Observation.Tier.HYPERSCALER,
                (row.day().toEpochDay() - today.toEpochDay()) / 365.25);
    }

    static String terms(Observation row) {
        for (String terms : List.of("spot", "community", "unverified")) {
            if (row.is(terms)) {
                return terms;
            }
        }
        return "";
    }

    double of(Point a, Point b) {
        double distance = 0;
        double linear = 0;
        for (int j = 0; j < a.spec.length; j++) {
            double step = a.spec[j] - b.spec[j];
            distance += step * step;
            linear += (a.spec[j] - 3) * (b.spec[j] - 3);
        }
        double alike = StrictMath.exp(-distance / 2);
        double apart = Math.abs(a.years - b.years);
        double sum = 4 + .1 * linear + .5 * alike + .1 * Math.min(9, a.years * b.years);
        if (a.hyperscaler && b.hyperscaler) {
            sum += HYPERSCALER;
        }
        int shared = shared(a.traits, b.traits);
        sum += shared * (.15 + .03 * alike);
        boolean gpu = a.gpu.equals(b.gpu);
        if (gpu) {
            sum += .04 + .02 * StrictMath.exp(-apart / .5);
        }
        if (a.provider.equals(b.provider)) {
            sum += .15 + .1 * alike + .02 * StrictMath.exp(-apart / .3);
            boolean terms = a.terms.equals(b.terms);
            sum += (gpu ? .05 : 0) + (terms ? .02 : 0) + (gpu && terms ? .03 : 0);
            if (!a.region.isEmpty() && a.region.equals(b.region)) {
                sum += .05;
            }
            if (a.offer.equals(b.offer)) {
                sum += OFFER * StrictMath.exp(-apart / .3);
            }
        }
        return sum;
    }

    private static int shared(String[] a, String[] b) {
        int n = 0;
        for (String trait : a) {
            for (String other : b) {
                if (trait.equals(other)) {
                    n++;
                }
            }
        }
        return n;
    }
}
