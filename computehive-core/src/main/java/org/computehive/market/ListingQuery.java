package org.computehive.market;

import java.util.Locale;
import java.util.Optional;
import org.computehive.schedule.Window;

/**
 * What a renter looks for.
 *
 * @param window when
 * @param model a part of the gpu model's name, in any case; empty for any
 * @param atLeastGpus how many gpus at least, 1 to 64
 * @param atMost the most the renter pays, if there is a limit
 * @param atLeast the assurance it needs at least
 */
public record ListingQuery(Window window, String model, int atLeastGpus, Optional<Rate> atMost, Assurance atLeast) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if the model is over 120 characters or the count out of range
     */
    public ListingQuery {
        if (model.length() > 120) {
            throw new IllegalArgumentException("model is %d characters long: at most 120".formatted(model.length()));
        }
        if (atLeastGpus < 1 || atLeastGpus > 64) {
            throw new IllegalArgumentException("gpu count %d is out of range: 1 to 64".formatted(atLeastGpus));
        }
    }

    /** Looks for any listing that is free in a window. */
    public static ListingQuery free(Window window) {
        return new ListingQuery(window, "", 1, Optional.empty(), Assurance.ISOLATED);
    }

    /** Returns whether a listing and its host fit, leaving aside what is booked. */
    public boolean fits(Listing listing, Host host) {
        boolean modelFits = model.isEmpty()
                || host.gpus().stream()
                        .filter(gpu -> listing.gpus().contains(new GpuId(host.id(), gpu.address())))
                        .allMatch(gpu -> gpu.model().toLowerCase(Locale.ROOT).contains(model.toLowerCase(Locale.ROOT)));
        return modelFits
                && listing.gpus().size() >= atLeastGpus
                && listing.assurance().compareTo(atLeast) >= 0
                && atMost.map(most -> listing.price().compareTo(most) <= 0).orElse(true)
                && listing.rules().shortest().compareTo(window.length()) <= 0
                && listing.rules().longest().compareTo(window.length()) >= 0
                && listing.availability().covers(window);
    }
}
