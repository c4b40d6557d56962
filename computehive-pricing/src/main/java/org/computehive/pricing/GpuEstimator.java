package org.computehive.pricing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.computehive.rental.PriceSuggestion.Factor;

/**
 * Prices single gpus against their nearest peers.
 *
 * <p>Every known gpu is priced once, when the model is loaded; a request only looks up. Immutable and thread-safe.
 */
final class GpuEstimator {
    private static final int PEERS = 5;
    private static final double LEAST_MEMORY_GIB = 1;
    private static final double MOST_MEMORY_GIB = 512;
    /**
     * How an unknown gpu's price follows its memory at least: half the memory takes off a third. Asked prices of known
     * gpus follow theirs about as much; the fitted coefficient shares it with bandwidth and compute, which an unknown
     * name doesn't tell.
     */
    private static final double UNKNOWN_MEMORY_ELASTICITY = .6;

    /**
     * What a consumer card rents for against a professional one with the same figures, where the data has none: half
     * way, in logarithms, to the ratio of their list prices on one chip (GA102: 1,499 USD for the RTX 3090, 4,650 USD
     * for the RTX A6000, both at launch).
     */
    private static final double CONSUMER_STEP = StrictMath.log(1_499. / 4_650) / 2;

    private final GpuCatalogue catalogue;
    private final PriceModel model;
    private final Map<String, Double> parts = new LinkedHashMap<>();
    private final Map<String, GpuEstimate> estimates = new LinkedHashMap<>();
    private final List<GpuFacts> seen;
    private final Set<GpuFacts.Segment> segments;
    private final GpuFacts median;

    GpuEstimator(GpuCatalogue catalogue, PriceModel model) {
        this.catalogue = catalogue;
        this.model = model;
        this.seen = catalogue.all().stream()
                .filter(gpu -> model.support().containsKey(gpu.name()))
                .toList();
        if (seen.isEmpty()) {
            throw new ModelException(
                    ModelException.Reason.FOREIGN,
                    "the model saw no gpu of this catalogue: train it with this version's Train");
        }
        this.segments = seen.stream().map(GpuFacts::segment).collect(Collectors.toUnmodifiableSet());
        for (GpuFacts gpu : catalogue.all()) {
            parts.put(gpu.name(), model.gpuPart(gpu) + segmentStep(gpu));
        }
        this.median = seen.stream()
                .sorted(Comparator.comparingDouble(this::part))
                .skip(seen.size() / 2)
                .findFirst()
                .orElseThrow();
        for (GpuFacts gpu : catalogue.all()) {
            estimates.put(gpu.name(), known(gpu));
        }
    }

    private double segmentStep(GpuFacts gpu) {
        return gpu.segment() == GpuFacts.Segment.CONSUMER && !segments.contains(gpu.segment()) ? CONSUMER_STEP : 0;
    }

    private double part(GpuFacts gpu) {
        Double part = parts.get(gpu.name());
        if (part == null) {
            throw new IllegalStateException(gpu.name() + " is not in the catalogue");
        }
        return part;
    }

    GpuEstimate estimate(String name, OptionalLong memoryMib) {
        return switch (catalogue.find(name, memoryMib)) {
            case GpuCatalogue.Match.Known known -> ofVariants(known);
            case GpuCatalogue.Match.Unknown unknown -> unknown(unknown, memoryMib);
        };
    }

    /** A name that leaves open which variant is meant gets the first one's point and the range of all. */
    private GpuEstimate ofVariants(GpuCatalogue.Match.Known known) {
        GpuEstimate first = estimates.get(known.gpu().name());
        if (first == null) {
            throw new IllegalStateException(known.gpu().name() + " is not in the catalogue");
        }
        if (known.variants().size() == 1) {
            return first;
        }
        double low = Math.min(first.low(), model.seldom().low());
        double high = Math.max(first.high(), model.seldom().high());
        for (GpuFacts variant : known.variants()) {
            double step = part(variant) - part(known.gpu());
            low = Math.min(low, step + model.seen().low());
            high = Math.max(high, step + model.seen().high());
        }
        return new GpuEstimate(
                first.reference(),
                first.referenceMicros(),
                first.multiplier(),
                first.factors(),
                first.confidence() == Confidence.HIGH ? Confidence.MEDIUM : first.confidence(),
                low,
                high);
    }

