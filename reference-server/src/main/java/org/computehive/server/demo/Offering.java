package org.computehive.server.demo;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.computehive.chain.EvmParty;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceSuggestion;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.computehive.server.platform.LocalPlatform;
import org.computehive.vm.DemoImage;

/** Steps 1 and 2: the host registers, the price advisor suggests, the lender lists. */
final class Offering {
    private static final HostId HOST = new HostId("this-machine");
    private static final ListingId LISTING = new ListingId("demo-listing");
    private static final BigDecimal FLOOR_USD_PER_HOUR = new BigDecimal("0.10");
    private static final BigDecimal BOND_USD = new BigDecimal("0.01");
    private static final BigDecimal DISPUTE_BOND_USD = new BigDecimal("0.005");
    private static final BigDecimal CEILING_USD_PER_HOUR = new BigDecimal("2.00");
    /** A renter who calls off within a minute of the start owes 5 %; one who does not come in 100 s, 10 %. */
    private static final Cancellation TERMS =
            new Cancellation(Duration.ofMinutes(1), 500, Duration.ofSeconds(100), 1_000);

    private static final Pattern REFERENCE = Pattern.compile("at ([0-9.]+) USD/h");
    /** Factors are shown with a few digits only. */
    private static final double ROUNDING = 0.01;

    private static final MachineShape SHAPE = new MachineShape(1, 512, 64, DemoImage.NAME);

    private final Scene scene;
    private final DemoOptions options;
    private final LocalPlatform platform;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty lender;
    private final Token token;

    Offering(Scene scene) {
        this.scene = scene;
        this.options = scene.options;
        this.platform = scene.platform;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.lender = scene.lender;
        this.token = scene.token;
    }

    /** Returns what is on offer in the end. */
    Listing run() throws Exception {
        Host host = registerHost();
        return list(host, suggest(host));
    }

    private Host registerHost() throws Exception {
        display.headline("1  The host registers");
        Host host = display.step("read the host's inventory from libvirt", () -> {
            Host found = engine.registerHost(HOST, lender.account(), platform.hypervisor());
            engine.start();
            return found;
        });
        display.detail("%d cpus, %d MiB, guests run by %s, assurance %s"
                .formatted(host.cpus(), host.memoryMiB(), host.acceleration(), host.assurance()));
        for (Gpu gpu : host.gpus()) {
            display.detail("%s  %s%s%s"
                    .formatted(
                            gpu.address(),
                            gpu.model(),
                            gpu.emulated() ? "  [EMULATED stand-in, not a GPU]" : "",
                            gpu.unavailable()
                                    .map(why -> "  [can't be rented: " + why + "]")
                                    .orElse("")));
        }
        checks.that(
                "the host has a device to rent",
                usable(host).isPresent(),
                host.gpus().size() + " found");
        return host;
    }

    private static Optional<Gpu> usable(Host host) {
        return host.gpus().stream().filter(gpu -> gpu.unavailable().isEmpty()).findFirst();
    }

    private Rate suggest(Host host) throws Exception {
        display.headline("2  The lender lists it; the price advisor suggests, the lender decides");
        Gpu gpu = usable(host).orElseThrow(() -> new IllegalStateException("no device of this host can be rented"));
        String pricedAs = gpu.emulated() ? options.standIn() : gpu.model();
        var request = new PriceAdvisor.Request(
                pricedAs,
                1,
                gpu.emulated() || gpu.memoryMiB() == 0 ? OptionalLong.empty() : OptionalLong.of(gpu.memoryMiB()),
                SHAPE.cpus(),
                SHAPE.memoryMiB(),
                OptionalDouble.empty(),
                OptionalLong.of(microUsd(FLOOR_USD_PER_HOUR)),
                OptionalLong.of(microUsd(CEILING_USD_PER_HOUR)));
        PriceSuggestion suggestion = display.step("ask the price model", () -> engine.suggestPrice(request));
        if (gpu.emulated()) {
            display.detail("the device is emulated; it is priced as if it were a " + pricedAs);
        }
        display.detail("%s USD/h, likely %s to %s, confidence %s"
                .formatted(
                        usd(suggestion.point()),
                        usd(suggestion.low()),
                        usd(suggestion.high()),
                        suggestion.confidence()));
        display.detail("because, against " + suggestion.reference() + ":");
        for (PriceSuggestion.Factor factor : suggestion.factors()) {
            display.detail("  x %.3f  %s: %s".formatted(factor.multiplier(), factor.name(), factor.why()));
        }
        display.detail("model %s %s, data to %s"
                .formatted(suggestion.modelId(), suggestion.modelSha256().substring(0, 12), suggestion.dataDate()));
        judge(suggestion, gpu);
        return suggestion.pointIn(token);
    }

