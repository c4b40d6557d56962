package org.computehive.market.search;

import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.schedule.Window;

/**
 * A time in which a listing can be rented, and what it costs then. A hint: a reservation decides.
 *
 * @param listing what is offered
 * @param window when
 * @param total the price for the whole window and all gpus
 */
public record FreeWindow(Listing listing, Window window, Amount total) {
    /** Returns a listing's window at its price. */
    public static FreeWindow of(Listing listing, Window window) {
        return new FreeWindow(listing, window, listing.price().cost(window.length()));
    }
}
