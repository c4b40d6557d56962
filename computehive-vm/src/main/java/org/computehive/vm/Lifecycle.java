package org.computehive.vm;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.Hypervisor.Teardown;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.libvirt.Domain;

/**
 * Takes the VMs of rentals from their preparation to their erasure. Thread-safe: calls for one rental wait for each other,
 * calls for different rentals run side by side.
 */
final class Lifecycle {
    private final Admission admission;
    private final Domains domains;
    private final SessionStore sessions;
    private final Boot boot;
    private final Ending ending;
    private final Map<RentalId, StartTimes> startTimes = new ConcurrentHashMap<>();
    private final Map<RentalId, ReentrantLock> locks = new ConcurrentHashMap<>();

    Lifecycle(Admission admission, Domains domains, SessionStore sessions, Boot boot, Ending ending) {
        this.admission = admission;
        this.domains = domains;
        this.sessions = sessions;
        this.boot = boot;
        this.ending = ending;
    }

    /** Makes a session's disk and key ahead of its start. */
    void prepare(VmSpec spec) {
        locked(spec.id(), () -> {
            if (domains.find(spec.id()).isEmpty()) {
                GuestImage image = admit(spec);
                try {
                    sessions.prepare(spec, image);
                } catch (HypervisorException e) {
                    admission.release(spec.id());
                    throw e;
                }
            }
            return true;
        });
    }

    /** Returns a session's VM once its guest is ready: the one that runs, or one that is made now. */
    RunningVm start(VmSpec spec) {
        long begun = System.nanoTime();
        return locked(spec.id(), () -> {
            Optional<SessionMark> running = domains.find(spec.id());
            if (running.isPresent()) {
                boolean ready = sessions.journal(spec.id())
                        .map(journal -> journal.step() == Journal.Step.READY)
                        .orElse(false);
                if (ready) {
                    return running.get().running();
                }
                // A start that was cut off: its guest's state is unknown and its seed may be gone.
                ending.end(spec.id());
                sessions.erase(spec.id());
            }
            GuestImage image = admit(spec);
            try {
                Journal journal = sessions.prepare(spec, image);
                Boot.Booted booted = boot.boot(spec, image, admission.accelerated(), journal);
                startTimes.put(
                        spec.id(),
                        new StartTimes(
                                Duration.ofNanos(booted.resumed() - begun),
                                Duration.ofNanos(booted.making()),
                                Duration.ofNanos(booted.ready() - booted.resumed()),
                                Duration.ofNanos(System.nanoTime() - booted.ready())));
                return booted.mark().running();
            } catch (HypervisorException e) {
                clearUp(spec.id(), e);
                throw e;
            }
        });
    }

    /** Refuses what may not be made; a disk that was prepared keeps its image until it is erased. */
    private GuestImage admit(VmSpec spec) {
        try {
            return admission.admit(spec);
        } catch (HypervisorException e) {
            if (sessions.journal(spec.id()).isEmpty()) {
                admission.release(spec.id());
            }
            throw e;
        }
    }

    private void clearUp(RentalId id, HypervisorException why) {
        try {
            ending.end(id);
            sessions.erase(id);
            admission.release(id);
        } catch (HypervisorException e) {
            why.addSuppressed(e);
        }
    }

    /** Returns where the time went when this object started a rental's VM; forgotten by {@link #erase}. */
    Optional<StartTimes> startTimes(RentalId id) {
        return Optional.ofNullable(startTimes.get(id));
    }

    /** Gives a VM that runs another end. */
    RunningVm expire(RentalId id, Instant expires) {
        return locked(id, () -> {
            SessionMark mark = domains.find(id)
                    .orElseThrow(() -> new HypervisorException.Refused(
                            "no VM %s runs here: it can't be given another end".formatted(id.vmName()), null))
                    .expiring(expires);
            domains.act(
                    id,
                    "moving the end of " + id.vmName(),
                    domain -> domain.setMetadata(
                            Domain.MetadataType.ELEMENT,
                            mark.xml(),
                            SessionMark.PREFIX,
                            SessionMark.NAMESPACE,
                            Domain.ModificationImpact.LIVE));
            return mark.running();
        });
    }

    /** Ends a session's VM and says what was seen. */
    Teardown destroy(RentalId id) {
        return locked(id, () -> new Teardown(ending.end(id)));
    }

    /** Erases what a session whose VM has ended has left, and says what was seen. */
    Teardown erase(RentalId id) {
        return locked(id, () -> {
            if (domains.find(id).isPresent()) {
                throw new HypervisorException.NotGone(
                        "VM %s still runs: destroy it before its disk is erased".formatted(id.vmName()), null);
            }
            GuestNetworks.close(id); // of a VM that ended by itself
            Teardown erased = new Teardown(sessions.erase(id));
            sessions.forgetEnd(id);
            admission.release(id);
            startTimes.remove(id);
            return erased;
        });
    }

    private <T> T locked(RentalId id, Supplier<T> work) {
        ReentrantLock lock = locks.computeIfAbsent(id, key -> new ReentrantLock());
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }
}
