package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.access.AccessException;
import org.computehive.market.Account;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one step for one rental. Every step is safe to repeat: it first looks at what is there. What a step finds out
 * is an event; a step that has to wait says until when.
 */
final class Steps {
    private static final Logger LOG = LoggerFactory.getLogger(Steps.class);

    private static final Set<RentalState> WITH_GPU =
            EnumSet.of(RentalState.STARTING, RentalState.FAILED, RentalState.ACTIVE, RentalState.ENDING);
    private static final int MANY = 10_000;

    private final RentalStore store;
    private final Escrow escrow;
    private final SessionAccess access;
    private final Invitations invitations;
    private final Journal journal;
    private final RentalPolicy policy;
    private final Map<HostId, Hypervisor> hypervisors = new ConcurrentHashMap<>();

    Steps(
            RentalStore store,
            Escrow escrow,
            SessionAccess access,
            Invitations invitations,
            Journal journal,
            RentalPolicy policy) {
        this.store = store;
        this.escrow = escrow;
        this.access = access;
        this.invitations = invitations;
        this.journal = journal;
        this.policy = policy;
    }

    void attach(HostId host, Hypervisor hypervisor) {
        hypervisors.put(host, hypervisor);
    }

    Map<HostId, Hypervisor> hosts() {
        return Map.copyOf(hypervisors);
    }

    /** What became of a step. */
    sealed interface Outcome {
        /** Something happened. */
        record Happened(RentalEvent event) implements Outcome {}

        /** Nothing yet; look again then. */
        record Wait(Instant until) implements Outcome {}
    }

    Outcome carryOut(Rental rental, Step step) {
        return switch (step) {
            case WRITE_OFFER -> writeOffer(rental);
            case WATCH_FUNDING -> watchFunding(rental);
            case NOTIFY -> inform(rental);
            case WATCH_ESCROW -> watchEscrow(rental);
            case START -> start(rental);
            case BOOT -> boot(rental);
            case PROVE -> prove(rental);
            case END -> happened(new RentalEvent.Ending(journal.now(), EndCause.WINDOW_OVER));
            case CUT_ACCESS ->
                happened(new RentalEvent.AccessCut(
                        journal.now(), access.cut(rental.id(), "rental " + rental.id() + " ended: " + reason(rental))));
            case DESTROY -> destroy(rental);
            case ERASE -> erase(rental);
            case TURN_OVER -> turnOver(rental);
            case SETTLE -> settle(rental);
        };
    }

    private Outcome writeOffer(Rental rental) {
        RentalTerms terms = rental.terms();
        if (!journal.now().isBefore(terms.holdUntil())) {
            return happened(new RentalEvent.HoldExpired(journal.now()));
        }
        try {
            EscrowOffer offer = escrow.offer(new Escrow.Terms(
                    terms.lender(),
                    BigInteger.valueOf(terms.lane()),
                    terms.renter(),
                    Account.ZERO,
                    terms.rate(),
                    terms.window(),
                    terms.grace(),
                    terms.disputeWindow(),
                    terms.holdUntil(),
                    terms.spec(rental.id())));
            return happened(new RentalEvent.OfferWritten(journal.now(), offer));
        } catch (EscrowException e) {
            return retry(rental, e);
        }
    }

    private Outcome watchFunding(Rental rental) {
        EscrowOffer offer = rental.offer().orElseThrow();
        boolean holdOver = !journal.now().isBefore(rental.terms().holdUntil());
        if (rental.offerSignature().isEmpty()) {
            // Nobody can open an offer that its lender has not signed, so the hold needs no word from the chain to end.
            return holdOver
                    ? happened(new RentalEvent.HoldExpired(journal.now()))
                    : new Outcome.Wait(rental.terms().holdUntil());
        }
        return switch (escrow.read(offer)) {
            case Escrow.Reading.Open open ->
                happened(new RentalEvent.Funded(journal.now(), open.deposit(), open.transaction()));
            // Opened and settled before it was seen: record the deposit first, the settlement is read again later.
            case Escrow.Reading.Closed closed ->
                happened(new RentalEvent.Funded(
                        journal.now(), closed.paid().plus(closed.refunded()), closed.transaction()));
            case Escrow.Reading.Absent absent
            when holdOver && absent.chainTime().isAfter(offer.expiry()) ->
                happened(new RentalEvent.HoldExpired(journal.now()));
            case Escrow.Reading.Absent absent -> watchAgain();
            case Escrow.Reading.Pending pending -> watchAgain();
            case Escrow.Reading.Unknown unknown -> unknown(rental, unknown);
        };
    }

    private Outcome inform(Rental rental) {
        try {
            return happened(invitations.send(rental, journal.now()));
        } catch (RuntimeException e) {
            return retry(rental, e);
        }
    }

