package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.manifest.Manifest;
import org.computehive.manifest.Setup;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.Steps.Outcome;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps that bring a session up: its VM is made, and what the renter will enter by is proved to work. */
final class Launch {
    private static final Logger LOG = LoggerFactory.getLogger(Launch.class);

    private static final Set<RentalState> WITH_GPU =
            EnumSet.of(RentalState.STARTING, RentalState.FAILED, RentalState.ACTIVE, RentalState.ENDING);

    private final RentalStore store;
    private final Hosts hosts;
    private final SessionAccess access;
    private final GpuHealth health;
    private final SessionWatch watch;
    private final Relocation relocation;
    private final Journal journal;
    private final RentalPolicy policy;
    private final ConfidentialLaunch confidential;

    Launch(
            RentalStore store,
            Hosts hosts,
            SessionAccess access,
            GpuHealth health,
            SessionWatch watch,
            Relocation relocation,
            Journal journal,
            RentalPolicy policy,
            ConfidentialLaunch confidential) {
        this.store = store;
        this.hosts = hosts;
        this.access = access;
        this.health = health;
        this.watch = watch;
        this.relocation = relocation;
        this.journal = journal;
        this.policy = policy;
        this.confidential = confidential;
    }

    Outcome boot(Rental rental) {
        Optional<RentalEvent> late = tooLate(rental, "its guest was not ready");
        if (late.isPresent()) {
            return Outcome.happened(late.get());
        }
        if (rental.gpus().stream().anyMatch(health::isQuarantined)) {
            return Outcome.happened(notHere(rental, "a gpu is quarantined since its last session"));
        }
        try {
            Hypervisor hypervisor = hosts.of(rental.host());
            if (isOthersTime(rental) || isStillTaken(rental)) {
                LOG.info("{}: what comes before it still has a gpu", rental);
                hypervisor.prepare(specOf(rental));
                return new Outcome.Wait(journal.now().plus(policy.retry()));
            }
            if (isAhead(rental)) {
                return Outcome.happened(new RentalEvent.GpusTaken(journal.now()));
            }
            if (ConfidentialLaunch.isFor(rental)) {
                ConfidentialLaunch.Attested attested = confidential.start(hypervisor, specOf(rental), longest(rental));
                watch.answered(rental.id());
                return Outcome.happened(started(rental, attested.vm(), attested.verified()));
            }
            Hypervisor.RunningVm vm = hypervisor.start(specOf(rental));
            watch.answered(rental.id());
            return Outcome.happened(started(rental, vm, Map.of()));
        } catch (HypervisorException.Unreachable e) {
            return relocation.leaveSilentHost(rental, e);
        } catch (AttestationException e) {
            var fault = new Fault(confidential.blame(), Reason.of("the guest did not prove itself: " + e.getMessage()));
            return Outcome.happened(new RentalEvent.PlacementFailed(journal.now(), false, fault));
        } catch (HypervisorException | Setup.TooLong e) {
            return Outcome.happened(notHere(rental, e.getMessage()));
        }
    }

    Outcome prove(Rental rental) {
        Optional<RentalEvent> late = tooLate(rental, "its SSH server did not answer");
        if (late.isPresent()) {
            return Outcome.happened(late.get());
        }
        try {
            Optional<Hypervisor.RunningVm> vm = hosts.vmOf(rental);
            watch.answered(rental.id());
            if (vm.isEmpty()) {
                return Outcome.happened(notHere(rental, "the VM was no longer on its host"));
            }
            access.admit(rental.id(), rental.window(), vm.get().ssh());
            String banner = access.probe(rental.id(), patience(rental));
            Instant usable = journal.now();
            if (!rental.window().contains(usable)) {
                return Outcome.happened(
                        failed(rental, "its SSH server answered only after the window", Fault.Blame.LENDER));
            }
            watch.saw(rental.id());
            return Outcome.happened(new RentalEvent.Activated(usable, banner));
        } catch (HypervisorException.Unreachable e) {
            return relocation.leaveSilentHost(rental, e);
        } catch (HypervisorException e) {
            return Outcome.happened(notHere(rental, e.getMessage()));
        }
    }

    private RentalEvent started(Rental rental, Hypervisor.RunningVm vm, Map<String, String> verified) {
        Optional<Host> host = store.host(rental.host());
        if (host.isEmpty()) {
            return new RentalEvent.MachineStarted(journal.now(), with(vm.facts(), verified));
        }
        Setup setup = Setups.observed(host.get(), rental.gpus(), rental.terms().shape(), vm.facts());
        var manifest = new Manifest(setup, rental.terms().manifest(rental.id()).terms());
        var facts = new HashMap<>(with(vm.facts(), verified));
        facts.put("manifest", HexFormat.of().formatHex(manifest.sha256()));
        return new RentalEvent.MachineStarted(journal.now(), facts, setup);
    }

    private static Map<String, String> with(Map<String, String> facts, Map<String, String> verified) {
        var all = new HashMap<>(facts);
        verified.forEach((name, value) -> all.put("attested " + name, value));
        return all;
    }

    /** Whether an earlier session of a gpu has not been turned over yet, though its time is over. */
    private boolean isStillTaken(Rental rental) {
        return store.allInStates(WITH_GPU)
                .filter(other -> !other.id().equals(rental.id()))
                .filter(other -> other.runs().from().isBefore(rental.runs().from()))
                .anyMatch(other -> !Collections.disjoint(other.gpus(), rental.gpus()));
    }

    /** Whether it is the time of another rental, or of a maintenance, since we boot ahead: a hint, the store decides. */
    private boolean isOthersTime(Rental rental) {
        return isAhead(rental)
                && !store.isFree(
                        rental.gpus(),
                        new Window(journal.now(), rental.holdings().from()));
    }

    private boolean isAhead(Rental rental) {
        return journal.now().isBefore(rental.holdings().from());
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
                accessOf(rental));
    }

    /** A confidential guest is given no key that was made outside it. */
    private VmSpec.GuestAccess accessOf(Rental rental) {
        return ConfidentialLaunch.isFor(rental)
                ? VmSpec.GuestAccess.confidential(
                        access.trust().userAuthorities(), rental.id().principal())
                : access.guestAccess(rental.id(), longest(rental));
    }

    /** The time for which the session's own host key is certified: a running VM takes no new one when it is extended. */
    private Window longest(Rental rental) {
        Window window = rental.window();
        Instant most = rental.terms().window().end().plus(policy.extensions().longest());
        return policy.extensions().most() > 0 && most.isAfter(window.end()) ? new Window(window.start(), most) : window;
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
}
