package org.computehive.market;

import java.time.Instant;

/**
 * Whether a gpu may be rented, as its last turnover left it.
 *
 * @param gpu the device
 * @param state whether it may be rented
 * @param why what was found
 * @param since when it was found
 */
public record GpuCondition(GpuId gpu, State state, String why, Instant since) {
    /** Whether a gpu may be rented. */
    public enum State {
        /** It may. */
        AVAILABLE,
        /** It may not until an operator releases it. */
        QUARANTINED
    }
}
