package org.computehive.rental;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GuestPlatform;
import org.computehive.market.PciAddress;

/**
 * Runs the VMs of one host.
 *
 * <p>Every call is idempotent by rental id and may be repeated after a crash at any instant: {@link #start} of a VM that
 * already runs returns it, {@link #destroy} and {@link #erase} of nothing succeed. Implementations are thread-safe; calls
 * for different rentals run side by side.
 *
 * <h2>Security guarantees</h2>
 *
 * No value of a {@link VmSpec} ever reaches a shell; XML and argument lists are built from types. The disk key is made
 * by the implementation, never leaves it, and is gone after {@link #erase}.
 */
public interface Hypervisor extends AutoCloseable {

    /**
     * Reads what the host has.
     *
     * @throws HypervisorException if the host can't be read
     */
    Inventory inventory();

    /**
     * Returns when the platform itself ended a rental's VM, if it did so other than by {@link #destroy}: such as a private
     * libvirt that was closed with the program that ran it. The lender doesn't answer for that. Forgotten by {@link #erase}.
     */
    default Optional<Instant> endedByPlatform(RentalId id) {
        return Optional.empty();
    }

    /**
     * Returns when a rental's guest was turned off or restarted from inside, which ends its VM: by its renter, or because the
     * host pressed its power button, which looks the same from outside. So it is known that neither its host nor its process
     * failed, and not who did it. Empty where nobody was watching then. Forgotten by {@link #erase}.
     */
    default Optional<Instant> guestTurnedOff(RentalId id) {
        return Optional.empty();
    }

    /**
     * Makes the encrypted overlay and everything else that can be made while another session still has the gpus. Optional:
     * {@link #start} does it where it was not done.
     *
     * @throws HypervisorException if it can't be made; nothing is left behind then
     */
    void prepare(VmSpec spec);

    /**
     * Starts the VM and returns once its guest says it is ready for SSH, or returns it if it runs already.
     *
     * @throws HypervisorException if it did not become ready; the VM and all that belongs to it are gone then
     */
    RunningVm start(VmSpec spec);

    /**
     * Starts a confidential VM, or finds the one that runs, and returns what its guest shows of itself. The guest has no
     * certificate and no disk key then, and lets nobody in. May be asked again, with another challenge.
     *
     * @param spec what to start; its access {@link VmSpec.GuestAccess#isConfidential is confidential}
     * @param challenge what the guest is told and asked
     * @throws HypervisorException.Refused if this host can't run confidential guests
     * @throws HypervisorException if the guest did not answer; the VM and all that belongs to it are gone then
     */
    default Evidence attest(VmSpec spec, Challenge challenge) {
        throw new HypervisorException.Refused(
                "this hypervisor runs no confidential guests: list its gpus as ISOLATED", null);
    }

    /**
     * Hands a guest that has proved itself its release, and returns once it says that it is ready for SSH. A guest that has
     * had its release keeps that one.
     *
     * @param id a rental whose guest was {@link #attest asked}
     * @param sealed what only that guest can open: see {@link GuestRelease}
     * @throws HypervisorException.Refused if this host can't run confidential guests, or no such VM runs
     * @throws HypervisorException if it did not become ready; the VM and all that belongs to it are gone then
     */
    default RunningVm release(RentalId id, String sealed) {
        throw new HypervisorException.Refused(
                "this hypervisor runs no confidential guests: list its gpus as ISOLATED", null);
    }

    /**
     * Writes another end of its window to a running VM's metadata, later or earlier than before. Nothing else changes: the
     * one who called {@link #start} destroys the VM when its time is over.
     *
     * @param id a rental whose VM runs
     * @param expires the end of its window from now on
     * @return the VM, which says the new end
     * @throws HypervisorException.Refused if no such VM runs
     * @throws HypervisorException if it could not be written; call again
     */
    RunningVm expire(RentalId id, Instant expires);

    /**
     * Destroys the VM at once and observes that its process is gone.
     *
     * @return what was observed
     * @throws HypervisorException if the VM could not be seen to be gone; call again
     */
    Teardown destroy(RentalId id);

    /**
     * Makes the session's disk unreadable for good, then deletes it: key, key store, overlay, seed, logs. Only after
     * {@link #destroy}.
     *
     * @return what was observed
     * @throws HypervisorException if something is left or the VM still runs; call again
     */
    Teardown erase(RentalId id);

    /**
     * Readies gpus for the next session: reset, wipe, health check.
     *
     * @param id the rental that just ended
     * @param gpus its devices
     * @return per device what became of it, in the order given
     */
    List<Turnover> turnOver(RentalId id, List<PciAddress> gpus);

    /**
     * Lists the VMs that carry ComputeHive's metadata, running or paused.
     *
     * @throws HypervisorException if they can't be listed: unknown, not none
     */
    List<RunningVm> list();

    /** Lets go of connections; VMs run on. */
    @Override
    void close();

    /**
     * What a host has.
     *
     * @param cpus processors that guests may use together
     * @param memoryMiB memory that guests may use together, in MiB
     * @param gpus devices; those that can't be passed through say why
     * @param acceleration {@code kvm}, or {@code tcg} for software emulation
     * @param assurance the most that can honestly be promised here
     * @param platform what guests run on
     */
    record Inventory(
            int cpus, int memoryMiB, List<Gpu> gpus, String acceleration, Assurance assurance, GuestPlatform platform) {
        /** Copies the list. */
        public Inventory {
            gpus = List.copyOf(gpus);
        }
    }

    /**
     * A VM as its host sees it.
     *
     * @param id the rental it belongs to, from its metadata
     * @param ssh where the gateway reaches its SSH server
     * @param expires the end of its window, from its metadata
     * @param facts what it really runs on: {@code image}, {@code NAME sha256} for each part of it, {@code NAME version} for
     *     software, {@code network}, {@code gpus}; every other one is the machine's layout
     */
    record RunningVm(RentalId id, InetSocketAddress ssh, Instant expires, Map<String, String> facts) {
        /** Copies the facts. */
        public RunningVm {
            facts = Map.copyOf(facts);
        }
    }

    /**
     * What was observed while something was taken down, such as {@code process gone → true}.
     *
     * @param facts each fact and how it was seen
     */
    record Teardown(Map<String, String> facts) {
        /** Copies the facts. */
        public Teardown {
            facts = Map.copyOf(facts);
        }
    }

    /**
     * What became of a gpu after a session.
     *
     * @param gpu the device
     * @param available whether the next session may have it; otherwise it is quarantined
     * @param why what was done, or why it is quarantined
     */
    record Turnover(PciAddress gpu, boolean available, String why) {}
}
