package org.computehive.rental;

import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.Activated;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.EndMoved;
import org.computehive.rental.RentalEvent.EndedByOperator;
import org.computehive.rental.RentalEvent.Ending;
import org.computehive.rental.RentalEvent.Entered;
import org.computehive.rental.RentalEvent.Interrupted;
import org.computehive.rental.RentalEvent.Invited;
import org.computehive.rental.RentalEvent.MachineStarted;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.RentalEvent.OfferSigned;
import org.computehive.rental.RentalEvent.OfferWritten;
import org.computehive.rental.RentalEvent.Placed;
import org.computehive.rental.RentalEvent.PlacementFailed;
import org.computehive.rental.RentalEvent.ReceiptSigned;
import org.computehive.rental.RentalEvent.ReclaimAnnounced;
import org.computehive.rental.RentalEvent.ReleaseSigned;
import org.computehive.rental.RentalEvent.Reserved;
import org.computehive.rental.RentalEvent.Settled;
import org.computehive.rental.RentalEvent.StartFailed;
import org.computehive.rental.RentalEvent.Starting;
import org.computehive.rental.RentalEvent.Swept;
import org.computehive.rental.RentalEvent.TeardownLeft;

/**
 * Which event can happen to a rental as it stands, and where it stands then. {@link RentalState} draws them all.
 *
 * <p>Each event has one rule; the rules of the legs' events hold for what was booked and for its extensions alike.
 */
final class Transitions {
    private final Rental rental;
    private final RentalState state;

    Transitions(Rental rental) {
        this.rental = rental;
        this.state = rental.state();
    }

    /**
     * Returns where the rental stands after an event.
     *
     * @throws RentalException.WrongState if the event can't happen to it now
     */
    RentalState stateAfter(RentalEvent event) {
        return switch (event) {
            case Reserved e -> throw wrong(e);
            case OfferWritten e -> ofLeg(e);
            case OfferSigned e -> ofLeg(e);
            case RentalEvent.HoldExpired e -> ofLeg(e);
            case RentalEvent.Funded e -> ofLeg(e);
            case OfLeg e -> ofLeg(e);
            case Invited e -> from(e, e.sequence() > rental.lastInvitation(), state);
            case RentalEvent.Cancelled e -> from(e, canCancel(e.by()), RentalState.CANCELLED);
            case Starting e -> from(e, state == RentalState.FUNDED, RentalState.STARTING);
            case RentalEvent.GpusTaken e ->
                from(
                        e,
                        isBeingMade()
                                && rental.machine().isEmpty()
                                && e.at().isBefore(rental.holdings().from()),
                        state);
            case MachineStarted e -> from(e, isBeingMade() && rental.machine().isEmpty(), state);
            case Activated e ->
                from(
                        e,
                        isBeingMade()
                                && rental.machine().isPresent()
                                && rental.window().contains(e.at()),
                        RentalState.ACTIVE);
            case Entered e -> from(e, rental.enteredAt().isEmpty() && hasMachine(), state);
            case EndMoved e ->
                from(
                        e,
                        state == RentalState.ACTIVE
                                && e.end().equals(rental.window().end()),
                        state);
            case StartFailed e ->
                from(e, state == RentalState.FUNDED || state == RentalState.STARTING, RentalState.FAILED);
            case RentalEvent.CertificateIssued e -> from(e, rental.mayEnter(), state);
            case RentalEvent.CertificatesRevoked e ->
                from(e, rental.mayEnter() && e.serials().containsAll(rental.revokedSerials()), state);
            case Ending e ->
                from(
                        e,
                        hasSession()
                                && (e.cause() != EndCause.NO_SHOW
                                        || Dues.noShowDue(rental).isPresent()),
                        RentalState.ENDING);
            case EndedByOperator e -> from(e, hasSession(), RentalState.ENDING);
            case RentalEvent.AccessCut e ->
                from(
                        e,
                        isNext(Step.CUT_ACCESS),
                        rental.has(RentalEvent.TurnedOver.class) && !rental.isLeaving() ? RentalState.ENDED : state);
            case RentalEvent.MachineDestroyed e -> from(e, isNext(Step.DESTROY), state);
            case RentalEvent.DiskErased e -> from(e, isNext(Step.ERASE), state);
            case RentalEvent.TurnedOver e ->
                from(e, isNext(Step.TURN_OVER), rental.isLeaving() ? state : RentalState.ENDED);
            case TeardownLeft e ->
                from(
                        e,
                        !rental.isLeaving()
                                && rental.has(RentalEvent.AccessCut.class)
                                && rental.nextTeardown().isPresent()
                                && e.host().equals(rental.host()),
                        RentalState.ENDED);
            case PlacementFailed e ->
                from(
                        e,
                        state == RentalState.STARTING
                                && (!rental.isLeaving()
                                        || (e.hostLost() && !rental.runs().hostLost())),
                        state);
            case Interrupted e ->
                from(e, state == RentalState.ACTIVE && !e.lastUsable().isAfter(e.at()), RentalState.STARTING);
            case Placed e ->
                from(
                        e,
                        rental.isLeaving()
                                && rental.nextTeardown().isEmpty()
                                && e.gpus().size() == rental.gpus().size()
                                && e.at().isBefore(rental.sessionEnd()),
                        state);
            case Swept e -> from(e, rental.runs().leftAt(e.host()).isPresent(), state);
            case ReclaimAnnounced e ->
                from(
                        e,
                        rental.mayEnter()
                                && rental.reclaimedAt().isEmpty()
                                && !e.ends().isBefore(e.at())
                                && e.ends().isBefore(rental.window().end()),
                        state == RentalState.FUNDED && rental.neverBegins(e.ends()) ? RentalState.CANCELLED : state);
            case RentalEvent.Stuck e -> from(e, !rental.stuck().containsKey(e.step()), state);
            case RentalEvent.Resumed e -> from(e, rental.stuck().containsKey(e.step()), state);
            case ReceiptSigned e -> ofLeg(e);
            case RentalEvent.ReceiptCountersigned e -> ofLeg(e);
            case ReleaseSigned e -> ofLeg(e);
            case Settled e -> ofLeg(e);
        };
    }

