package org.computehive.market;

import java.util.List;

/**
 * A machine of a lender's that runs VMs, as its inventory was last read.
 *
 * @param id its name
 * @param lender who owns it
 * @param cpus how many processors guests may use together
 * @param memoryMiB how much memory guests may use together, in MiB
 * @param gpus its devices
 * @param acceleration how guests run: {@code kvm}, or {@code tcg} for software emulation
 * @param assurance the most that its listings can promise
 * @param platform what its guests run on
 */
public record Host(
        HostId id,
        Account lender,
        int cpus,
        int memoryMiB,
        List<Gpu> gpus,
        String acceleration,
        Assurance assurance,
        GuestPlatform platform) {
    /** Copies the list. */
    public Host {
        gpus = List.copyOf(gpus);
        if (cpus < 1 || memoryMiB < 1) {
            throw new IllegalArgumentException(
                    "host %s has %d cpus and %d MiB: both must be positive".formatted(id, cpus, memoryMiB));
        }
    }
}
