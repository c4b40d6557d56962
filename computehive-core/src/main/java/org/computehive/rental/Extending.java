package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Optional;
import org.computehive.access.AccessException;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.Steps.Outcome;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps of a rental's extension: its offer, its funding, and the move of the session's end. */
final class Extending {
    private static final Logger LOG = LoggerFactory.getLogger(Extending.class);

    private final Escrow escrow;
    private final SessionAccess access;
    private final Journal journal;
    private final RentalPolicy policy;

    Extending(Escrow escrow, SessionAccess access, Journal journal, RentalPolicy policy) {
        this.escrow = escrow;
        this.access = access;
        this.journal = journal;
        this.policy = policy;
    }

    Outcome writeOffer(Rental rental) {
        Leg leg = rental.pendingExtension().orElseThrow();
        Extension extension = leg.extension().orElseThrow();
        RentalTerms terms = rental.terms();
        if (isOver(leg)) {
            return lapsed(leg);
        }
        try {
            EscrowOffer offer = escrow.offer(new Escrow.Terms(
                    terms.lender(),
                    BigInteger.valueOf(leg.lane()),
                    terms.renter(),
                    terms.stakes(),
                    leg.rate(),
                    leg.window(),
                    Duration.ZERO,
                    terms.disputeWindow(),
                    terms.cancellation(),
                    leg.holdUntil(),
                    extension.spec(rental.id(), terms)));
            return new Outcome.Happened(new OfLeg.OfferWritten(journal.now(), leg.number(), offer));
        } catch (EscrowException e) {
            return failed(rental, Reason.of(e));
        }
    }

    Outcome watch(Rental rental) {
        return watch(rental, rental.pendingExtension().orElseThrow());
    }

    /** Sees what became of an extension that waits to be funded, also when the session is over. */
    Outcome watch(Rental rental, Leg leg) {
        Optional<EscrowOffer> offer =
                leg.offer().filter(written -> leg.offerSignature().isPresent());
        if (offer.isEmpty()) {
            // Nobody can open an offer that its lender has not signed, and a session that is over has it signed no
            // more.
            return isOver(leg) || !rental.mayEnter() ? lapsed(leg) : new Outcome.Wait(leg.holdUntil());
        }
        return switch (escrow.read(offer.get())) {
            case Escrow.Reading.Open open ->
                new Outcome.Happened(new OfLeg.Funded(journal.now(), leg.number(), open.deposit(), open.transaction()));
            // Opened and settled before it was seen: record the deposit first, the settlement is read again later.
            case Escrow.Reading.Closed closed ->
                new Outcome.Happened(new OfLeg.Funded(
                        journal.now(), leg.number(), closed.paid().plus(closed.refunded()), closed.transaction()));
            case Escrow.Reading.Absent absent
            when isOver(leg) && absent.chainTime().isAfter(offer.get().expiry()) -> lapsed(leg);
            case Escrow.Reading.Absent absent -> watchAgain();
            case Escrow.Reading.Pending pending -> watchAgain();
            case Escrow.Reading.Unknown unknown ->
                failed(rental, Reason.of("the chain can't be read: " + unknown.why()));
        };
    }

    /** Returns the funding of an extension that came at the last moment. */
    Optional<RentalEvent> lastMoment(Rental rental) {
        return rental.pendingExtension()
                .filter(leg -> leg.offerSignature().isPresent())
                .flatMap(leg -> watch(rental, leg) instanceof Outcome.Happened(OfLeg.Funded funded)
                        ? Optional.of(funded)
                        : Optional.empty());
    }

    /** Moves the session's end at the gateway and in what the VM's host knows. */
    Outcome moveEnd(Rental rental, Hosts hosts) {
        try {
            Optional<Hypervisor.RunningVm> vm = hosts.vmOf(rental);
            if (vm.isEmpty()) {
                return watchAgain();
            }
            access.admit(rental.id(), rental.window(), vm.get().ssh());
            hosts.of(rental.host()).expire(rental.id(), rental.window().end());
            return new Outcome.Happened(
                    new RentalEvent.EndMoved(journal.now(), rental.window().end()));
        } catch (HypervisorException | AccessException e) {
            return failed(rental, Reason.of(e));
        }
    }

    private boolean isOver(Leg leg) {
        return !journal.now().isBefore(leg.holdUntil());
    }

    private Outcome lapsed(Leg leg) {
        return new Outcome.Happened(new OfLeg.Lapsed(journal.now(), leg.number()));
    }

    private Outcome watchAgain() {
        return new Outcome.Wait(journal.now().plus(policy.watch()));
    }

    private Outcome failed(Rental rental, String why) {
        LOG.warn("{}: its extension is tried again later: {}", rental, why);
        return new Outcome.Failed(why);
    }
}
