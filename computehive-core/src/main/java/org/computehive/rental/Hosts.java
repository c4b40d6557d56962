package org.computehive.rental;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.market.HostId;

/** The hosts that are connected to this engine. Thread-safe. */
final class Hosts {
    private final Map<HostId, Hypervisor> hypervisors = new ConcurrentHashMap<>();

    void attach(HostId host, Hypervisor hypervisor) {
        hypervisors.put(host, hypervisor);
    }

    Map<HostId, Hypervisor> all() {
        return Map.copyOf(hypervisors);
    }

    boolean isAttached(HostId host) {
        return hypervisors.containsKey(host);
    }

    /**
     * Returns a host's hypervisor.
     *
     * @throws HypervisorException.Unreachable if it is not connected
     */
    Hypervisor of(HostId host) {
        Hypervisor hypervisor = hypervisors.get(host);
        if (hypervisor == null) {
            throw new HypervisorException.Unreachable(
                    "host %s is not connected: register it again".formatted(host), null);
        }
        return hypervisor;
    }

    /** Returns a rental's VM, if its host runs it. */
    Optional<Hypervisor.RunningVm> vmOf(Rental rental) {
        return of(rental.host()).list().stream()
                .filter(vm -> vm.id().equals(rental.id()))
                .findFirst();
    }

    /** Returns whether a host answers now. */
    boolean answers(HostId host) {
        try {
            of(host).list();
            return true;
        } catch (HypervisorException e) {
            return false;
        }
    }
}
