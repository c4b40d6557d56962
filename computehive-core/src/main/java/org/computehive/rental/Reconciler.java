package org.computehive.rental;

import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.access.AccessException;
import org.computehive.market.HostId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares both ways after a restart: a VM whose rental is over is taken down, a rental whose session runs gets its place at
 * the gateway back. A VM whose rental this store doesn't know is reported and left alone: it may be another engine's. A
 * rental without its VM is found by its own steps.
 */
final class Reconciler {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);
    private static final Set<RentalState> MAY_HAVE_VM =
            EnumSet.of(RentalState.STARTING, RentalState.ACTIVE, RentalState.ENDING, RentalState.FAILED);

    private final RentalStore store;
    private final SessionAccess access;
    private final Journal journal;

    Reconciler(RentalStore store, SessionAccess access, Journal journal) {
        this.store = store;
        this.access = access;
        this.journal = journal;
    }

    void reconcile(Map<HostId, Hypervisor> hosts) {
        hosts.forEach((host, hypervisor) -> {
            try {
                for (Hypervisor.RunningVm vm : hypervisor.list()) {
                    reconcileQuietly(host, hypervisor, vm);
                }
            } catch (HypervisorException e) {
                LOG.warn("host {} can't say which VMs it runs: {}", host, e.getMessage());
            }
        });
    }

    /** One VM that can't be seen to keeps nobody from the others; a rental's own steps try again. */
    private void reconcileQuietly(HostId host, Hypervisor hypervisor, Hypervisor.RunningVm vm) {
        try {
            reconcile(host, hypervisor, vm);
        } catch (HypervisorException | AccessException e) {
            LOG.warn("host {}: the VM of rental {} could not be seen to: {}", host, vm.id(), e.getMessage());
        }
    }

    private void reconcile(HostId host, Hypervisor hypervisor, Hypervisor.RunningVm vm) {
        Optional<Rental> rental = store.rental(vm.id());
        if (rental.isEmpty()) {
            LOG.warn("host {} runs a VM of rental {}, which is not known here; left alone", host, vm.id());
        } else if (!MAY_HAVE_VM.contains(rental.get().state())
                || !rental.get().host().equals(host)) {
            // Its gpus stay quarantined until the rental's own step has turned them over.
            journal.note("vm.stray", vm.id(), vm.id().value(), journal.now(), "destroyed on host " + host);
            hypervisor.destroy(vm.id());
            hypervisor.erase(vm.id());
        } else if (rental.get().state() == RentalState.ACTIVE
                && journal.now().isBefore(rental.get().window().end())) {
            access.admit(vm.id(), rental.get().window(), vm.ssh());
        }
    }
}