    private RentalState ofLeg(RentalEvent event) {
        OfLeg ofLeg = OfLeg.of(event).orElseThrow();
        boolean named = ofLeg.leg() > 0 || event != ofLeg || event instanceof OfLeg.Disputed;
        if (!named || !rental.allLegs().canFollow(ofLeg) || !hasTimeFor(ofLeg) || takesItsOwnLane(ofLeg)) {
            throw wrong(event);
        }
        return switch (ofLeg) {
            case OfLeg.Funded e when e.leg() == 0 -> RentalState.FUNDED;
            case OfLeg.Lapsed e when e.leg() == 0 -> RentalState.EXPIRED;
            // A lender that gives all back before the start calls the rental off.
            case OfLeg.ReleaseSigned e when state == RentalState.FUNDED -> RentalState.CANCELLED;
            case OfLeg.Disputed e -> RentalState.DISPUTED;
            default -> isClosing() && rental.allLegs().after(ofLeg).areClosed() ? RentalState.SETTLED : state;
        };
    }

    /** A lane has one escrow at a time, also of one rental's. */
    private boolean takesItsOwnLane(OfLeg event) {
        return event instanceof OfLeg.Held held
                && rental.lanes().contains(held.extension().lane());
    }

    private boolean hasTimeFor(OfLeg event) {
        boolean booked = event.leg() == 0;
        return switch (event) {
            case OfLeg.Held e -> rental.mayEnter() && rental.reclaimedAt().isEmpty();
            case OfLeg.OfferWritten e -> booked ? state == RentalState.RESERVED : rental.mayEnter();
            case OfLeg.OfferSigned e -> booked ? state == RentalState.RESERVED : rental.mayEnter();
            case OfLeg.Funded e -> booked == (state == RentalState.RESERVED);
            case OfLeg.Lapsed e -> booked == (state == RentalState.RESERVED);
            // A receipt can't be taken back, so each party signs one, and the lender only once the VM is gone.
            case OfLeg.ReceiptSigned e ->
                rental.owesSettlement()
                        && e.used().equals(rental.charged(rental.legs().get(e.leg())));
            case OfLeg.ReceiptCountersigned e ->
                state == RentalState.ENDED || state == RentalState.CANCELLED || state == RentalState.DISPUTED;
            case OfLeg.ReleaseSigned e -> rental.owesSettlement() || (booked && state == RentalState.FUNDED);
            case OfLeg.Disputed e -> isClosing();
            case OfLeg.Settled e ->
                isClosing()
                        || (!booked
                                && rental.mayEnter()
                                && e.at().isBefore(rental.legs()
                                        .get(e.leg())
                                        .window()
                                        .start()));
        };
    }

    private RentalState from(RentalEvent event, boolean possible, RentalState next) {
        if (!possible) {
            throw wrong(event);
        }
        return next;
    }

    private RentalException.WrongState wrong(RentalEvent event) {
        return new RentalException.WrongState("rental %s is %s (version %d): %s can't happen to it now"
                .formatted(
                        rental.id(), state, rental.version(), event.getClass().getSimpleName()));
    }

    /** Once the deposit is locked either party may have called it off on the chain. */
    private boolean canCancel(Account by) {
        return (state == RentalState.FUNDED && rental.isParty(by))
                || (state == RentalState.RESERVED && rental.offerSignature().isEmpty());
    }

    private boolean isNext(Step teardown) {
        return rental.nextTeardown().equals(Optional.of(teardown));
    }

    /** Whether a VM is made for it where it is placed now. */
    private boolean isBeingMade() {
        return state == RentalState.STARTING && !rental.isLeaving();
    }

    private boolean hasSession() {
        return state == RentalState.STARTING || state == RentalState.ACTIVE;
    }

    private boolean hasMachine() {
        return hasSession() && rental.machine().isPresent();
    }

    /** Whether nothing is left but to settle. */
    private boolean isClosing() {
        return state == RentalState.ENDED
                || state == RentalState.DISPUTED
                || (state == RentalState.CANCELLED && rental.funded());
    }
}
