package org.computehive.rental;

import java.time.Instant;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.Rate;
import org.computehive.schedule.Window;

/**
 * A price for a listing and a window, with an expiry. Immutable: a listing edited later changes neither its price nor its
 * terms.
 *
 * @param id its name, a rental id's form; the rental that takes it up has the same id
 * @param renter whom it is for
 * @param offered the listing as it was when it was quoted
 * @param window the time it is for
 * @param expires the first instant in which it can no longer be taken up
 * @param setup what a VM is promised to run on
 */
public record Quote(RentalId id, Account renter, Listing offered, Window window, Instant expires, Setup setup) {

    /** Returns the listing's name. */
    public ListingId listing() {
        return offered.id();
    }

    /** Returns the time in which nobody else may have the gpus: the window and the turnover after it. */
    public Window occupied() {
        return window.extendedBy(offered.rules().turnover());
    }

    /** Returns the price in units per second. */
    public Rate rate() {
        return offered.price();
    }

    /** Returns the rate over the window. */
    public Amount total() {
        return rate().cost(window.length());
    }
}
