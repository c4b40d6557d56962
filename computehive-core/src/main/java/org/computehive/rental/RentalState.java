package org.computehive.rental;

import java.util.EnumSet;
import java.util.Set;

/**
 * Where a rental stands.
 *
 * <pre>{@code
 * RESERVED --> FUNDED --> STARTING <--> ACTIVE --> ENDING --> ENDED ------> SETTLED
 *  |    |       |  |       |    |                    ^        ^  |           ^   ^
 *  |    |       |  |       |    +--------------------+        |  |           |   |
 *  |    |       |  +-------+----> FAILED ---------------------+  v           |   |
 *  |    |       |                                              DISPUTED -----+   |
 *  |    v       v                                                 ^              |
 *  v    CANCELLED ------------------------------------------------+--------------+
 * EXPIRED
 * }</pre>
 *
 * <p>What leads where; whatever else happens leaves a rental where it stands.
 *
 * <pre>{@code
 * RESERVED   the deposit is seen                                     FUNDED
 *            the hold ran out and nobody opened the escrow           EXPIRED
 *            a party called it off before the lender signed          CANCELLED
 * FUNDED     the lead time begins                                    STARTING
 *            the renter calls it off, the lender gives all back,
 *            or takes its gpus back before the start                 CANCELLED
 *            it can't start                                          FAILED
 * STARTING   the session is proved to be usable                      ACTIVE
 *            it could not start anywhere in time                     FAILED
 *            it is ended, or is not found again after it was lost    ENDING
 * ACTIVE     the VM or its host is lost: another place is sought     STARTING
 *            its end comes, a party or an operator ends it,
 *            its renter never comes, or its escrow is closed         ENDING
 * FAILED,    access is cut, and all that was made is gone from
 * ENDING     where it was placed last, or could not be taken down
 *            for so long that only a host is waited for              ENDED
 * ENDED,     a party disputes what is paid                           DISPUTED
 * CANCELLED  every escrow of it is closed                            SETTLED
 * DISPUTED   every escrow of it is closed                            SETTLED
 * }</pre>
 *
 * <p>While it is STARTING, places can be given up and others taken as often as the policy allows. A cancelled rental whose
 * escrow was never funded stays CANCELLED.
 */
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
    /**
     * All of that was observed; or access was cut, and the rest failed for {@link RentalPolicy.Recovery#teardownLimit}: then
     * the gpus stay quarantined until it is done.
     */
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
