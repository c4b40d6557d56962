package org.computehive.pricing;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.computehive.demand.DemandState;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceSuggestion;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.computehive.rental.PriceSuggestion.Factor;

/**
 * Suggests prices: what a {@link MarketModel} says to a provider that it has not seen.
 *
 * <p>A suggestion is the price of a named peer times its factors: what tells the gpu from the peer, the host's
 * processors and memory, the number of gpus, demand, and last the lender's own limits. The peer's price stands in
 * {@link PriceSuggestion#reference()}; it times all factors is the point, to half a micro-USD. The range holds about
 * 80 % of the prices that providers who are not in the data ask for such hardware.
 *
 * <p>A gpu that nobody knows gets a wide range and {@link Confidence#LOW}: priced by its memory among the known ones,
 * or, without that, as the middle one of them. It is not refused, because vCPUs and memory alone say something, and a
 * lender is better served by a wide range that says so than by none.
 *
 * <p>Immutable and thread-safe. {@link #suggest} does no I/O and never runs the forest: every known gpu was priced when
 * the model was loaded.
 */
public final class TribuoPriceAdvisor implements PriceAdvisor {
    /** The model's name and version, as suggestions carry it. */
    public static final String MODEL_ID = "market/2";

    private static final String CURRENCY = "USD";
    private static final String BUNDLED = "default-model.pb";

    private final PriceModel model;
    private final String sha256;
    private final GpuEstimator gpus;

    private TribuoPriceAdvisor(PriceModel model, String sha256) {
        this.model = model;
        this.sha256 = sha256;
        this.gpus = new GpuEstimator(GpuCatalogue.bundled(), model);
    }

    /**
     * Loads the model that comes with this module; {@code MODEL.md} beside it says what it learnt from.
     *
     * @throws ModelException if the jar is damaged
     */
    public static TribuoPriceAdvisor bundled() {
        try (InputStream bytes = resource(BUNDLED);
                InputStream sum = resource(BUNDLED + ".sha256")) {
            String expected = new String(sum.readNBytes(64), StandardCharsets.US_ASCII);
            return of(bytes.readNBytes(ModelFile.MAX_BYTES), expected);
        } catch (IOException e) {
            throw new ModelException(ModelException.Reason.UNREADABLE, "the jar's own model can't be read", e);
        }
    }

    private static InputStream resource(String name) throws IOException {
        InputStream in = TribuoPriceAdvisor.class.getResourceAsStream(name);
        if (in == null) {
            throw new IOException("resource " + name + " is missing from the jar: rebuild it");
        }
        return in;
    }

    /**
     * Loads a model that {@link Train} wrote.
     *
     * @param file the file, at most 16 MiB
     * @param expectedSha256 its SHA-256, 64 hexadecimal digits; from a place that whoever can change the file can't
     *     change
     * @throws ModelException if the file can't be read, has another hash, or is not a model; nothing is loaded then
     * @throws IllegalArgumentException if the hash is not 64 hexadecimal digits
     */
    public static TribuoPriceAdvisor load(Path file, String expectedSha256) {
        if (!expectedSha256.matches("[0-9a-fA-F]{64}")) {
            throw new IllegalArgumentException(
                    "expected SHA-256 of %d characters is not 64 hexadecimal digits: see %s.sha256"
                            .formatted(expectedSha256.length(), file.getFileName()));
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(ModelFile.MAX_BYTES + 1);
            if (bytes.length > ModelFile.MAX_BYTES) {
                throw new ModelException(
                        ModelException.Reason.UNREADABLE,
                        "model %s is over the limit of %d bytes: it is not one of ours"
                                .formatted(file, ModelFile.MAX_BYTES));
            }
            return of(bytes, expectedSha256.toLowerCase(Locale.ROOT));
        } catch (IOException e) {
            throw new ModelException(
                    ModelException.Reason.UNREADABLE, "model %s can't be read: %s".formatted(file, e), e);
        }
    }

    static TribuoPriceAdvisor of(byte[] bytes, String expectedSha256) {
        return new TribuoPriceAdvisor(ModelFile.decode(bytes, expectedSha256), expectedSha256);
    }

    /** Returns whose data the model learnt from, and under which licences. */
    public String credit() {
        return model.credit();
    }

    @Override
    public String gpuClass(String gpuModel) {
        return gpus.gpuClass(gpuModel);
    }

