package org.computehive.rental;

import java.util.List;
import java.util.Optional;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.placement.Place;

/** Knows which gpus may be used, and keeps what turnovers and lost hosts say of them. Thread-safe. */
final class GpuHealth {
    private final RentalStore store;
    private final Journal journal;

    GpuHealth(RentalStore store, Journal journal) {
        this.store = store;
        this.journal = journal;
    }

    boolean isQuarantined(GpuId gpu) {
        return quarantine(gpu).isPresent();
    }

    private Optional<GpuCondition> quarantine(GpuId gpu) {
        return store.condition(gpu).filter(condition -> condition.state() == GpuCondition.State.QUARANTINED);
    }

    /** Keeps the gpus of a host that does not answer from being used before they are turned over. */
    void lost(RentalId id, Place place) {
        for (GpuId gpu : place.gpus()) {
            if (!isQuarantined(gpu)) {
                journal.note("gpu.quarantined", gpu.toString(), journal.now(), lostWhy(id));
                put(gpu, GpuCondition.State.QUARANTINED, lostWhy(id));
            }
        }
    }

    /** Lets gpus be used again whose host answers and still runs the rental's VM. */
    void foundAgain(RentalId id, Place place) {
        for (GpuId gpu : place.gpus()) {
            quarantine(gpu)
                    .filter(condition -> condition.why().equals(lostWhy(id)))
                    .ifPresent(condition ->
                            put(gpu, GpuCondition.State.AVAILABLE, "its host answers again, the session goes on"));
        }
    }

    /**
     * Keeps what a turnover found. It lifts no quarantine but that of a host that was lost during the same rental: any
     * other has a reason that a turnover does not know, and waits for an operator.
     *
     * @param noted what else there is to know of these gpus; empty if nothing
     */
    void turnedOver(RentalId id, HostId host, List<Hypervisor.Turnover> results, Optional<Fault> noted) {
        for (Hypervisor.Turnover result : results) {
            var gpu = new GpuId(host, result.gpu());
            boolean locked = quarantine(gpu)
                    .filter(condition -> !condition.why().equals(lostWhy(id)))
                    .isPresent();
            if (result.available() && locked) {
                continue;
            }
            put(
                    gpu,
                    result.available() ? GpuCondition.State.AVAILABLE : GpuCondition.State.QUARANTINED,
                    result.why()
                            + noted.map(fault -> "; rental %s could not go on with it: %s".formatted(id, fault.what()))
                                    .orElse(""));
        }
    }

    private void put(GpuId gpu, GpuCondition.State state, String why) {
        store.putCondition(new GpuCondition(gpu, state, why, journal.now()));
    }

    private static String lostWhy(RentalId id) {
        return "its host was lost during rental %s, and it is not turned over yet".formatted(id);
    }
}
