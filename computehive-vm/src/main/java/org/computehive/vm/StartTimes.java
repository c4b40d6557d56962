package org.computehive.vm;

import java.time.Duration;

/**
 * Where the time of a VM's start went.
 *
 * @param untilFirstInstruction from the call of {@code start} until the VM's processors ran: ours
 * @param making how much of that libvirt and QEMU took to make the VM
 * @param guestBoot from then until its guest said that it is ready: the guest's own
 * @param afterReady from then until {@code start} returned: ours
 */
public record StartTimes(Duration untilFirstInstruction, Duration making, Duration guestBoot, Duration afterReady) {

    /** Returns our part, with what libvirt and QEMU took to make the VM. */
    public Duration ours() {
        return untilFirstInstruction.plus(afterReady);
    }
}