    private Outcome start(Rental rental) {
        boolean closed = escrow.read(rental.offer().orElseThrow()) instanceof Escrow.Reading.Closed;
        return happened(
                closed
                        ? new RentalEvent.Cancelled(
                                journal.now(), rental.terms().renter())
                        : new RentalEvent.Starting(journal.now()));
    }

    private Outcome watchEscrow(Rental rental) {
        // The machine first: a chain that can't be read must not hide that it is gone.
        if (rental.state() == RentalState.ACTIVE && isLost(rental)) {
            return happened(new RentalEvent.Ending(journal.now(), EndCause.MACHINE_LOST));
        }
        Escrow.Reading reading = escrow.read(rental.offer().orElseThrow());
        if (reading instanceof Escrow.Reading.Closed) {
            return happened(
                    rental.state() == RentalState.ACTIVE
                            ? new RentalEvent.Ending(journal.now(), EndCause.ESCROW_CLOSED)
                            : new RentalEvent.Cancelled(
                                    journal.now(), rental.terms().renter()));
        }
        if (reading instanceof Escrow.Reading.Unknown unknown) {
            return unknown(rental, unknown);
        }
        return watchAgain();
    }

    /** Returns whether the VM is gone; where it is there, makes sure that its renter can enter. */
    private boolean isLost(Rental rental) {
        try {
            Optional<Hypervisor.RunningVm> vm = running(rental);
            if (vm.isPresent() && journal.now().isBefore(rental.terms().window().end())) {
                access.admit(rental.id(), rental.terms().window(), vm.get().ssh());
            }
            return vm.isEmpty();
        } catch (HypervisorException | AccessException e) {
            LOG.warn("can't see to the VM of {}: {}", rental, e.getMessage());
            return false;
        }
    }

    private Optional<Hypervisor.RunningVm> running(Rental rental) {
        return hypervisorOf(rental).list().stream()
                .filter(vm -> vm.id().equals(rental.id()))
                .findFirst();
    }

    private Outcome boot(Rental rental) {
        Optional<RentalEvent> late = tooLate(rental, "its guest was not ready");
        if (late.isPresent()) {
            return happened(late.get());
        }
        if (isQuarantined(rental)) {
            return happened(failed(Fault.Blame.LENDER, "a gpu is quarantined since its last session"));
        }
        if (isStillTaken(rental)) {
            LOG.info("{}: the session before it still has a gpu", rental);
            return new Outcome.Wait(journal.now().plus(policy.retry()));
        }
        try {
            Hypervisor.RunningVm vm = hypervisorOf(rental).start(specOf(rental));
            return happened(new RentalEvent.MachineStarted(journal.now(), vm.facts()));
        } catch (HypervisorException.Unreachable e) {
            return retry(rental, e);
        } catch (HypervisorException e) {
            return happened(failed(Fault.Blame.LENDER, e.getMessage()));
        }
    }

    private boolean isQuarantined(Rental rental) {
        return rental.gpus().stream()
                .flatMap(gpu -> store.condition(gpu).stream())
                .anyMatch(condition -> condition.state() == GpuCondition.State.QUARANTINED);
    }

    /** Whether an earlier session of a gpu has not been turned over yet, be it late or because we boot ahead. */
    private boolean isStillTaken(Rental rental) {
        return store.inStates(WITH_GPU, MANY).stream()
                .filter(other -> !other.id().equals(rental.id()))
                .filter(other -> other.terms()
                        .window()
                        .start()
                        .isBefore(rental.terms().window().start()))
                .anyMatch(other -> !Collections.disjoint(other.gpus(), rental.gpus()));
    }

    private VmSpec specOf(Rental rental) {
        RentalTerms terms = rental.terms();
        return new VmSpec(
                rental.id(),
                terms.window().end(),
                terms.shape(),
                rental.gpus().stream().map(GpuId::address).toList(),
                access.guestAccess(rental.id(), terms.window()));
    }

    private Outcome prove(Rental rental) {
        Optional<RentalEvent> late = tooLate(rental, "its SSH server did not answer");
        if (late.isPresent()) {
            return happened(late.get());
        }
        try {
            Optional<Hypervisor.RunningVm> vm = running(rental);
            if (vm.isEmpty()) {
                return happened(failed(Fault.Blame.LENDER, "the VM was no longer on its host"));
            }
            access.admit(rental.id(), rental.terms().window(), vm.get().ssh());
            String banner = access.probe(rental.id(), Duration.between(journal.now(), deadline(rental)));
            Instant usable = journal.now();
            return happened(
                    rental.terms().window().contains(usable)
                            ? new RentalEvent.Activated(usable, banner)
                            : failed(Fault.Blame.LENDER, "its SSH server answered only after the window"));
        } catch (HypervisorException.Unreachable e) {
            return retry(rental, e);
        } catch (HypervisorException e) {
            return happened(failed(Fault.Blame.LENDER, e.getMessage()));
        }
    }

