package org.computehive.rental;

import java.util.EnumSet;
import java.util.Set;

/** Where a rental stands. */
public enum RentalState {
    /** The gpus are held; the escrow is not yet funded. */
    RESERVED,
    /** The hold ran out before the escrow was funded. */
    EXPIRED,
    /** The escrow event has its confirmations. */
    FUNDED,
    /** Called off before the start. */
    CANCELLED,
    /** Keys, overlay and VM are being made. */
    STARTING,
    /** It could not start; what was made is being taken down and the deposit goes back. */
    FAILED,
    /** The session is usable; the meter runs. */
    ACTIVE,
    /** Access is being cut, then the VM destroyed, the disk key erased, the gpus turned over. */
    ENDING,
    /** All of that was observed. */
    ENDED,
    /** An arbiter decides what is paid. */
    DISPUTED,
    /** The chain says who got what. */
    SETTLED;

    private static final Set<RentalState> OVER = EnumSet.of(EXPIRED, SETTLED);

    /** Returns whether nothing can follow. A cancelled rental may still be refunded. */
    public boolean isOver() {
        return OVER.contains(this);
    }
}
