package org.computehive.rental;

import java.math.BigInteger;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.rental.Escrow.Phase;
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
        Optional<Account> leaving =
                leaving(rental.offer().orElseThrow(), escrow.read(rental.offer().orElseThrow()));
        return Outcome.happened(leaving.<RentalEvent>map(by -> new RentalEvent.Cancelled(journal.now(), by))
                .orElseGet(() -> new RentalEvent.Starting(journal.now())));
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
                Escrow.Reading reading = escrow.read(leg.offer().orElseThrow());
                if (reading instanceof Escrow.Reading.Unknown unknown) {
                    return Outcome.unread(rental, unknown);
                }
                Optional<RentalEvent> early = leftEarly(rental, leg, reading);
                if (early.isPresent()) {
                    return Outcome.happened(early.get());
                }
            }
        }
        return watchAgain();
    }

    /**
     * A deposit that is gone before its time takes that time along; one that is gone or on its way out in its time ends the
     * session, since nobody is sure to be paid for what would follow.
     */
    private Optional<RentalEvent> leftEarly(Rental rental, Leg leg, Escrow.Reading reading) {
        if (leg.number() > 0 && journal.now().isBefore(leg.window().start())) {
            return reading instanceof Escrow.Reading.Closed closed
                    ? Optional.of(settling.settled(leg, closed))
                    : Optional.empty();
        }
        return leaving(leg.offer().orElseThrow(), reading)
                .map(by -> rental.state() == RentalState.ACTIVE
                        ? new RentalEvent.Ending(journal.now(), cause(rental, by, reading))
                        : new RentalEvent.Cancelled(journal.now(), by));
    }

    private static EndCause cause(Rental rental, Account by, Escrow.Reading reading) {
        if (by.equals(rental.terms().renter())) {
            return EndCause.ESCROW_CLOSED;
        }
        boolean noShow = reading instanceof Escrow.Reading.Open(var deposit, var hash, var time, Phase.Ended ended)
                && Dues.noShowDue(rental)
                        .filter(due -> !ended.at().isBefore(due))
                        .isPresent();
        return noShow ? EndCause.NO_SHOW : EndCause.BY_LENDER;
    }

    /** Returns whose call closed an escrow, or has it on its way out; empty while it runs. */
    private static Optional<Account> leaving(EscrowOffer offer, Escrow.Reading reading) {
        return switch (reading) {
            case Escrow.Reading.Closed closed ->
                Optional.of(isLendersDoing(closed.how()) ? offer.lender() : offer.renter());
            case Escrow.Reading.Open open ->
                switch (open.phase()) {
                    case Phase.Running running -> Optional.empty();
                    case Phase.Ended ended -> Optional.of(ended.by());
                    case Phase.Disputed disputed -> Optional.of(offer.renter());
                };
            default -> Optional.empty();
        };
    }

    private static boolean isLendersDoing(Escrow.Closing how) {
        return switch (how) {
            case RELEASE, LENDERS_WORD, LENDERS_END -> true;
            case END, RECEIPT, TIME_LOCK, RENTERS_WORD, ARBITER, SILENCE -> false;
        };
    }

    private Outcome watchAgain() {
        return new Outcome.Wait(journal.now().plus(policy.watch()));
    }
}
