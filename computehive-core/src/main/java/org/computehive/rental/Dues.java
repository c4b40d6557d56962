package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.computehive.market.Amount;
import org.computehive.rental.RentalEvent.Cancelled;
import org.computehive.rental.RentalEvent.EndCause;

/** What a renter owes, leg by leg: the time used, or what the terms say of calling off late and of not coming. */
final class Dues {
    private Dues() {}

    /** The time used over all legs. */
    static Duration used(Rental rental) {
        return rental.legs().stream().map(leg -> used(rental, leg)).reduce(Duration.ZERO, Duration::plus);
    }

    /** What the lender is due over all legs. */
    static Amount due(Rental rental) {
        return rental.legs().stream()
                .filter(Leg::isFunded)
                .map(leg -> leg.rate().cost(charged(rental, leg)))
                .reduce(Amount.ZERO, Amount::plus);
    }

    /** The part of a leg in which the session was usable and not yet ended. */
    static Duration used(Rental rental, Leg leg) {
        if (leg.isDropped() || rental.endedAt().isEmpty()) {
            return Duration.ZERO;
        }
        Duration sum = rental.usable().stream()
                .map(usable -> leg.part(usable.start(), usable.end()))
                .reduce(Duration.ZERO, Duration::plus);
        return Duration.ofSeconds(sum.toSeconds());
    }

    /** When a renter who has not come is taken for one who won't; empty if no term says so, or it came. */
    static Optional<Instant> noShowDue(Rental rental) {
        var terms = rental.terms().cancellation();
        return rental.enteredAt().isPresent() || !terms.endsNoShows()
                ? Optional.empty()
                : rental.activeSince().map(since -> since.plus(terms.noShowAfter()));
    }

    /** What the receipt of a leg is for. */
    static Duration charged(Rental rental, Leg leg) {
        var terms = rental.terms().cancellation();
        Optional<Cancelled> off = rental.find(Cancelled.class);
        if (off.isPresent()) {
            return !leg.isDropped()
                            && off.get().by().equals(rental.terms().renter())
                            && terms.isLate(off.get().at(), rental.terms().window())
                    ? terms.lateCharge(leg.window())
                    : Duration.ZERO;
        }
        Duration used = used(rental, leg);
        if (!rental.endCause().equals(Optional.of(EndCause.NO_SHOW)) || leg.isDropped()) {
            return used;
        }
        Duration least = terms.noShowCharge(leg.window());
        return used.compareTo(least) < 0 ? least : used;
    }

    /** Whether nobody but a silent renter keeps the lender from being paid in full for a leg. */
    static boolean mayTimeLock(Rental rental, Leg leg) {
        return rental.state() == RentalState.ENDED
                && leg.isLocked()
                && !leg.isDropped()
                && !leg.isDisputed()
                && !leg.hasReceipt()
                && rental.activeSince().isPresent()
                && rental.fault().isEmpty()
                && rental.runs().interruptedAt().isEmpty()
                && rental.endedAt()
                        .filter(at -> !at.isBefore(leg.window().end()))
                        .isPresent();
    }
}
