package org.computehive.server.bench;

import java.util.Arrays;

/** Two measurements that take turns. */
final class Rounds {
    private Rounds() {}

    /** Measures something once; the unit is the caller's. */
    @FunctionalInterface
    interface Measurement {
        double measure() throws Exception;
    }

    /** Does something that is timed. */
    @FunctionalInterface
    interface Work {
        void run() throws Exception;
    }

    /**
     * The medians of both sides.
     *
     * @param ours of ours
     * @param peer of the peer's
     */
    record Medians(double ours, double peer) {}

    /**
     * Measures both sides in turns, the one that goes first changing each round; {@code warmUp} rounds don't count.
     *
     * @param warmUp rounds that only warm up
     * @param count rounds that count
     */
    static Medians of(int warmUp, int count, Measurement ours, Measurement peer) throws Exception {
        double[] mine = new double[count];
        double[] theirs = new double[count];
        for (int round = -warmUp; round < count; round++) {
            boolean first = round % 2 == 0;
            double early = first ? ours.measure() : peer.measure();
            double late = first ? peer.measure() : ours.measure();
            if (round >= 0) {
                mine[round] = first ? early : late;
                theirs[round] = first ? late : early;
            }
        }
        return new Medians(median(mine), median(theirs));
    }

    /** Returns the seconds that something took by the monotonic clock. */
    static double seconds(Work work) throws Exception {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
