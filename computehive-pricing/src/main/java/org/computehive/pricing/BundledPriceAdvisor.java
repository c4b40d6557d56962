package org.computehive.pricing;

import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceSuggestion;

/** The {@link TribuoPriceAdvisor#bundled bundled} advisor, as {@link java.util.ServiceLoader} wants it. Thread-safe. */
public final class BundledPriceAdvisor implements PriceAdvisor {
    private final PriceAdvisor bundled = TribuoPriceAdvisor.bundled();

    /** Loads the model. */
    public BundledPriceAdvisor() {}

    @Override
    public String gpuClass(String gpuModel) {
        return bundled.gpuClass(gpuModel);
    }

    @Override
    public PriceSuggestion suggest(Request request) {
        return bundled.suggest(request);
    }
}