    private GpuEstimate known(GpuFacts gpu) {
        GpuFacts peer = nearestPeer(gpu);
        PriceModel.Support support = model.support().get(gpu.name());
        Confidence confidence =
                support == null ? Confidence.LOW : support.often() ? Confidence.HIGH : Confidence.MEDIUM;
        PriceModel.ErrorRange range = switch (confidence) {
            case HIGH -> model.seen();
            case MEDIUM -> model.seldom();
            case LOW ->
                segments.contains(gpu.segment())
                        ? model.unseen()
                        : model.unseen().doubled();
        };
        double[] mine = Hedonic.features(gpu);
        double[] theirs = Hedonic.features(peer);
        double[] steps = new double[mine.length];
        double rest = part(gpu) - part(peer) - segmentStep(gpu);
        for (int j = 0; j < mine.length; j++) {
            steps[j] = model.hedonic().spec().get(j) * (mine[j] - theirs[j]) / 2;
            rest -= steps[j];
        }
        String market = support == null
                ? "what gpus with figures like these fetch; this model was not in the data"
                : "what this model fetches beyond these figures; prices seen: " + support.rows()
                        + ", independent providers: " + support.providers();
        var factors = new ArrayList<Factor>();
        add(factors, "gpu memory", steps[0], against(gpu.memoryGib(), peer.memoryGib(), "GiB"));
        add(
                factors,
                "memory bandwidth",
                steps[1],
                against(gpu.bandwidthGbPerSecond(), peer.bandwidthGbPerSecond(), "GB/s"));
        add(factors, "compute", steps[2], against(gpu.computeTflops(), peer.computeTflops(), "TFLOPS"));
        add(factors, "generation", steps[3], "of " + gpu.year() + " against " + peer.year());
        add(factors, "market for the model", rest, market);
        add(
                factors,
                "consumer card",
                segmentStep(gpu),
                "cards for games cost less than professional ones on the same chip; no rents of any were in the data");
        return GpuEstimate.of(peer, part(peer), factors, confidence, range.low(), range.high());
    }

    private GpuFacts nearestPeer(GpuFacts gpu) {
        double[] mine = Hedonic.features(gpu);
        return seen.stream()
                .filter(peer -> !peer.name().equals(gpu.name()))
                .min(Comparator.comparingDouble((GpuFacts peer) -> distance(mine, Hedonic.features(peer)))
                        .thenComparing(GpuFacts::name))
                .orElse(median);
    }

    private static double distance(double[] a, double[] b) {
        double sum = 0;
        for (int j = 0; j < a.length; j++) {
            sum += (a[j] - b[j]) * (a[j] - b[j]);
        }
        return sum;
    }

    private GpuEstimate unknown(GpuCatalogue.Match.Unknown name, OptionalLong memoryMib) {
        String called = "unknown gpu; the nearest known names: " + String.join(", ", name.nearest());
        boolean display = GpuName.isDisplay(name.name());
        if (memoryMib.isEmpty() && !display) {
            double low = model.unseen().low();
            double high = model.unseen().high();
            for (GpuFacts peer : seen) {
                low = Math.min(low, part(peer) - part(median));
                high = Math.max(high, part(peer) - part(median));
            }
            Factor factor = new Factor(
                    "unknown gpu",
                    1,
                    called + ". Priced as the middle one of the " + seen.size()
                            + " gpus in the data: state its memory for a better price");
            return GpuEstimate.of(median, part(median), List.of(factor), Confidence.LOW, low, high);
        }
        double stated = display ? LEAST_MEMORY_GIB : memoryMib.orElse(0) / 1024.;
        double memory = StrictMath.log(Math.clamp(stated, LEAST_MEMORY_GIB, MOST_MEMORY_GIB));
        List<GpuFacts> peers = seen.stream()
                .sorted(Comparator.comparingDouble(
                                (GpuFacts peer) -> Math.abs(StrictMath.log(peer.memoryGib()) - memory))
                        .thenComparing(GpuFacts::name))
                .limit(PEERS)
                .toList();
        GpuFacts reference = peers.getFirst();
        double mean = peers.stream().mapToDouble(this::part).average().orElseThrow();
        double meanMemory = peers.stream()
                .mapToDouble(p -> StrictMath.log(p.memoryGib()))
                .average()
                .orElseThrow();
        double step = UNKNOWN_MEMORY_ELASTICITY * (memory - meanMemory);
        double low = model.unseen().low();
        double high = model.unseen().high();
        for (GpuFacts peer : peers) {
            low = Math.min(low, part(peer) - mean + model.seen().low());
            high = Math.max(high, part(peer) - mean + model.seen().high());
        }
        var factors = new ArrayList<Factor>();
        add(
                factors,
                "unknown gpu",
                mean - part(reference),
                (display ? "a display device that computes nothing" : called) + ". Priced as the mean of the "
                        + peers.size() + " known gpus with the nearest memory");
        add(
                factors,
                "gpu memory",
                step,
                against(StrictMath.exp(memory), StrictMath.exp(meanMemory), "GiB") + " of these gpus on average");
        return GpuEstimate.of(reference, part(reference), factors, Confidence.LOW, low, high);
    }

    private static void add(List<Factor> factors, String name, double step, String why) {
        if (step != 0) {
            factors.add(new Factor(name, StrictMath.exp(step), why));
        }
    }

    private static String against(double mine, double theirs, String unit) {
        return number(mine) + " " + unit + " against " + number(theirs);
    }

    /** Writes a figure with at most one decimal, whatever the machine's language. */
    static String number(double value) {
        double tenths = Math.round(value * 10) / 10.;
        return tenths == Math.rint(tenths) ? Long.toString((long) tenths) : Double.toString(tenths);
    }
}