    private Optional<RentalEvent> tooLate(Rental rental, String what) {
        Instant deadline = deadline(rental);
        return journal.now().isBefore(deadline)
                ? Optional.empty()
                : Optional.of(failed(answersForDelay(rental), what + " by " + deadline));
    }

    /** Who answers for a session that is late: the platform if it began only after the window did. */
    private static Fault.Blame answersForDelay(Rental rental) {
        Instant start = rental.terms().window().start();
        return rental.startingSince().filter(start::isBefore).isPresent() ? Fault.Blame.PLATFORM : Fault.Blame.LENDER;
    }

    private Instant deadline(Rental rental) {
        Instant limit = rental.terms().window().start().plus(policy.startLimit());
        Instant end = rental.terms().window().end();
        return limit.isBefore(end) ? limit : end;
    }

    private RentalEvent failed(Fault.Blame blame, @Nullable String what) {
        return new RentalEvent.StartFailed(
                journal.now(), new Fault(blame, what == null ? "the VM did not start" : what));
    }

    private Outcome destroy(Rental rental) {
        try {
            return happened(new RentalEvent.MachineDestroyed(
                    journal.now(), hypervisorOf(rental).destroy(rental.id()).facts()));
        } catch (HypervisorException e) {
            return retry(rental, e);
        }
    }

    private Outcome erase(Rental rental) {
        try {
            return happened(new RentalEvent.DiskErased(
                    journal.now(), hypervisorOf(rental).erase(rental.id()).facts()));
        } catch (HypervisorException e) {
            return retry(rental, e);
        }
    }

    private Outcome turnOver(Rental rental) {
        try {
            List<Hypervisor.Turnover> results = hypervisorOf(rental)
                    .turnOver(
                            rental.id(),
                            rental.gpus().stream().map(GpuId::address).toList());
            for (Hypervisor.Turnover result : results) {
                store.putCondition(new GpuCondition(
                        new GpuId(rental.host(), result.gpu()),
                        result.available() ? GpuCondition.State.AVAILABLE : GpuCondition.State.QUARANTINED,
                        result.why(),
                        journal.now()));
            }
            return happened(new RentalEvent.TurnedOver(journal.now(), results));
        } catch (HypervisorException e) {
            return retry(rental, e);
        }
    }

    private Outcome settle(Rental rental) {
        EscrowOffer offer = rental.offer().orElseThrow();
        Escrow.Reading reading = escrow.read(offer);
        if (reading instanceof Escrow.Reading.Closed closed) {
            return happened(settled(closed));
        }
        if (reading instanceof Escrow.Reading.Unknown unknown) {
            return unknown(rental, unknown);
        }
        Optional<Escrow.Settlement> by = rental.signedSettlement();
        if (by.isEmpty() && rental.mayTimeLock()) {
            Instant unlocked = rental.terms().window().end().plus(rental.terms().disputeWindow());
            if (!journal.now().isBefore(unlocked)) {
                by = Optional.of(new Escrow.Settlement.ByTimeLock());
            }
        }
        if (by.isEmpty()) {
            return watchAgain();
        }
        try {
            return happened(settled(escrow.settle(offer, by.get())));
        } catch (EscrowException e) {
            return retry(rental, e);
        }
    }

    private RentalEvent settled(Escrow.Reading.Closed closed) {
        return new RentalEvent.Settled(journal.now(), closed.paid(), closed.refunded(), closed.transaction());
    }

    private Hypervisor hypervisorOf(Rental rental) {
        Hypervisor hypervisor = hypervisors.get(rental.host());
        if (hypervisor == null) {
            throw new HypervisorException.Unreachable(
                    "host %s is not connected: register it again".formatted(rental.host()), null);
        }
        return hypervisor;
    }

    private static String reason(Rental rental) {
        return rental.endCause()
                .map(cause -> switch (cause) {
                    case WINDOW_OVER -> "the window is over";
                    case BY_RENTER -> "the renter ended it";
                    case BY_OPERATOR -> "the operator ended it";
                    case ESCROW_CLOSED -> "the escrow was closed";
                    case MACHINE_LOST -> "the VM was lost";
                })
                .orElse("it could not start");
    }

    private static Outcome happened(RentalEvent event) {
        return new Outcome.Happened(event);
    }

    private Outcome watchAgain() {
        return new Outcome.Wait(journal.now().plus(policy.watch()));
    }

    private Outcome unknown(Rental rental, Escrow.Reading.Unknown unknown) {
        LOG.warn("{}: the chain can't be read, so nothing is decided: {}", rental, unknown.why());
        return new Outcome.Wait(journal.now().plus(policy.retry()));
    }

    private Outcome retry(Rental rental, RuntimeException why) {
        LOG.warn("{}: trying again in {}: {}", rental, policy.retry(), why.getMessage());
        return new Outcome.Wait(journal.now().plus(policy.retry()));
    }
}
