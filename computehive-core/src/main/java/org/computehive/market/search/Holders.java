package org.computehive.market.search;

import org.jspecify.annotations.Nullable;

/**
 * Which gpus each booking has, by their numbers: a hash table with open addressing (Knuth, vol. 3, 6.4, algorithm L and its
 * deletion R), since a million small objects would take more memory than what they say. For one thread at a time.
 */
final class Holders {
    private static final int[] NONE = {};
    private long[] keys = new long[64];
    private int[] @Nullable [] values = new int[64][];
    private int size;

    /** Returns a booking's gpus. */
    int[] of(long booking) {
        int[] found = values[slot(booking)];
        return found == null ? NONE : found;
    }

    /** Says which gpus a booking has; none forgets it. */
    void put(long booking, int[] gpus) {
        int slot = slot(booking);
        boolean known = values[slot] != null;
        if (gpus.length == 0) {
            if (known) {
                remove(slot);
            }
            return;
        }
        keys[slot] = booking;
        values[slot] = gpus;
        if (!known && ++size > keys.length / 3 * 2) {
            grow();
        }
    }

    private int slot(long booking) {
        int slot = home(booking);
        while (values[slot] != null && keys[slot] != booking) {
            slot = next(slot);
        }
        return slot;
    }

    private int home(long booking) {
        // Fibonacci hashing: bookings may be numbered in a row.
        return (int) (booking * 0x9E3779B97F4A7C15L >>> Long.numberOfLeadingZeros(keys.length) + 1);
    }

    private int next(int slot) {
        return slot + 1 & keys.length - 1;
    }

    /** Closes the gap, so that no search ends at it too early. */
    private void remove(int removed) {
        int gap = removed;
        int slot = next(gap);
        while (values[slot] != null) {
            int home = home(keys[slot]);
            boolean reachesOverGap = gap <= slot ? home <= gap || home > slot : home <= gap && home > slot;
            if (reachesOverGap) {
                keys[gap] = keys[slot];
                values[gap] = values[slot];
                gap = slot;
            }
            slot = next(slot);
        }
        values[gap] = null;
        size--;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] @Nullable [] oldValues = values;
        keys = new long[oldKeys.length * 2];
        values = new int[oldKeys.length * 2][];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldValues[i] != null) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }

    int size() {
        return size;
    }

    /** Returns about how many bytes the table takes, without the lists of gpus. */
    long bytes() {
        return keys.length * 12L;
    }
}
