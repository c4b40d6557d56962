package org.computehive.pricing;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceSuggestion;

/**
 * Suggests prices with a model that can be exchanged while suggestions are asked for.
 *
 * <p>A new model is read, checked and made ready beside the old one; then every suggestion that begins is the new one's.
 * Nothing waits for it, and a model that is refused changes nothing. At most two models are in memory. Thread-safe.
 */
public final class ReloadablePriceAdvisor implements PriceAdvisor {
    private final AtomicReference<TribuoPriceAdvisor> current;

    /** Begins with a model. */
    public ReloadablePriceAdvisor(TribuoPriceAdvisor first) {
        current = new AtomicReference<>(first);
    }

    @Override
    public String gpuClass(String gpuModel) {
        return current.get().gpuClass(gpuModel);
    }

    @Override
    public PriceSuggestion suggest(Request request) {
        return current.get().suggest(request);
    }

    /**
     * Reads a model and takes it from now on; the caller's thread does the reading.
     *
     * @param file as for {@link TribuoPriceAdvisor#load}
     * @param expectedSha256 likewise
     * @throws ModelException if the file can't be read, has another hash, or is not a model; the old one stays
     */
    public void reload(Path file, String expectedSha256) {
        current.set(TribuoPriceAdvisor.load(file, expectedSha256));
    }
}
