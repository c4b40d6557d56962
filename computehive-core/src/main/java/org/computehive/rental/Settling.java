package org.computehive.rental;

import java.time.Instant;
import java.util.Optional;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.Steps.Outcome;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Settles a rental leg by leg, by what the parties signed or by the time lock, and sees what the chain says of each. */
final class Settling {
    private static final Logger LOG = LoggerFactory.getLogger(Settling.class);

    private final Escrow escrow;
    private final Extending extending;
    private final Journal journal;
    private final RentalPolicy policy;

    Settling(Escrow escrow, Extending extending, Journal journal, RentalPolicy policy) {
        this.escrow = escrow;
        this.extending = extending;
        this.journal = journal;
        this.policy = policy;
    }

    Outcome settle(Rental rental) {
        Instant next = journal.now().plus(policy.watch());
        Optional<Outcome> failure = Optional.empty();
        for (Leg leg : rental.legs()) {
            if (leg.isClosed()) {
                continue;
            }
            // A leg that can't be settled now keeps none after it waiting.
            switch (leg.isPending() ? extending.watch(rental, leg) : settle(rental, leg)) {
                case Outcome.Happened happened -> {
                    return happened;
                }
                case Outcome.Wait(Instant until) -> next = until.isBefore(next) ? until : next;
                case Outcome.Failed failed -> failure = Optional.of(failed);
            }
        }
        return failure.orElse(new Outcome.Wait(next));
    }

    private Outcome settle(Rental rental, Leg leg) {
        EscrowOffer offer = leg.offer().orElseThrow();
        switch (escrow.read(offer)) {
            case Escrow.Reading.Closed closed -> {
                return new Outcome.Happened(settled(leg, closed));
            }
            case Escrow.Reading.Unknown unknown -> {
                return failed(rental, leg, Reason.of("the chain can't be read: " + unknown.why()));
            }
            default -> {}
        }
        Optional<Escrow.Settlement> by = settlement(rental, leg);
        if (by.isEmpty()) {
            return new Outcome.Wait(journal.now().plus(policy.watch()));
        }
        if (rental.stuck().containsKey(Step.SETTLE)) {
            // Nothing is sent until an operator has looked; that somebody else settled is still seen.
            return new Outcome.Failed("settling is stuck until it is resumed");
        }
        try {
            return new Outcome.Happened(settled(leg, escrow.settle(offer, by.get())));
        } catch (EscrowException e) {
            return failed(rental, leg, Reason.of(e));
        }
    }

    /** A leg that is disputed is closed by the arbiter's word alone. */
    private Optional<Escrow.Settlement> settlement(Rental rental, Leg leg) {
        if (leg.isDisputed()) {
            return Optional.empty();
        }
        Optional<Escrow.Settlement> signed = leg.signedSettlement();
        Instant unlocked = leg.window().end().plus(rental.terms().disputeWindow());
        return signed.isEmpty() && rental.mayTimeLock(leg) && !journal.now().isBefore(unlocked)
                ? Optional.of(new Escrow.Settlement.ByTimeLock())
                : signed;
    }

    RentalEvent settled(Leg leg, Escrow.Reading.Closed closed) {
        return leg.number() == 0
                ? new RentalEvent.Settled(journal.now(), closed.paid(), closed.refunded(), closed.transaction())
                : new OfLeg.Settled(
                        journal.now(), leg.number(), closed.paid(), closed.refunded(), closed.transaction());
    }

    private Outcome failed(Rental rental, Leg leg, String why) {
        LOG.warn("{}: {} is settled later: {}", rental, leg, why);
        return new Outcome.Failed(why);
    }
}
