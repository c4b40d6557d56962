package org.computehive.rental.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.computehive.market.MachineShape;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorContract;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.Test;

class InMemoryHypervisorTest extends HypervisorContract {
    private final InMemoryHypervisor host = InMemoryHypervisor.withImages("demo", "spoiled");

    @Override
    protected Hypervisor open() {
        return host.another();
    }

    @Override
    protected void abandon(Hypervisor hypervisor) {
        // Nothing holds on to it.
    }

    @Override
    protected MachineShape shape() {
        return new MachineShape(1, 256, 64, "demo");
    }

    @Override
    protected String spoiledImage() {
        host.spoil("spoiled");
        return "spoiled";
    }

    @Override
    protected VmSpec.GuestAccess access(RentalId id) {
        return new VmSpec.GuestAccess("key", "certificate", "authority", id.principal());
    }

    @Test
    void failNextStart_failsOneStartAndLeavesNothing() {
        var failure = new HypervisorException.GuestFailed("no ready mark", null);
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shape());
            host.failNextStart(failure);
            assertSame(failure, assertThrows(HypervisorException.GuestFailed.class, () -> hypervisor.start(spec)));
            assertEquals(List.of(), hypervisor.list());
            assertEquals(spec.id(), hypervisor.start(spec).id());
        }
    }
}
