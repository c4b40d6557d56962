package org.computehive.reputation;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Fault;
import org.computehive.rental.Leg;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalState;
import org.computehive.reputation.Outcome.Verdict;

/** Reads outcomes off rentals: the amounts are the chain's, the faults what the engine observed. Stateless. */
public final class Outcomes {
    /** How long after its window's start a session may be usable and still be on time. */
    public static final Duration ON_TIME = Duration.ofMinutes(2);

    private Outcomes() {}

    /** Returns how a rental came out; empty while it is not settled, and for one that was never funded. */
    public static Optional<Outcome> of(Rental rental) {
        if (rental.state() != RentalState.SETTLED) {
            return Optional.empty();
        }
        Amount paid = Amount.ZERO;
        Instant at = rental.reservedAt();
        for (Leg leg : rental.legs()) {
            if (leg.settlement().isPresent()) {
                paid = paid.plus(leg.settlement().get().paid());
                at = leg.settlement().get().at();
            }
        }
        return Optional.of(new Outcome(
                rental.id().value(),
                rental.terms().lender(),
                rental.terms().renter(),
                at,
                verdict(rental, paid),
                paid));
    }

    private static Verdict verdict(Rental rental, Amount paid) {
        if (rental.endCause().equals(Optional.of(EndCause.RECLAIMED))
                && rental.activeSince().isPresent()) {
            // Announced in time, as the terms allow: less than was agreed, but no surprise.
            return Verdict.SERVED_WITH_FAULTS;
        }
        Optional<Fault.Blame> blame = rental.fault().map(Fault::blame);
        if (blame.isPresent()) {
            return switch (blame.get()) {
                case LENDER -> Verdict.LENDER_FAULT;
                case RENTER -> Verdict.RENTER_FAULT;
                case PLATFORM, NOBODY -> Verdict.NEUTRAL;
            };
        }
        return rental.endCause().isEmpty() ? calledOff(rental, paid) : served(rental);
    }

    /** Before the start: for the lender by its release, for the renter in its free time or later, which costs. */
    private static Verdict calledOff(Rental rental, Amount paid) {
        Optional<Account> by = rental.calledOffBy();
        if (by.equals(Optional.of(rental.terms().lender()))) {
            return Verdict.LENDER_FAULT;
        }
        return paid.equals(Amount.ZERO) ? Verdict.NEUTRAL : Verdict.RENTER_FAULT;
    }

    private static Verdict served(Rental rental) {
        Optional<Instant> usable = rental.activeSince();
        if (usable.isEmpty()) {
            // The renter left, or closed the escrow, before the session was usable: in time that says nothing.
            return Verdict.NEUTRAL;
        }
        boolean late = usable.get().isAfter(rental.terms().window().start().plus(ON_TIME));
        return late || rental.usable().size() > 1 ? Verdict.SERVED_WITH_FAULTS : Verdict.SERVED;
    }
}
