package org.computehive.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.LocalDate;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceAdvisorContract;
import org.computehive.rental.PriceSuggestion;
import org.junit.jupiter.api.Test;

/** The worked example of a contract kit: what the port promises comes with the class that it extends. */
class RateCardTest extends PriceAdvisorContract {
    private static final LocalDate DAY = LocalDate.of(2026, 11, 1);

    @Override
    protected PriceAdvisor advisor() {
        return card(Map.of("NVIDIA H100 SXM 80GB", 2_500_000L, "Tesla T4", 200_000L));
    }

    private static RateCard card(Map<String, Long> prices) {
        return new RateCard("house", DAY, prices, TribuoPriceAdvisor.bundled());
    }

    private static PriceAdvisor.Request request(String model, OptionalLong floor) {
        return new PriceAdvisor.Request(
                model, 2, OptionalLong.empty(), 8, 32_768, OptionalDouble.empty(), floor, OptionalLong.empty());
    }

    @Test
    void suggest_gpuOnTheCard_costsWhatTheCardSays() {
        PriceSuggestion suggestion = advisor().suggest(request("nvidia h100-sxm 80gb", OptionalLong.empty()));
        assertEquals(5_000_000, suggestion.point());
        assertEquals("house 2026-11-01", suggestion.modelId());
        assertEquals(
                6_000_000,
                advisor()
                        .suggest(request("NVIDIA H100 SXM 80GB", OptionalLong.of(6_000_000)))
                        .point());
    }

    @Test
    void suggest_gpuElsewhere_isTheOtherAdvisorsSuggestion() {
        PriceAdvisor.Request request = request("RTX 4090", OptionalLong.empty());
        assertEquals(TribuoPriceAdvisor.bundled().suggest(request), advisor().suggest(request));
    }

    @Test
    void card_withoutPricesOrWithOneTwice_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> card(Map.of("T4", 0L)));
        assertThrows(IllegalArgumentException.class, () -> card(Map.of("Tesla T4", 1L, "tesla-t4", 2L)));
    }
}
