package org.computehive.rental;

import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.EndedByOperator;
import org.computehive.rental.RentalEvent.ReleaseSigned;
import org.computehive.rental.RentalEvent.StartFailed;
import org.computehive.rental.RentalEvent.Starting;

/** How a rental came to its end: who called it off before it began, and who answers for what went wrong. */
final class Endings {
    private Endings() {}

    /** Who called it off before it began. */
    static Optional<Account> calledOffBy(Rental rental) {
        return rental.find(RentalEvent.Cancelled.class)
                .map(RentalEvent.Cancelled::by)
                .or(() -> rental.find(ReleaseSigned.class)
                        .filter(release -> !rental.has(Starting.class))
                        .map(release -> rental.terms().lender()))
                .or(() -> rental.reclaimedAt()
                        .filter(rental::neverBegins)
                        .map(reclaimed -> rental.terms().lender()));
    }

    /** What went wrong for good. */
    static Optional<Fault> fault(Rental rental) {
        if (rental.endCause().equals(Optional.of(EndCause.MACHINE_LOST))) {
            return rental.runs().faults().stream()
                    .reduce((earlier, later) -> later)
                    .or(() -> Optional.of(new Fault(Fault.Blame.LENDER, "the VM was no longer on its host")));
        }
        if (wasReclaimed(rental)) {
            return Optional.of(new Fault(
                    Fault.Blame.LENDER,
                    "the lender took its gpus back at %s, as it had announced".formatted(rental.sessionEnd())));
        }
        Optional<Fault> atEnd = rental.endCause().flatMap(cause -> switch (cause) {
            case BY_LENDER -> Optional.of(new Fault(Fault.Blame.LENDER, "the lender ended it early"));
            case NO_SHOW -> Optional.of(new Fault(Fault.Blame.RENTER, "the renter never came"));
            case BY_OPERATOR -> rental.find(EndedByOperator.class).map(EndedByOperator::fault);
            default -> Optional.empty();
        });
        return atEnd.or(() -> rental.find(StartFailed.class).map(StartFailed::fault));
    }

    private static boolean wasReclaimed(Rental rental) {
        return rental.endCause().equals(Optional.of(EndCause.RECLAIMED))
                || rental.reclaimedAt().filter(rental::neverBegins).isPresent();
    }

    /** Whether there was no session that lasted, so that its window has nothing to show. */
    static boolean neverTookPlace(Rental rental) {
        return rental.has(StartFailed.class) || rental.endCause().equals(Optional.of(EndCause.MACHINE_LOST));
    }
}
