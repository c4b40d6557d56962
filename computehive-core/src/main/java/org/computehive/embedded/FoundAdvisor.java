package org.computehive.embedded;

import java.util.ServiceLoader;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceSuggestion;
import org.jspecify.annotations.Nullable;

/** The price advisor that the class path has, looked for when it is first asked: loading a model takes time. */
final class FoundAdvisor implements PriceAdvisor {
    private @Nullable PriceAdvisor found;

    @Override
    public PriceSuggestion suggest(Request request) {
        return advisor().suggest(request);
    }

    @Override
    public String gpuClass(String gpuModel) {
        return advisor().gpuClass(gpuModel);
    }

    private synchronized PriceAdvisor advisor() {
        PriceAdvisor known = found;
        if (known == null) {
            known = ServiceLoader.load(PriceAdvisor.class, PriceAdvisor.class.getClassLoader())
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalStateException(
                                    "there is no price advisor: add computehive-pricing to the class path, or set one on the builder"));
            found = known;
        }
        return known;
    }
}
