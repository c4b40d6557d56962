package org.computehive.server.crash;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.computehive.market.ListingId;
import org.computehive.rental.RentalId;

/** One gpu's rentals, one after the other. Used by one thread, but for what is volatile. */
final class Slot {
    final int number;
    final Course course;
    final ListingId listing;
    Optional<RentalId> rental = Optional.empty();
    CompletableFuture<?> busy = CompletableFuture.completedFuture(true);
    Instant notBefore = Instant.EPOCH;
    int finished;
    volatile boolean acted;
    /** Whether a booking was asked for whose answer may have been lost. */
    volatile boolean perhapsBooked;
    /** The renter's pass, once a certificate was issued. */
    volatile Optional<Entrance.Pass> pass = Optional.empty();

    volatile boolean entered;
    volatile boolean knocked;
    /** How far the maintenance before the next rental is. */
    volatile Upkeep.Stand upkeep = Upkeep.Stand.NOT_BEGUN;

    Instant upkeepFrom = Instant.EPOCH;

    Slot(int number) {
        this.number = number;
        this.course = Course.of(number);
        this.listing = listing(number);
    }

    static ListingId listing(int number) {
        return new ListingId("listing-" + number);
    }

    void begin(RentalId id) {
        rental = Optional.of(id);
        perhapsBooked = false;
        acted = false;
        pass = Optional.empty();
        entered = false;
        knocked = false;
    }

    void end() {
        rental = Optional.empty();
        upkeep = Upkeep.Stand.NOT_BEGUN;
        finished++;
    }
}
