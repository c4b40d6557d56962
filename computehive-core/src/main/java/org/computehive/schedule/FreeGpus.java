package org.computehive.schedule;

import java.util.BitSet;
import java.util.function.IntPredicate;

/**
 * The gpus that are free in one window, as {@link FreeIndex} knew them when it was asked.
 *
 * <p>Most answers lie in two rows of bits; only a gpu that is booked in a part of the window's first or last quarter of an
 * hour, or a window beyond the index's rows, makes it look at that gpu's bookings. Thread-safe.
 */
public final class FreeGpus implements IntPredicate {
    private final long[] busy;
    private final long[] unsure;
    private final boolean allUnsure;
    private final IntPredicate exact;

    FreeGpus(long[] busy, long[] unsure, boolean allUnsure, IntPredicate exact) {
        this.busy = busy;
        this.unsure = unsure;
        this.allUnsure = allUnsure;
        this.exact = exact;
    }

    /** Returns whether a gpu is free in the whole window; a gpu that the index never heard of is. */
    @Override
    public boolean test(int gpu) {
        FreeIndex.checkGpu(gpu);
        if (Horizon.get(busy, gpu)) {
            return false;
        }
        return !(allUnsure || Horizon.get(unsure, gpu)) || exact.test(gpu);
    }

    /**
     * Returns the free ones among the first gpus.
     *
     * @param gpus how many gpus to look at, from 0 on
     */
    public BitSet among(int gpus) {
        var free = new BitSet(gpus);
        for (int gpu = 0; gpu < gpus; gpu++) {
            free.set(gpu, test(gpu));
        }
        return free;
    }
}
