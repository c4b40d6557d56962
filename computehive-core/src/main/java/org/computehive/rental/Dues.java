package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.RentalEvent.Cancelled;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.OfLeg;

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
                .map(leg -> due(rental, leg))
                .reduce(Amount.ZERO, Amount::plus);
    }

    /** What the renter ended on the chain before its time came is charged there and then, by the same terms. */
    private static Amount due(Rental rental, Leg leg) {
        return leg.isDropped()
                ? leg.settlement().map(OfLeg.Settled::paid).orElse(Amount.ZERO)
                : leg.rate().cost(charged(rental, leg));
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
        if (leg.isDropped()) {
            return Duration.ZERO;
        }
        Optional<Cancelled> off = rental.find(Cancelled.class);
        if (off.isPresent()) {
            return off.get().by().equals(rental.terms().renter())
                    ? calledOff(rental, leg, off.get().at())
                    : Duration.ZERO;
        }
        Duration used = used(rental, leg);
        Duration least = rental.find(RentalEvent.Ending.class)
                .map(ending -> switch (ending.cause()) {
                    case NO_SHOW -> rental.terms().cancellation().noShowCharge(leg.window());
                    case BY_RENTER -> lateCharge(carried(leg), leg, ending.at());
                    default -> Duration.ZERO;
                })
                .orElse(Duration.ZERO);
        return used.compareTo(least) < 0 ? least : used;
    }

    /** What calling off costs: what the chain charges, by the terms that the leg's own offer carries to it. */
    private static Duration calledOff(Rental rental, Leg leg, Instant at) {
        Cancellation terms = rental.terms().cancellation();
        if (carried(leg).equals(terms)) {
            return lateCharge(terms, leg, at);
        }
        // Offers once carried no such terms: then all legs are called off by what was agreed, once the first is late.
        return terms.isLate(at, rental.terms().window()) ? terms.lateCharge(leg.window()) : Duration.ZERO;
    }

    private static Duration lateCharge(Cancellation terms, Leg leg, Instant at) {
        return terms.isLate(at, leg.window()) ? terms.lateCharge(leg.window()) : Duration.ZERO;
    }

    private static Cancellation carried(Leg leg) {
        return leg.offer().map(EscrowOffer::cancellation).orElse(Cancellation.FREE);
    }

    /** Whether nobody but a silent renter keeps the lender from being paid in full for a leg. */
    static boolean mayTimeLock(Rental rental, Leg leg) {
        return (rental.state() == RentalState.ENDED || rental.state() == RentalState.DISPUTED)
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

    /**
     * Whether the platform may settle a leg as a party said to the chain and the other one let stand: not to pay a lender that
     * is known to have failed otherwise than by ending early. That is for the lender to do, by its own hand.
     */
    static boolean mayTakeWord(Rental rental, Phase.Ended ended) {
        boolean failed = rental.fault().stream().anyMatch(fault -> fault.blame() != Fault.Blame.RENTER)
                && !rental.endCause().equals(Optional.of(EndCause.BY_LENDER));
        return ended.by().equals(rental.terms().renter())
                || (!failed && rental.runs().interruptedAt().isEmpty());
    }
}
