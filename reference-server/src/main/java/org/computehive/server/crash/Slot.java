package org.computehive.server.crash;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.computehive.market.ListingId;
import org.computehive.rental.RentalId;

/** One gpu's rentals, one after the other. Used by one thread. */
final class Slot {
    final int number;
    final Course course;
    final ListingId listing;
    Optional<RentalId> rental = Optional.empty();
    CompletableFuture<?> busy = CompletableFuture.completedFuture(true);
    Instant notBefore = Instant.EPOCH;
    int finished;
    boolean certified;
    boolean acted;

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
        certified = false;
        acted = false;
    }

    void end() {
        rental = Optional.empty();
        finished++;
    }
}
