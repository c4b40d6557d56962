package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.manifest.Manifest;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.schedule.Window;
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
    private final Hosts hosts = new Hosts();
    private final GpuHealth health;
    private final SessionWatch watch;
    private final Relocation relocation;
    private final Extending extending;
    private final Settling settling;

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
        health = new GpuHealth(store, journal);
        watch = new SessionWatch(hosts, store, access, journal, policy);
        relocation = new Relocation(store, hosts, health, journal, policy);
        extending = new Extending(escrow, access, journal, policy);
        settling = new Settling(escrow, extending, journal, policy);
    }

    void attach(HostId host, Hypervisor hypervisor) {
        hosts.attach(host, hypervisor);
    }

    Map<HostId, Hypervisor> hosts() {
        return hosts.all();
    }

    /** What became of a step. */
    sealed interface Outcome {
        /** Something happened. */
        record Happened(RentalEvent event) implements Outcome {}

        /** Nothing yet; look again then. */
        record Wait(Instant until) implements Outcome {}

        /** It did not work; try again later. */
        record Failed(String why) implements Outcome {}
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
            case PLACE -> relocation.place(rental);
            case SWEEP -> sweep(rental);
            case WRITE_EXTENSION -> extending.writeOffer(rental);
            case WATCH_EXTENSION -> extending.watch(rental);
            case MOVE_END -> extending.moveEnd(rental, hosts);
            case END_NO_SHOW -> happened(new RentalEvent.Ending(journal.now(), EndCause.NO_SHOW));
            case END -> end(rental);
            case CUT_ACCESS -> cutAccess(rental);
            case DESTROY -> destroy(rental);
            case ERASE -> erase(rental);
            case TURN_OVER -> turnOver(rental);
            case SETTLE -> settling.settle(rental);
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
        if (rental.state() == RentalState.ACTIVE) {
            Optional<RentalEvent> interruption = watch.look(rental);
            if (interruption.isPresent()) {
                return happened(interruption.get());
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
                        return happened(closedEarly(rental, leg, closed));
                    }
                    case Escrow.Reading.Unknown unknown -> {
                        return unknown(rental, unknown);
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

    private Outcome end(Rental rental) {
        if (rental.isLeaving()) {
            return happened(relocation.givenUp(rental));
        }
        boolean reclaimed = rental.reclaimedAt().isPresent();
        Optional<RentalEvent> further = reclaimed ? Optional.empty() : extending.lastMoment(rental);
        if (further.isPresent()) {
            return happened(further.get());
        }
        return happened(new RentalEvent.Ending(journal.now(), reclaimed ? EndCause.RECLAIMED : EndCause.WINDOW_OVER));
    }

    private Outcome cutAccess(Rental rental) {
        watch.forget(rental.id());
        int closed = rental.isLeaving()
                ? access.withdraw(rental.id(), "rental " + rental.id() + " lost its VM; another is sought")
                : access.cut(rental.id(), "rental " + rental.id() + " ended: " + reason(rental));
        return happened(new RentalEvent.AccessCut(journal.now(), closed));
    }

    private Outcome boot(Rental rental) {
        Optional<RentalEvent> late = tooLate(rental, "its guest was not ready");
        if (late.isPresent()) {
            return happened(late.get());
        }
        if (rental.gpus().stream().anyMatch(health::isQuarantined)) {
            return happened(notHere(rental, "a gpu is quarantined since its last session"));
        }
        try {
            Hypervisor hypervisor = hosts.of(rental.host());
            if (isStillTaken(rental)) {
                LOG.info("{}: the session before it still has a gpu", rental);
                hypervisor.prepare(specOf(rental));
                return new Outcome.Wait(journal.now().plus(policy.retry()));
            }
            Hypervisor.RunningVm vm = hypervisor.start(specOf(rental));
            watch.answered(rental.id());
            return happened(started(rental, vm));
        } catch (HypervisorException.Unreachable e) {
            return unreachable(rental, e);
        } catch (HypervisorException e) {
            return happened(notHere(rental, e.getMessage()));
        }
    }

    private RentalEvent started(Rental rental, Hypervisor.RunningVm vm) {
        Optional<Host> host = store.host(rental.host());
        if (host.isEmpty()) {
            return new RentalEvent.MachineStarted(journal.now(), vm.facts());
        }
        Setup setup = Setups.observed(host.get(), rental.gpus(), rental.terms().shape(), vm.facts());
        var manifest = new Manifest(setup, rental.terms().manifest(rental.id()).terms());
        var facts = new HashMap<>(vm.facts());
        facts.put("manifest", HexFormat.of().formatHex(manifest.sha256()));
        return new RentalEvent.MachineStarted(journal.now(), facts, setup);
    }

    /** Whether an earlier session of a gpu has not been turned over yet, be it late or because we boot ahead. */
    private boolean isStillTaken(Rental rental) {
        return store.inStates(WITH_GPU, MANY).stream()
                .filter(other -> !other.id().equals(rental.id()))
                .filter(other -> other.runs().from().isBefore(rental.runs().from()))
                .anyMatch(other -> !Collections.disjoint(other.gpus(), rental.gpus()));
    }

    /** A host that does not answer is waited for, but not for ever: then the session is tried elsewhere. */
    private Outcome unreachable(Rental rental, HypervisorException why) {
        Optional<Fault> lost = watch.silence(rental);
        boolean elsewhere = lost.isPresent() && !rental.runs().hostLost() && relocation.isPossible(rental);
        return elsewhere
                ? happened(new RentalEvent.PlacementFailed(journal.now(), true, lost.get()))
                : retry(rental, why);
    }

    private RentalEvent notHere(Rental rental, @Nullable String what) {
        var fault = new Fault(Fault.Blame.LENDER, what == null ? "the VM did not start" : Reason.of(what));
        return new RentalEvent.PlacementFailed(journal.now(), false, fault);
    }

    private VmSpec specOf(Rental rental) {
        RentalTerms terms = rental.terms();
        return new VmSpec(
                rental.id(),
                rental.window().end(),
                terms.shape(),
                rental.gpus().stream().map(GpuId::address).toList(),
                access.guestAccess(rental.id(), longest(rental)));
    }

    /** The time for which the session's own host key is certified: a running VM takes no new one when it is extended. */
    private Window longest(Rental rental) {
        Window window = rental.window();
        Instant most = rental.terms().window().end().plus(policy.extensions().longest());
        return policy.extensions().most() > 0 && most.isAfter(window.end()) ? new Window(window.start(), most) : window;
    }

    private Outcome prove(Rental rental) {
        Optional<RentalEvent> late = tooLate(rental, "its SSH server did not answer");
        if (late.isPresent()) {
            return happened(late.get());
        }
        try {
            Optional<Hypervisor.RunningVm> vm = hosts.vmOf(rental);
            watch.answered(rental.id());
            if (vm.isEmpty()) {
                return happened(notHere(rental, "the VM was no longer on its host"));
            }
            access.admit(rental.id(), rental.window(), vm.get().ssh());
            String banner = access.probe(rental.id(), patience(rental));
            Instant usable = journal.now();
            if (!rental.window().contains(usable)) {
                return happened(failed(rental, "its SSH server answered only after the window", Fault.Blame.LENDER));
            }
            watch.saw(rental.id());
            return happened(new RentalEvent.Activated(usable, banner));
        } catch (HypervisorException.Unreachable e) {
            return unreachable(rental, e);
        } catch (HypervisorException e) {
            return happened(notHere(rental, e.getMessage()));
        }
    }

    /** How long to wait for a session's banner: where there is another place to try, time is left for that. */
    private Duration patience(Rental rental) {
        Duration left = Duration.between(journal.now(), relocation.deadline(rental));
        return relocation.isPossible(rental) ? left.dividedBy(2) : left;
    }

    private Optional<RentalEvent> tooLate(Rental rental, String what) {
        Instant deadline = relocation.deadline(rental);
        return journal.now().isBefore(deadline)
                ? Optional.empty()
                : Optional.of(failed(rental, what + " by " + deadline, answersForDelay(rental)));
    }

    /** Who answers for a session that is late: the platform if it began only after the window did. */
    private static Fault.Blame answersForDelay(Rental rental) {
        Instant start = rental.terms().window().start();
        return rental.startingSince().filter(start::isBefore).isPresent() ? Fault.Blame.PLATFORM : Fault.Blame.LENDER;
    }

    private RentalEvent failed(Rental rental, String what, Fault.Blame blame) {
        return rental.runs().everUsable()
                ? new RentalEvent.Ending(journal.now(), EndCause.MACHINE_LOST)
                : new RentalEvent.StartFailed(journal.now(), new Fault(blame, what));
    }

    private Outcome destroy(Rental rental) {
        try {
            return happened(new RentalEvent.MachineDestroyed(
                    journal.now(), hypervisorOf(rental).destroy(rental.id()).facts()));
        } catch (HypervisorException.Unreachable e) {
            return rental.isLeaving() ? unreachable(rental, e) : retry(rental, e);
        } catch (HypervisorException e) {
            return retry(rental, e);
        }
    }

    private Outcome sweep(Rental rental) {
        try {
            return relocation.sweep(rental);
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
            Optional<Fault> noted =
                    rental.isLeaving() ? Optional.of(rental.runs().faults().getLast()) : Optional.empty();
            health.turnedOver(rental.id(), rental.host(), results, noted);
            return happened(new RentalEvent.TurnedOver(journal.now(), results));
        } catch (HypervisorException e) {
            return retry(rental, e);
        }
    }

    private Hypervisor hypervisorOf(Rental rental) {
        return hosts.of(rental.host());
    }

    private static String reason(Rental rental) {
        return rental.endCause()
                .map(cause -> switch (cause) {
                    case WINDOW_OVER -> "the window is over";
                    case BY_RENTER -> "the renter ended it";
                    case BY_LENDER -> "the lender ended it";
                    case NO_SHOW -> "the renter never came";
                    case BY_OPERATOR -> "the operator ended it";
                    case ESCROW_CLOSED -> "the escrow was closed";
                    case MACHINE_LOST -> "the VM was lost";
                    case RECLAIMED -> "the lender took its gpus back, as announced";
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
        return new Outcome.Failed(Reason.of("the chain can't be read: " + unknown.why()));
    }

    private Outcome retry(Rental rental, RuntimeException why) {
        LOG.warn("{}: trying again later: {}", rental, why.getMessage());
        return new Outcome.Failed(Reason.of(why));
    }
}
