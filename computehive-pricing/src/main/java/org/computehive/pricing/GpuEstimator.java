package org.computehive.pricing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.computehive.market.ListingQuery;
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
    /** A gpu-hour between a hundredth of a cent and 10,000 USD. */
    private static final double MOST_PART = StrictMath.log(1e4);
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
    private final double[] steps;
    private final Map<String, GpuEstimate> estimates = new LinkedHashMap<>();
    private final List<GpuFacts> seen;
    private final Set<GpuFacts.Segment> segments;
    private final GpuFacts median;
    private final double[] strange;
    /** That of a gpu of which nothing is known: it holds every gpu's price too. */
    private final double[] any;

    GpuEstimator(GpuCatalogue catalogue, PriceModel model) {
        this.catalogue = catalogue;
        this.model = model;
        this.seen = catalogue.all().stream().filter(gpu -> of(gpu).isSeen()).toList();
        if (seen.isEmpty()) {
            throw new ModelException(
                    ModelException.Reason.FOREIGN,
                    "the model saw no gpu of this catalogue: train it with this version's Train");
        }
        this.segments = seen.stream().map(GpuFacts::segment).collect(Collectors.toUnmodifiableSet());
        for (GpuFacts gpu : catalogue.all()) {
            double part = model.part(gpu, of(gpu)) + segmentStep(gpu);
            if (!(Math.abs(part) <= MOST_PART)) {
                throw new ModelException(
                        ModelException.Reason.FOREIGN,
                        "the model prices %s at exp(%s) USD/h: it is damaged, train it again"
                                .formatted(gpu.name(), part));
            }
            parts.put(gpu.name(), part);
        }
        this.steps = steps();
        this.strange = strangeRange();
        this.median = seen.stream()
                .sorted(Comparator.comparingDouble(this::part))
                .skip(seen.size() / 2)
                .findFirst()
                .orElseThrow();
        double[] all = strange;
        for (GpuFacts peer : seen) {
            all = wider(all, new double[2], part(peer) - part(median));
        }
        this.any = all;
        for (GpuFacts gpu : catalogue.all()) {
            estimates.put(gpu.name(), known(gpu));
        }
    }

    /** A gpu that came into the catalogue after the model was trained is as if a stranger: widest range, middle price. */
    private PriceModel.Gpu of(GpuFacts gpu) {
        PriceModel.Gpu known = model.gpus().get(gpu.name());
        return known != null ? known : new PriceModel.Gpu(0, 2, 0, 0);
    }

    /**
     * What each figure explains of the model's own prices: a fit with coefficients that are not negative, so that no
     * factor says that more memory makes a gpu cheaper.
     */
    private double[] steps() {
        List<GpuFacts> alike = catalogue.all().stream()
                .filter(gpu -> segments.contains(gpu.segment()))
                .toList();
        int width = Hedonic.FEATURES.size() + 1;
        double[][] x = new double[alike.size()][width];
        double[] y = new double[alike.size()];
        double[] weight = new double[alike.size()];
        for (int i = 0; i < y.length; i++) {
            x[i][0] = 1;
            System.arraycopy(Hedonic.features(alike.get(i)), 0, x[i], 1, width - 1);
            y[i] = part(alike.get(i));
            weight[i] = 1;
        }
        double[] penalty = new double[width];
        double[] least = new double[width];
        double[] most = new double[width];
        Arrays.fill(penalty, 1, width, .1);
        Arrays.fill(most, Double.POSITIVE_INFINITY);
        least[0] = Double.NEGATIVE_INFINITY;
        return Arrays.copyOfRange(new BoundedRidge(penalty, least, most).fit(x, y, weight), 1, width);
    }

    /** The range about a gpu's point: its ends over it, in logarithms. */
    private double[] range(GpuFacts gpu) {
        PriceModel.Gpu known = of(gpu);
        return known.isSeen()
                ? new double[] {model.seen().low(known.scale()), model.seen().high(known.scale())}
                : unseen(known.scale(), segments.contains(gpu.segment()) ? 1 : 2);
    }

    private double[] unseen(double scale, double times) {
        return new double[] {
            times * model.unseen().low(scale), times * model.unseen().high(scale)
        };
    }

    private static double[] wider(double[] a, double[] b, double step) {
        return new double[] {Math.min(a[0], b[0] + step), Math.max(a[1], b[1] + step)};
    }

    /** The widest range of a gpu that the data lacks, of a kind that it has. */
    private double[] strangeRange() {
        double[] widest = new double[2];
        for (GpuFacts gpu : catalogue.all()) {
            if (segments.contains(gpu.segment())) {
                widest = wider(widest, unseen(of(gpu).scale(), 1), 0);
            }
        }
        return widest;
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

    /** Returns the catalogue's name of a gpu, or the words of a name that it does not know. */
    String gpuClass(String name) {
        return switch (catalogue.find(name)) {
            case GpuCatalogue.Match.Known known -> known.gpu().name();
            case GpuCatalogue.Match.Unknown unknown ->
                "unknown " + String.join(" ", ListingQuery.words(unknown.name()));
        };
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
        double[] range = {first.low(), first.high()};
        for (GpuFacts variant : known.variants()) {
            range = wider(range, range(variant), part(variant) - part(known.gpu()));
        }
        return new GpuEstimate(
                first.reference(),
                first.referenceMicros(),
                first.multiplier(),
                first.factors(),
                first.confidence() == Confidence.HIGH ? Confidence.MEDIUM : first.confidence(),
                range[0],
                range[1]);
    }

    private GpuEstimate known(GpuFacts gpu) {
        GpuFacts peer = nearestPeer(gpu);
        PriceModel.Gpu known = of(gpu);
        Confidence confidence =
                !known.isSeen() ? Confidence.LOW : known.isOften() ? Confidence.HIGH : Confidence.MEDIUM;
        double[] mine = Hedonic.features(gpu);
        double[] theirs = Hedonic.features(peer);
        double[] moved = new double[mine.length];
        double rest = part(gpu) - part(peer) - segmentStep(gpu);
        for (int j = 0; j < mine.length; j++) {
            moved[j] = steps[j] * (mine[j] - theirs[j]);
            rest -= moved[j];
        }
        String market = known.isSeen()
                ? "what this model fetches beyond what these figures explain; prices seen: " + known.rows()
                        + ", independent providers: " + known.providers()
                : "what gpus like this fetch beyond what these figures explain; this model was not in the data";
        var factors = new ArrayList<Factor>();
        add(factors, "gpu memory", moved[0], against(gpu.memoryGib(), peer.memoryGib(), "GiB"));
        add(
                factors,
                "memory bandwidth",
                moved[1],
                against(gpu.bandwidthGbPerSecond(), peer.bandwidthGbPerSecond(), "GB/s"));
        add(factors, "compute", moved[2], against(gpu.computeTflops(), peer.computeTflops(), "TFLOPS"));
        add(factors, "generation", moved[3], "of " + gpu.year() + " against " + peer.year());
        add(factors, "market for the model", rest, market);
        add(
                factors,
                "consumer card",
                segmentStep(gpu),
                "cards for games cost less than professional ones on the same chip; no rents of any were in the data");
        return GpuEstimate.of(peer, part(peer), factors, confidence, range(gpu));
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
            Factor factor = new Factor(
                    "unknown gpu",
                    1,
                    called + ". Priced as the middle one of the " + seen.size()
                            + " gpus in the data: state its memory for a better price");
            return GpuEstimate.of(median, part(median), List.of(factor), Confidence.LOW, any);
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
        double[] range = strange.clone();
        for (GpuFacts peer : peers) {
            range = wider(range, range(peer), part(peer) - mean);
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
        return GpuEstimate.of(reference, part(reference), factors, Confidence.LOW, range);
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