    @Override
    public PriceSuggestion suggest(Request request) {
        HostPrice host = HostPrice.of(request, gpus);
        double cpus = request.cpus() / host.equivalents();
        double memory = request.memoryMiB() / 1024. / host.equivalents();
        var factors = new ArrayList<>(host.factors());
        add(
                factors,
                "vCPUs",
                StrictMath.exp(model.host().cpu() * Hedonic.cpuStep(cpus)),
                perGpu(cpus, Hedonic.BASE_CPUS, "vCPUs"));
        add(
                factors,
                "host memory",
                StrictMath.exp(model.host().ram() * Hedonic.ramStep(memory)),
                perGpu(memory, Hedonic.BASE_MEMORY_GIB, "GiB"));
        TimeFactors.of(request, model.spot())
                .forEach(factor -> add(factors, factor.name(), factor.multiplier(), factor.why()));
        if (request.demand().isPresent()) {
            request.demand().ifPresent(state -> add(factors, "demand", state.multiplier(), measured(state)));
        } else {
            request.utilisation().ifPresent(share -> add(factors, "demand", DemandState.aim(share), stated(share)));
        }
        double exact = host.referenceMicros();
        for (Factor factor : factors) {
            exact *= factor.multiplier();
        }
        long floor = request.floor().orElse(0);
        long ceiling = request.ceiling().orElse(Request.MOST_MICROS);
        long point = Math.clamp(Math.round(exact), floor, ceiling);
        if (point != Math.round(exact)) {
            String limit = point == floor && request.floor().isPresent() ? "floor" : "ceiling";
            add(factors, "lender's " + limit, point / exact, "the lender's " + limit + " of " + usd(point) + " USD/h");
        }
        factors.sort(Comparator.comparingDouble((Factor f) -> -Math.abs(StrictMath.log(f.multiplier()))));

        // Beyond the hosts in the data the price stays, and may go on as it did instead.
        double beyond = model.host().cpu() * beyond(Hedonic.cpuStep(cpus), cpus / Hedonic.BASE_CPUS)
                + model.host().ram() * beyond(Hedonic.ramStep(memory), memory / Hedonic.BASE_MEMORY_GIB);
        Confidence confidence =
                beyond > 0 && host.confidence() == Confidence.HIGH ? Confidence.MEDIUM : host.confidence();
        double low = host.low() - beyond;
        double high = host.high() + beyond;
        return new PriceSuggestion(
                CURRENCY,
                Math.min(point, Math.clamp(Math.round(exact * StrictMath.exp(low)), floor, ceiling)),
                point,
                Math.max(point, Math.clamp(Math.round(exact * StrictMath.exp(high)), floor, ceiling)),
                confidence,
                factors,
                host.reference().name() + " with " + GpuEstimator.number(Hedonic.BASE_CPUS) + " vCPUs and "
                        + GpuEstimator.number(Hedonic.BASE_MEMORY_GIB) + " GiB, at " + usd(host.referenceMicros())
                        + " USD/h",
                MODEL_ID,
                sha256,
                model.dataDate(),
                request.demand().flatMap(DemandState::newest).stream().toList());
    }

    private static String stated(double utilisation) {
        return GpuEstimator.number(utilisation * 100) + " % of like gpus are rented; "
                + GpuEstimator.number(DemandState.TARGET * 100) + " % is the aim";
    }

    private static String measured(DemandState state) {
        return state.newest()
                        .map(day -> GpuEstimator.number(day.utilisation() * 100) + " % of like gpus were booked, "
                                + day.foundNothing() + " of " + day.searches() + " searches found nothing; ")
                        .orElse("")
                + "smoothed " + GpuEstimator.number(state.smoothedUtilisation() * 100) + " %, "
                + GpuEstimator.number(DemandState.TARGET * 100) + " % is the aim; followed by a tenth a day at most";
    }

    private static double beyond(double step, double ratio) {
        return Math.abs(StrictMath.log(ratio)) - Math.abs(step);
    }

    private static String perGpu(double mine, double base, String unit) {
        return GpuEstimator.number(mine) + " " + unit + " for each gpu against " + GpuEstimator.number(base);
    }

    private static void add(List<Factor> factors, String name, double multiplier, String why) {
        if (multiplier != 1) {
            factors.add(new Factor(name, multiplier, why));
        }
    }

    static String usd(long micros) {
        return BigDecimal.valueOf(micros, 6).toPlainString();
    }
}
