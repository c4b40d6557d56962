package org.computehive.server.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What other escrows took for the same calls, as whole transactions in gas, and what we aim at. None of it is measured in
 * the run: these are figures of one measurement of each contract, compiled by solc 0.8.37 with via_ir, for an ERC-20 of
 * OpenZeppelin's and on a chain of the Cancun fork; {@code computehive-chain/CONTRACT.md} shows the same table.
 *
 * @param call what is done
 * @param others the peers that have such a call
 * @param goal what we aim at: the prototype's gas, and 2,500 more to open, for windows that are booked ahead
 * @param floor the least that an escrow with these promises can take, by adding up what the protocol charges for the
 *     transaction, its data, its storage, its log and its signature
 */
record GasPeers(String call, List<Other> others, int goal, OptionalInt floor) {
    private static final int BOOKED_WINDOWS = 2_500;

    private static final String NAIVE = "naive-struct";
    private static final String SABLIER = "sablier-lockup-4.0.1";
    private static final String COMMERCE = "coinbase-commerce-payments";

    static final GasPeers OPEN_FROM_WALLET =
            of("open-from-wallet", 272_274, 198_495, 98_416, 57_691 + BOOKED_WINDOWS, OptionalInt.empty());
    static final GasPeers OPEN_FROM_LEDGER =
            new GasPeers("open-from-ledger", List.of(), 43_286 + BOOKED_WINDOWS, OptionalInt.of(39_600));
    static final GasPeers OPEN_NATIVE = new GasPeers(
            "open-native", List.of(new Other(NAIVE, 234_730)), 37_722 + BOOKED_WINDOWS, OptionalInt.of(34_600));
    static final GasPeers SETTLE = of("settle", 61_183, 91_229, 56_884, 36_251, OptionalInt.of(35_200));
    static final GasPeers END_EARLY = of("end-early", 71_572, 173_247, 106_376, 41_272, OptionalInt.empty());
    static final GasPeers RECEIPT = new GasPeers("receipt", List.of(), 46_250, OptionalInt.empty());
    static final GasPeers DISPUTE =
            new GasPeers("dispute", List.of(new Other(NAIVE, 29_953)), 30_886, OptionalInt.empty());
    static final GasPeers RESOLVE =
            new GasPeers("resolve", List.of(new Other(NAIVE, 67_288)), 41_894, OptionalInt.empty());
    static final GasPeers SETTLE_EACH_OF_20 = new GasPeers("settle-each-of-20", List.of(), 11_536, OptionalInt.empty());
    static final GasPeers SETTLE_EACH_OF_100 =
            new GasPeers("settle-each-of-100", List.of(), 10_487, OptionalInt.empty());

    /** What one other escrow took. */
    record Other(String name, int gas) {}

    private static GasPeers of(String call, int naive, int sablier, int commerce, int goal, OptionalInt floor) {
        return new GasPeers(
                call,
                List.of(new Other(NAIVE, naive), new Other(SABLIER, sablier), new Other(COMMERCE, commerce)),
                goal,
                floor);
    }

    /**
     * Returns a figure for each column. A peer must be reached or beaten; of the floor, which nobody reaches, the goal
     * is a multiple.
     */
    List<Figure> figures(String bench, double ours) {
        var figures = new ArrayList<Figure>();
        figures.add(new Figure("%s/%s-of-the-goal-gas".formatted(bench, call), ours, goal, 1));
        for (Other other : others) {
            String name = other.name().replace('.', '-');
            figures.add(new Figure("%s/%s-of-%s-gas".formatted(bench, call, name), ours, other.gas(), 1));
        }
        floor.ifPresent(least -> figures.add(
                new Figure("%s/%s-of-the-floor-gas".formatted(bench, call), ours, least, (double) goal / least)));
        return figures;
    }

    /** Returns the row of the table for people. */
    String row(double ours) {
        var row = new StringBuilder("%-20s ours %,7.0f  goal %,7d".formatted(call, ours, goal));
        floor.ifPresent(least -> row.append("  floor %,7d".formatted(least)));
        others.forEach(other -> row.append("  %s %,7d".formatted(other.name(), other.gas())));
        return row.toString();
    }
}
