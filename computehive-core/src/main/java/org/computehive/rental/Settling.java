package org.computehive.rental;

import java.time.Instant;
import java.util.Optional;
import org.computehive.rental.Escrow.Phase;
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
        Phase phase = new Phase.Running();
        switch (escrow.read(offer)) {
            case Escrow.Reading.Closed closed -> {
                return new Outcome.Happened(settled(leg, closed));
            }
            case Escrow.Reading.Unknown unknown -> {
                return failed(rental, leg, Reason.of("the chain can't be read: " + unknown.why()));
            }
            case Escrow.Reading.Open open -> phase = open.phase();
            default -> {}
        }
        if (phase instanceof Phase.Disputed disputed && !leg.isDisputed()) {
            return new Outcome.Happened(
                    new OfLeg.Disputed(journal.now(), leg.number(), disputed.by(), disputed.evidence()));
        }
        Optional<Escrow.Settlement> by = settlement(rental, leg, phase);
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

    /** By what right a leg is settled now: what both signed goes before what nobody objected to. */
    private Optional<Escrow.Settlement> settlement(Rental rental, Leg leg, Phase phase) {
        return switch (phase) {
            // Closed by the arbiter's word alone, or by its silence.
            case Phase.Disputed disputed -> due(disputed.from(), true).map(due -> new Escrow.Settlement.BySilence());
            case Phase.Ended ended ->
                leg.signedSettlement()
                        .or(() -> due(ended.from(), Dues.mayTakeWord(rental, ended))
                                .map(due -> new Escrow.Settlement.ByWord()));
            case Phase.Running running -> leg.isDisputed() ? Optional.empty() : settlement(rental, leg);
        };
    }

    private Optional<Escrow.Settlement> settlement(Rental rental, Leg leg) {
        Instant unlocked = leg.window().end().plus(rental.terms().disputeWindow());
        return leg.signedSettlement()
                .or(() -> due(unlocked, rental.mayTimeLock(leg)).map(due -> new Escrow.Settlement.ByTimeLock()));
    }

    private Optional<Instant> due(Instant from, boolean allowed) {
        return allowed && !journal.now().isBefore(from) ? Optional.of(from) : Optional.empty();
    }

    RentalEvent settled(Leg leg, Escrow.Reading.Closed closed) {
        return leg.number() == 0
                ? new RentalEvent.Settled(
                        journal.now(),
                        closed.paid(),
                        closed.refunded(),
                        closed.slashed(),
                        closed.forfeited(),
                        closed.transaction())
                : new OfLeg.Settled(
                        journal.now(),
                        leg.number(),
                        closed.paid(),
                        closed.refunded(),
                        closed.slashed(),
                        closed.forfeited(),
                        closed.transaction());
    }

    private Outcome failed(Rental rental, Leg leg, String why) {
        LOG.warn("{}: {} is settled later: {}", rental, leg, why);
        return new Outcome.Failed(why);
    }
}
