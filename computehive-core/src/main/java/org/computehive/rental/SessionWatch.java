package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.access.AccessException;
import org.computehive.market.HostId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees whether running sessions are still there, remembers when each was last seen, and says who answers for one that is
 * gone. Thread-safe.
 */
final class SessionWatch {
    private static final Logger LOG = LoggerFactory.getLogger(SessionWatch.class);
    /** How far the stored sighting of a session may lag behind; what a restarted engine meters to. */
    private static final Duration SIGHTING = Duration.ofMinutes(1);

    private static final int OTHERS = 4;

    private final Hosts hosts;
    private final RentalStore store;
    private final SessionAccess access;
    private final Journal journal;
    private final RentalPolicy policy;
    private final Map<RentalId, Instant> seen = new ConcurrentHashMap<>();
    private final Map<RentalId, Instant> stored = new ConcurrentHashMap<>();
    private final Map<RentalId, Instant> silentSince = new ConcurrentHashMap<>();

    SessionWatch(Hosts hosts, RentalStore store, SessionAccess access, Journal journal, RentalPolicy policy) {
        this.hosts = hosts;
        this.store = store;
        this.access = access;
        this.journal = journal;
        this.policy = policy;
    }

    /**
     * Looks at an active session: where its VM is there, makes sure that its renter can enter.
     *
     * @return what interrupted it, if it is gone or its host has not answered for too long
     */
    Optional<RentalEvent> look(Rental rental) {
        try {
            Optional<Hypervisor.RunningVm> vm = hosts.vmOf(rental);
            silentSince.remove(rental.id());
            if (vm.isEmpty()) {
                return Optional.of(interrupted(rental, false, whoLost(rental)));
            }
            saw(rental.id());
            admit(rental, vm.get());
            return Optional.empty();
        } catch (HypervisorException e) {
            LOG.warn("can't see to the VM of {}: {}", rental, e.getMessage());
            return silence(rental).map(fault -> interrupted(rental, true, fault));
        }
    }

    private void admit(Rental rental, Hypervisor.RunningVm vm) {
        if (!journal.now().isBefore(rental.sessionEnd())) {
            return;
        }
        try {
            access.admit(rental.id(), rental.window(), vm.ssh());
        } catch (AccessException e) {
            LOG.warn("can't let the renter of {} in: {}", rental, e.getMessage());
        }
    }

    /**
     * Notes that a rental's host does not answer.
     *
     * @return whose fault it is, once that has lasted for too long
     */
    Optional<Fault> silence(Rental rental) {
        Instant since = silentSince.computeIfAbsent(rental.id(), id -> journal.now());
        Duration silent = Duration.between(since, journal.now());
        return silent.compareTo(policy.recovery().hostSilence()) < 0
                ? Optional.empty()
                : Optional.of(whoIsSilent(rental.host(), silent));
    }

    /** Notes that a rental's host answers. */
    void answered(RentalId id) {
        silentSince.remove(id);
    }

    void saw(RentalId id) {
        Instant now = journal.now();
        seen.put(id, now);
        Instant kept = stored.get(id);
        if (kept == null || Duration.between(kept, now).compareTo(SIGHTING) >= 0) {
            store.saw(id, now);
            stored.put(id, now);
        }
    }

    /** Forgets a session that is being taken down. */
    void forget(RentalId id) {
        seen.remove(id);
        stored.remove(id);
        silentSince.remove(id);
    }

    private RentalEvent.Interrupted interrupted(Rental rental, boolean hostLost, Fault fault) {
        Instant now = journal.now();
        Instant begun = rental.runs().usableSince().orElse(now);
        Instant last = Optional.ofNullable(seen.get(rental.id()))
                .or(() -> store.lastSaw(rental.id()))
                .filter(begun::isBefore)
                .orElse(begun);
        return new RentalEvent.Interrupted(now, last.isAfter(now) ? now : last, hostLost, fault);
    }

    /** A renter who could have its lender blamed by turning the VM off would have a weapon. */
    private Fault whoLost(Rental rental) {
        Hypervisor hypervisor = hosts.of(rental.host());
        return hypervisor
                .endedByPlatform(rental.id())
                .map(at -> new Fault(
                        Fault.Blame.PLATFORM, "the platform ended the VM when it stopped at %s".formatted(at)))
                .or(() -> hypervisor
                        .guestTurnedOff(rental.id())
                        .map(at -> new Fault(
                                Fault.Blame.NOBODY,
                                "the guest was turned off at %s, by its renter or its power button".formatted(at))))
                .orElseGet(() -> new Fault(Fault.Blame.LENDER, "the VM was no longer on its host"));
    }

    /** A host that is silent alone answers for it; when none answers, it is the platform that is cut off. */
    private Fault whoIsSilent(HostId host, Duration silent) {
        if (!hosts.isAttached(host)) {
            return new Fault(Fault.Blame.PLATFORM, "host %s was not connected for %s".formatted(host, silent));
        }
        List<HostId> others = hosts.all().keySet().stream()
                .filter(other -> !other.equals(host))
                .limit(OTHERS)
                .toList();
        return !others.isEmpty() && others.stream().noneMatch(hosts::answers)
                ? new Fault(Fault.Blame.PLATFORM, "no host answered, %s not for %s".formatted(host, silent))
                : new Fault(Fault.Blame.LENDER, "host %s did not answer for %s".formatted(host, silent));
    }
}
