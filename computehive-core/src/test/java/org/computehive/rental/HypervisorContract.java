package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.RunningVm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What every {@link Hypervisor} promises. Subclasses say how to open one and what its guests need. */
public abstract class HypervisorContract {
    private final List<RentalId> used = new ArrayList<>();

    /** Opens a controller; every one opened in a test sees the same host. */
    protected abstract Hypervisor open();

    /** Lets go of a controller without closing it, as {@code kill -9} of its process does. */
    protected abstract void abandon(Hypervisor hypervisor);

    /** Returns the shape of a small VM whose image boots. */
    protected abstract MachineShape shape();

    /** Returns the name of an image that is in the catalogue and whose bytes are not those of its digest. */
    protected abstract String spoiledImage();

    /** Returns what a guest's SSH server needs. */
    protected abstract VmSpec.GuestAccess access(RentalId id);

    @AfterEach
    void clearUp() {
        try (Hypervisor hypervisor = open()) {
            for (RentalId id : used) {
                hypervisor.destroy(id);
                hypervisor.erase(id);
            }
        }
    }

    /** Returns the spec of a new rental with the host's first gpu that can be had. */
    protected final VmSpec spec(Hypervisor hypervisor, MachineShape shape) {
        RentalId id = RentalId.random();
        used.add(id);
        List<PciAddress> gpus = hypervisor.inventory().gpus().stream()
                .filter(gpu -> gpu.unavailable().isEmpty())
                .map(Gpu::address)
                .limit(1)
                .toList();
        Instant expires = Instant.now().plus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.MILLIS);
        return new VmSpec(id, expires, shape, gpus, access(id));
    }

    private MachineShape shapeOf(String image) {
        return new MachineShape(shape().cpus(), shape().memoryMiB(), shape().diskMiB(), image);
    }

    @Test
    void inventory_ofAnyHost_hasAGpuThatCanBeRented() {
        try (Hypervisor hypervisor = open()) {
            Hypervisor.Inventory inventory = hypervisor.inventory();
            assertTrue(inventory.cpus() > 0 && inventory.memoryMiB() > 0, inventory::toString);
            assertTrue(
                    inventory.gpus().stream().anyMatch(gpu -> gpu.unavailable().isEmpty()), inventory::toString);
        }
    }

    @Test
    void life_fromPrepareToErase_isIdempotentAtEveryStep() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shape());
            hypervisor.prepare(spec);
            hypervisor.prepare(spec);
            assertEquals(List.of(), hypervisor.list(), "nothing runs after prepare");

            RunningVm first = hypervisor.start(spec);
            assertEquals(spec.id(), first.id());
            assertEquals(spec.expires(), first.expires());
            assertEquals(first, hypervisor.start(spec), "a second start returns the same VM");
            assertEquals(List.of(first), hypervisor.list());

            assertThrows(HypervisorException.NotGone.class, () -> hypervisor.erase(spec.id()), "it still runs");
            assertFalse(hypervisor.destroy(spec.id()).facts().isEmpty());
            assertEquals(List.of(), hypervisor.list());
            hypervisor.destroy(spec.id());
            assertFalse(hypervisor.erase(spec.id()).facts().isEmpty());
            hypervisor.erase(spec.id());

            for (Hypervisor.Turnover turnover : hypervisor.turnOver(spec.id(), spec.gpus())) {
                assertFalse(turnover.why().isBlank(), "a turnover says what was done");
            }
        }
    }

    @Test
    void abandonedController_leavesAVmThatTheNextOneFindsAndEnds() {
        Hypervisor lost = open();
        VmSpec spec = spec(lost, shape());
        RunningVm started = lost.start(spec);
        abandon(lost);

        try (Hypervisor next = open()) {
            assertEquals(List.of(started), next.list());
            assertEquals(started, next.start(spec), "it is taken over, not started twice");
            next.destroy(spec.id());
            next.erase(spec.id());
            assertEquals(List.of(), next.list());
        }
    }

    @Test
    void twoRentals_sideBySide_areKeptApart() {
        try (Hypervisor hypervisor = open()) {
            VmSpec one = spec(hypervisor, shape());
            VmSpec two = spec(hypervisor, shape());
            RunningVm first = hypervisor.start(one);
            RunningVm second = hypervisor.start(two);
            assertNotEquals(first.ssh(), second.ssh());
            assertEquals(2, hypervisor.list().size());
            hypervisor.destroy(one.id());
            hypervisor.erase(one.id());
            assertEquals(List.of(second), hypervisor.list());
        }
    }

    @Test
    void expire_ofARunningVm_movesItsEndForEveryControllerAndNothingElse() {
        Hypervisor lost = open();
        VmSpec spec = spec(lost, shape());
        RunningVm started = lost.start(spec);
        Instant later = spec.expires().plus(90, ChronoUnit.MINUTES);
        var moved = new RunningVm(started.id(), started.ssh(), later, started.facts());
        assertEquals(moved, lost.expire(spec.id(), later));
        assertEquals(moved, lost.expire(spec.id(), later), "again changes nothing");
        assertEquals(List.of(moved), lost.list());
        abandon(lost);

        try (Hypervisor next = open()) {
            assertEquals(List.of(moved), next.list());
            assertEquals(moved, next.start(spec), "a start that is repeated doesn't move it back");
            Instant earlier = spec.expires().minus(30, ChronoUnit.MINUTES);
            assertEquals(earlier, next.expire(spec.id(), earlier).expires());
            assertEquals(earlier, next.list().getFirst().expires());
        }
    }

    @Test
    void expire_whereNoVmRuns_isRefused() {
        try (Hypervisor hypervisor = open()) {
            RentalId nobody = RentalId.random();
            var refused =
                    assertThrows(HypervisorException.Refused.class, () -> hypervisor.expire(nobody, Instant.now()));
            assertTrue(String.valueOf(refused.getMessage()).contains(nobody.vmName()), refused::getMessage);
        }
    }

    @Test
    void endedByPlatformOrItsGuest_ofAVmThatRunsOrWasDestroyed_isEmpty() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shape());
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(spec.id()));
            hypervisor.start(spec);
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(spec.id()));
            assertEquals(Optional.empty(), hypervisor.guestTurnedOff(spec.id()));
            hypervisor.destroy(spec.id());
            assertEquals(Optional.empty(), hypervisor.endedByPlatform(spec.id()));
            assertEquals(Optional.empty(), hypervisor.guestTurnedOff(spec.id()));
        }
    }

    @Test
    void factsOfAStartedVm_areWhatItsHostPromised() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shape());
            Hypervisor.Inventory found = hypervisor.inventory();
            var host = new Host(
                    new HostId("host-1"),
                    Account.ZERO,
                    found.cpus(),
                    found.memoryMiB(),
                    found.gpus(),
                    found.acceleration(),
                    found.assurance(),
                    found.platform());
            List<GpuId> gpus =
                    spec.gpus().stream().map(gpu -> new GpuId(host.id(), gpu)).toList();
            Setup promised = Setups.promised(host, gpus, spec.shape());
            Setup observed = Setups.observed(
                    host, gpus, spec.shape(), hypervisor.start(spec).facts());
            assertEquals(List.of(), promised.differences(observed));
            assertFalse(promised.software().isEmpty(), promised::json);
            assertEquals(1, promised.devices().size(), promised::json);
        }
    }

    @Test
    void start_ofAnUnknownImage_isRefusedByName() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shapeOf("no-such-image"));
            var refused = assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(spec));
            assertTrue(String.valueOf(refused.getMessage()).contains("no-such-image"), refused::getMessage);
            assertEquals(List.of(), hypervisor.list());
        }
    }

    @Test
    void start_ofAnImageWithAWrongHash_isRefused() {
        try (Hypervisor hypervisor = open()) {
            VmSpec spec = spec(hypervisor, shapeOf(spoiledImage()));
            var refused = assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(spec));
            assertTrue(String.valueOf(refused.getMessage()).contains("SHA-256"), refused::getMessage);
            assertEquals(List.of(), hypervisor.list());
        }
    }

    @Test
    void start_withAGpuThatIsNotThere_isRefusedByAddress() {
        try (Hypervisor hypervisor = open()) {
            VmSpec good = spec(hypervisor, shape());
            var spec = new VmSpec(
                    good.id(), good.expires(), good.shape(), List.of(new PciAddress("00ab:cd:0e.7")), good.access());
            var refused = assertThrows(HypervisorException.Refused.class, () -> hypervisor.start(spec));
            assertTrue(String.valueOf(refused.getMessage()).contains("00ab:cd:0e.7"), refused::getMessage);
        }
    }

    @Test
    void destroyAndErase_ofNothing_succeed() {
        try (Hypervisor hypervisor = open()) {
            RentalId nobody = RentalId.random();
            hypervisor.destroy(nobody);
            hypervisor.erase(nobody);
        }
    }
}