    private void judge(PriceSuggestion suggestion, Gpu gpu) {
        var reference = REFERENCE.matcher(suggestion.reference());
        double product = reference.find() ? Double.parseDouble(reference.group(1)) : 0;
        for (PriceSuggestion.Factor factor : suggestion.factors()) {
            product *= factor.multiplier();
        }
        checks.that(
                "the price's reasons multiply to it, within its range",
                Math.abs(product * 1e6 / suggestion.point() - 1) < ROUNDING
                        && suggestion.low() <= suggestion.point()
                        && suggestion.point() <= suggestion.high(),
                "%d factors, confidence %s".formatted(suggestion.factors().size(), suggestion.confidence()));
        boolean listed = scene.isFree(Window.of(Instant.now().truncatedTo(ChronoUnit.SECONDS), Duration.ofDays(1)));
        checks.that(
                "a suggestion is applied by nobody but the lender",
                !listed,
                listed ? "something is on offer" : "nothing on offer yet");
    }

    private static long microUsd(BigDecimal usd) {
        return usd.movePointRight(6).longValueExact();
    }

    private static String usd(long microUsd) {
        return BigDecimal.valueOf(microUsd, 6).setScale(3, RoundingMode.HALF_UP).toPlainString();
    }

    private Listing list(Host host, Rate accepted) throws Exception {
        Gpu gpu = usable(host).orElseThrow();
        var stakes = new Stakes(EvmWallet.random().account(), amount(BOND_USD), amount(DISPUTE_BOND_USD));
        Listing listing = listing(host, gpu, accepted, stakes, gpu.emulated());
        String refusal = refusal(listing(host, gpu, accepted, stakes, !gpu.emulated()));
        checks.that("a listing can't hide that a device is emulated", !refusal.isEmpty(), refusal);
        display.step("the lender accepts that price and lists the device", () -> engine.list(listing));
        display.detail("listing %s at %s, floor %s, ceiling %s, always available"
                .formatted(
                        LISTING,
                        accepted.inTokensPerHour(token),
                        listing.floor().inTokensPerHour(token),
                        listing.ceiling().inTokensPerHour(token)));
        display.detail("terms: calling off in the last %d s or ending early costs %d %%, not coming within %d s %d %%"
                .formatted(
                        TERMS.notice().toSeconds(),
                        TERMS.lateShare() / 100,
                        TERMS.noShowAfter().toSeconds(),
                        TERMS.noShowShare() / 100));
        display.detail("stakes: the lender's bond %s, a disputer's bond %s, arbiter %s"
                .formatted(stakes.bond().inTokens(token), stakes.disputeBond().inTokens(token), stakes.arbiter()));
        return listing;
    }

    private String refusal(Listing lying) {
        try {
            engine.list(lying);
            return "";
        } catch (RentalException.Unacceptable e) {
            return "refused";
        }
    }

    private Listing listing(Host host, Gpu gpu, Rate accepted, Stakes stakes, boolean emulated) {
        return new Listing(
                LISTING,
                lender.account(),
                HOST,
                List.of(new GpuId(HOST, gpu.address())),
                SHAPE,
                token,
                Rate.perHour(FLOOR_USD_PER_HOUR, token),
                Rate.perHour(CEILING_USD_PER_HOUR, token),
                accepted,
                Availability.always(),
                new Listing.Rules(
                        Duration.ofSeconds(30),
                        Duration.ofHours(1),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(110),
                        Duration.ofMinutes(10),
                        TERMS,
                        Listing.Rules.USUAL_RECLAIM_NOTICE,
                        stakes),
                host.assurance(),
                emulated);
    }

    private Amount amount(BigDecimal usd) {
        return new Amount(usd.movePointRight(token.decimals()).toBigIntegerExact());
    }
}
