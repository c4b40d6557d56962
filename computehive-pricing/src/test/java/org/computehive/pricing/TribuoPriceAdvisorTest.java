package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisorContract;
import org.computehive.rental.PriceSuggestion;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.computehive.rental.PriceSuggestion.Factor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TribuoPriceAdvisorTest extends PriceAdvisorContract {
    private static final TribuoPriceAdvisor BUNDLED = TribuoPriceAdvisor.bundled();
    private static final Pattern REFERENCE_PRICE = Pattern.compile("at (\\d+\\.\\d{6}) USD/h$");

    private static final long SEED = Long.getLong("computehive.seed", 1);

    @TempDir
    Path folder;

    @Override
    protected PriceAdvisor advisor() {
        return BUNDLED;
    }

    private static Request request(String model, OptionalLong gpuMemory, OptionalDouble utilisation) {
        return new Request(model, 1, gpuMemory, 16, 131_072, utilisation, OptionalLong.empty(), OptionalLong.empty());
    }

    private static PriceSuggestion suggest(String model) {
        return BUNDLED.suggest(request(model, OptionalLong.empty(), OptionalDouble.empty()));
    }

    private static double productTimesReference(PriceSuggestion suggestion) {
        Matcher price = REFERENCE_PRICE.matcher(suggestion.reference());
        assertTrue(price.find(), suggestion.reference());
        double product = Double.parseDouble(price.group(1)) * 1e6;
        for (Factor factor : suggestion.factors()) {
            product *= factor.multiplier();
        }
        return product;
    }

    @Test
    void suggest_anyRequest_referenceTimesFactorsIsThePoint() {
        var random = new Random(SEED + 11);
        for (GpuFacts gpu : GpuCatalogue.bundled().all()) {
            for (int i = 0; i < 50; i++) {
                Request request = new Request(
                        gpu.name(),
                        1 + random.nextInt(64),
                        OptionalLong.empty(),
                        1 + random.nextInt(4_096),
                        1 + random.nextLong(4_000_000),
                        OptionalDouble.of(random.nextDouble()),
                        random.nextBoolean() ? OptionalLong.of(random.nextLong(30_000_000)) : OptionalLong.empty(),
                        random.nextBoolean()
                                ? OptionalLong.of(30_000_000 + random.nextLong(9_000_000))
                                : OptionalLong.empty());
                PriceSuggestion suggestion = BUNDLED.suggest(request);
                assertEquals(
                        suggestion.point(),
                        productTimesReference(suggestion),
                        .500_1,
                        () -> "seed " + SEED + ": " + request + ": " + suggestion);
            }
        }
        for (String name : new String[] {"nobody's gpu", "QEMU Virtual Display"}) {
            PriceSuggestion suggestion = suggest(name);
            assertEquals(suggestion.point(), productTimesReference(suggestion), .500_1, suggestion::toString);
        }
    }

    @Test
    void suggest_gpuSeenOften_isConfidentAndPlausible() {
        PriceSuggestion h100 = suggest("NVIDIA H100 SXM 80GB");
        assertEquals(Confidence.HIGH, h100.confidence());
        assertTrue(h100.point() > 1_000_000 && h100.point() < 6_000_000, h100::toString);
        assertTrue(suggest("T4").point() < h100.point() / 3, h100::toString);
        assertFalse(h100.reference().startsWith("H100 SXM"), h100.reference());
    }

    @Test
    void suggest_gpuNotInTheData_isLowWithAWiderRange() {
        PriceSuggestion seen = suggest("A100 SXM 80GB");
        PriceSuggestion unseen = suggest("RTX 4090");
        assertEquals(Confidence.LOW, unseen.confidence());
        assertTrue(
                (double) unseen.high() / unseen.low() > (double) seen.high() / seen.low(),
                () -> seen + " against " + unseen);
    }

    @Test
    void suggest_unknownGpu_saysSoAndNamesTheNearest() {
        PriceSuggestion unknown = BUNDLED.suggest(request("RTX 6090", OptionalLong.of(49_152), OptionalDouble.empty()));
        assertEquals(Confidence.LOW, unknown.confidence());
        assertTrue(
                unknown.factors().stream().anyMatch(f -> f.why().contains("unknown gpu; the nearest known names: RTX")),
                unknown::toString);
        PriceSuggestion bare = suggest("RTX 6090");
        assertTrue(
                (double) bare.high() / bare.low() > (double) unknown.high() / unknown.low(),
                () -> bare + " against " + unknown);
        assertTrue(bare.toString().contains("state its memory"), bare::toString);
    }

    @Test
    void suggest_unknownGpuWithMoreMemory_isDearer() {
        long before = 0;
        for (long gib : new long[] {1, 6, 12, 24, 48, 80, 141, 288}) {
            long point = BUNDLED.suggest(request("unheard of", OptionalLong.of(gib * 1024), OptionalDouble.empty()))
                    .point();
            assertTrue(before < point, "at " + gib + " GiB: " + point + " after " + before);
            before = point;
        }
    }

    @Test
    void suggest_emulatedDisplay_isCheapAndLow() {
        PriceSuggestion display =
                BUNDLED.suggest(request("QEMU Virtio GPU", OptionalLong.of(16), OptionalDouble.empty()));
        assertEquals(Confidence.LOW, display.confidence());
        assertTrue(display.point() < suggest("T4").point() / 2, display::toString);
        assertTrue(display.toString().contains("computes nothing"), display::toString);
    }

    @Test
    void suggest_nameThatLeavesTheVariantOpen_isAtMostMedium() {
        assertEquals(Confidence.MEDIUM, suggest("H100").confidence());
        assertEquals(Confidence.HIGH, suggest("H100 SXM").confidence());
    }

    @Test
    void suggest_demand_followsTheCurveWithinItsLimits() {
        double none = suggest("A100 SXM 80GB").point();
        assertEquals(1, atUtilisation(.8) / none, 1e-5);
        assertEquals(Math.exp(.06), atUtilisation(.9) / none, 1e-5);
        assertEquals(.8, atUtilisation(0) / none, 1e-5);
        assertEquals(Math.exp(.12), atUtilisation(1) / none, 1e-5);
    }

    private static double atUtilisation(double share) {
        return BUNDLED.suggest(request("A100 SXM 80GB", OptionalLong.empty(), OptionalDouble.of(share)))
                .point();
    }

    @Test
    void gpuClass_namesOfOneGpu_areOne() {
        assertEquals("H100 SXM 80GB", BUNDLED.gpuClass("NVIDIA H100 80GB HBM3"));
        assertEquals(BUNDLED.gpuClass("RTX 4090"), BUNDLED.gpuClass("NVIDIA GeForce RTX 4090"));
        assertEquals("unknown display qemu virtio", BUNDLED.gpuClass("QEMU  Virtio-Display"));
        assertEquals(BUNDLED.gpuClass("L4"), new ReloadablePriceAdvisor(BUNDLED).gpuClass("nvidia l4"));
    }

    @Test
    void suggest_inALanguageWithDecimalCommas_isTheSame() {
        PriceSuggestion expected = suggest("RTX 4090");
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            assertEquals(expected, suggest("RTX 4090"));
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void load_bundledModelFromAFile_isTheSame() throws IOException {
        byte[] bytes = bundledBytes();
        Path file = Files.write(folder.resolve("model.pb"), bytes);
        var loaded = TribuoPriceAdvisor.load(file, ModelFile.sha256(bytes).toUpperCase(Locale.ROOT));
        assertEquals(suggest("L4"), loaded.suggest(request("L4", OptionalLong.empty(), OptionalDouble.empty())));
    }

    @Test
    void load_corruptedAnywhere_isRefused() throws IOException {
        byte[] good = bundledBytes();
        String sha256 = ModelFile.sha256(good);
        var random = new Random(SEED + 5);
        for (int i = 0; i < 300; i++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            var refusal = assertThrows(ModelException.class, () -> TribuoPriceAdvisor.of(bad, sha256));
            assertEquals(ModelException.Reason.WRONG_HASH, refusal.reason());
        }
        for (int length = 0; length < good.length; length += 2_003) {
            byte[] cut = Arrays.copyOf(good, length);
            assertThrows(ModelException.class, () -> TribuoPriceAdvisor.of(cut, sha256));
        }
    }

    @Test
    void load_corruptedFileWithItsOwnHash_neverFailsInAnotherWay() throws IOException {
        byte[] good = bundledBytes();
        var random = new Random(SEED + 6);
        int refused = 0;
        for (int i = 0; i < 60; i++) {
            byte[] bad = good.clone();
            for (int flips = 0; flips < 20; flips++) {
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            }
            try {
                ModelFile.parse(bad);
            } catch (ModelException e) {
                refused++;
            }
        }
        assertTrue(refused > 40, refused + " of 60 refused");
    }

    @Test
    void load_notAModel_isRefusedAsForeign() {
        for (byte[] bytes : new byte[][] {{}, "{\"price\": 1}".getBytes(StandardCharsets.UTF_8), new byte[1_000]}) {
            var refusal =
                    assertThrows(ModelException.class, () -> TribuoPriceAdvisor.of(bytes, ModelFile.sha256(bytes)));
            assertEquals(ModelException.Reason.FOREIGN, refusal.reason());
        }
    }

    @Test
    void load_missingFileOrBadHash_saysWhatToDo() throws IOException {
        String anyHash = "0".repeat(64);
        var missing =
                assertThrows(ModelException.class, () -> TribuoPriceAdvisor.load(folder.resolve("none.pb"), anyHash));
        assertEquals(ModelException.Reason.UNREADABLE, missing.reason());
        Path file = Files.write(folder.resolve("model.pb"), bundledBytes());
        var other = assertThrows(ModelException.class, () -> TribuoPriceAdvisor.load(file, anyHash));
        assertTrue(String.valueOf(other.getMessage()).contains(anyHash), other::getMessage);
        assertThrows(IllegalArgumentException.class, () -> TribuoPriceAdvisor.load(file, "short"));
    }

    @Test
    void bundled_model_saysWhoseDataAndNothingOfTheMachine() throws IOException {
        assertTrue(BUNDLED.credit().contains("MIT"), BUNDLED.credit());
        String text = new String(bundledBytes(), StandardCharsets.ISO_8859_1);
        for (String trace : new String[] {"/home", "/root", "/tmp", "/var/", "Linux", "amd64"}) {
            assertFalse(text.contains(trace), trace);
        }
        assertTrue(bundledBytes().length < 4_000_000, "the model is to stay under 4 MB");
    }

    private static byte[] bundledBytes() throws IOException {
        try (var in = TribuoPriceAdvisor.class.getResourceAsStream("default-model.pb")) {
            return Objects.requireNonNull(in, "default-model.pb").readAllBytes();
        }
    }
}
