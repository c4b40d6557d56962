package org.computehive.rental;

import java.math.BigInteger;
import java.util.Optional;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.Steps.Outcome;

/**
 * The steps of the escrow of what was booked until its session is over: its offer, its funding, and that it stays open. A
 * chain that can't be read decides nothing.
 */
final class Funding {
    private final Escrow escrow;
    private final SessionWatch watch;
    private final Settling settling;
    private final Journal journal;
    private final RentalPolicy policy;

    Funding(Escrow escrow, SessionWatch watch, Settling settling, Journal journal, RentalPolicy policy) {
        this.escrow = escrow;
        this.watch = watch;
        this.settling = settling;
        this.journal = journal;
        this.policy = policy;
    }

    Outcome writeOffer(Rental rental) {
        RentalTerms terms = rental.terms();
        if (!journal.now().isBefore(terms.holdUntil())) {
            return Outcome.happened(new RentalEvent.HoldExpired(journal.now()));
        }
        try {
            EscrowOffer offer = escrow.offer(new Escrow.Terms(
                    terms.lender(),
                    BigInteger.valueOf(terms.lane()),
                    terms.renter(),
                    terms.stakes(),
                    terms.rate(),
                    terms.window(),
                    terms.grace(),
                    terms.disputeWindow(),
                    terms.cancellation(),
                    terms.holdUntil(),
                    terms.spec(rental.id())));
            return Outcome.happened(new RentalEvent.OfferWritten(journal.now(), offer));
        } catch (EscrowException e) {
            return Outcome.retry(rental, e);
        }
    }

    Outcome watchOpening(Rental rental) {
        EscrowOffer offer = rental.offer().orElseThrow();
        boolean holdOver = !journal.now().isBefore(rental.terms().holdUntil());
        if (rental.offerSignature().isEmpty()) {
            // Nobody can open an offer that its lender has not signed, so the hold needs no word from the chain to end.
            return holdOver
                    ? Outcome.happened(new RentalEvent.HoldExpired(journal.now()))
                    : new Outcome.Wait(rental.terms().holdUntil());
        }
        return switch (escrow.read(offer)) {
            case Escrow.Reading.Open open ->
                Outcome.happened(new RentalEvent.Funded(journal.now(), open.deposit(), open.transaction()));
            // Opened and settled before it was seen: record the deposit first, the settlement is read again later.
            case Escrow.Reading.Closed closed ->
                Outcome.happened(new RentalEvent.Funded(
                        journal.now(), closed.paid().plus(closed.refunded()), closed.transaction()));
            case Escrow.Reading.Absent absent
            when holdOver && absent.chainTime().isAfter(offer.expiry()) ->
                Outcome.happened(new RentalEvent.HoldExpired(journal.now()));
            case Escrow.Reading.Absent absent -> watchAgain();
            case Escrow.Reading.Pending pending -> watchAgain();
            case Escrow.Reading.Unknown unknown -> Outcome.unread(rental, unknown);
        };
    }

    Outcome begin(Rental rental) {
        boolean closed = escrow.read(rental.offer().orElseThrow()) instanceof Escrow.Reading.Closed;
        return Outcome.happened(
                closed
                        ? new RentalEvent.Cancelled(
                                journal.now(), rental.terms().renter())
                        : new RentalEvent.Starting(journal.now()));
    }

    Outcome watchEscrow(Rental rental) {
        // The machine first: a chain that can't be read must not hide that it is gone.
        if (rental.state() == RentalState.ACTIVE) {
            Optional<RentalEvent> interruption = watch.look(rental);
            if (interruption.isPresent()) {
                return Outcome.happened(interruption.get());
            }
        }
        for (Leg leg : rental.legs()) {
            boolean counts = leg.isLocked()
                    && !leg.isDropped()
                    && (rental.state() == RentalState.FUNDED
                            || journal.now().isBefore(leg.window().end()));
            if (counts) {
                switch (escrow.read(leg.offer().orElseThrow())) {
                    case Escrow.Reading.Closed closed -> {
                        return Outcome.happened(closedEarly(rental, leg, closed));
                    }
                    case Escrow.Reading.Unknown unknown -> {
                        return Outcome.unread(rental, unknown);
                    }
                    default -> {}
                }
            }
        }
        return watchAgain();
    }

    /** A deposit that is gone before its time takes that time along; one that is gone in its time ends the session. */
    private RentalEvent closedEarly(Rental rental, Leg leg, Escrow.Reading.Closed closed) {
        if (leg.number() > 0 && journal.now().isBefore(leg.window().start())) {
            return settling.settled(leg, closed);
        }
        return rental.state() == RentalState.ACTIVE
                ? new RentalEvent.Ending(journal.now(), EndCause.ESCROW_CLOSED)
                : new RentalEvent.Cancelled(journal.now(), rental.terms().renter());
    }

    private Outcome watchAgain() {
        return new Outcome.Wait(journal.now().plus(policy.watch()));
    }
}
