package org.computehive.server.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import org.computehive.market.ListingQuery;
import org.computehive.market.search.FreeWindow;
import org.computehive.market.search.ListingIndex;

/**
 * The index that searches a market of 100,000 gpus and a million bookings, beside a scan of the lots by price with a
 * TreeMap of bookings for each: how long a query takes, and how much memory.
 */
final class SearchIndex implements Benchmark {
    private static final int QUERIES = 3_000;
    private static final int WARM_UPS = 2;
    private static final int ROUNDS = 3;
    private static final double GOAL_SECONDS = 0.001;
    private static final double NO_WORSE = 1;
    private static final double MEGABYTE = 1e6;

    @Override
    public String name() {
        return "search";
    }

    @Override
    public String about() {
        return "100,000 gpus, a million bookings: the index against lots by price with a TreeMap each, and against 1 ms";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        long seed = Long.getLong("computehive.seed", new Random().nextLong());
        progress.accept("seed %d (computehive.seed repeats it)".formatted(seed));
        var market = new SearchMarket(seed);
        int gpus = market.offers().stream()
                .mapToInt(offer -> offer.devices().size())
                .sum();
        progress.accept("%d gpus in %d lots".formatted(gpus, market.offers().size()));

        long empty = usedBytes();
        var peer = new SearchPeer(market.offers());
        market.book(
                seed,
                (lot, booking, held) ->
                        peer.book(lot, held.values().iterator().next().getFirst()));
        long peerBytes = usedBytes() - empty;

        long before = usedBytes();
        var index = new ListingIndex(SearchMarket.NOW);
        double listing = Rounds.seconds(() -> index.put(market.offers()));
        double booking = Rounds.seconds(() -> market.book(seed, (lot, number, held) -> index.book(number, held)));
        long ourBytes = usedBytes() - before;
        progress.accept("%d bookings of lots; listings taken in in %.1f s, bookings in %.1f s"
                .formatted(index.bookings(), listing, booking));
        progress.accept("memory: index %.0f MB (rows and bookings %.0f MB), peer %.0f MB"
                .formatted(ourBytes / MEGABYTE, index.bytes() / MEGABYTE, peerBytes / MEGABYTE));

        List<ListingQuery> queries = new ArrayList<>();
        for (int i = 0; i < QUERIES; i++) {
            queries.add(market.query());
        }
        Times times = measure(queries, query -> find(index, query), peer::find);
        progress.accept("index p50 %.0f us, p99 %.0f us, worst %.0f us"
                .formatted(times.ours(0.5) * 1e6, times.ours(0.99) * 1e6, times.ours(1) * 1e6));
        progress.accept("index, processor time: p50 %.0f us, p99 %.0f us, worst %.0f us"
                .formatted(times.ourCpu(0.5) * 1e6, times.ourCpu(0.99) * 1e6, times.ourCpu(1) * 1e6));
        progress.accept("peer  p50 %.0f us, p99 %.0f us, worst %.0f us"
                .formatted(times.peer(0.5) * 1e6, times.peer(0.99) * 1e6, times.peer(1) * 1e6));
        return List.of(
                new Figure("search/p50-seconds", times.ours(0.5), times.peer(0.5), NO_WORSE),
                new Figure("search/p99-seconds", times.ours(0.99), times.peer(0.99), NO_WORSE),
                new Figure("search/p99-against-1-ms-seconds", times.ours(0.99), GOAL_SECONDS, NO_WORSE),
                new Figure("search/p99-cpu-against-1-ms-seconds", times.ourCpu(0.99), GOAL_SECONDS, NO_WORSE),
                new Figure("search/memory-megabytes", ourBytes / MEGABYTE, peerBytes / MEGABYTE, NO_WORSE));
    }

    private static List<FreeWindow> find(ListingIndex index, ListingQuery query) {
        List<FreeWindow> found = new ArrayList<>();
        Iterator<FreeWindow> hints = index.find(query, SearchMarket::reputation);
        while (found.size() < query.answers() && hints.hasNext()) {
            found.add(hints.next());
        }
        return found;
    }

    /** Both answer every query in turns; that they find the same is checked, or there is nothing to compare. */
    private static Times measure(
            List<ListingQuery> queries,
            Function<ListingQuery, List<FreeWindow>> ours,
            Function<ListingQuery, List<FreeWindow>> peer) {
        double[] mine = new double[queries.size() * ROUNDS];
        double[] theirs = new double[queries.size() * ROUNDS];
        double[] cpu = new double[queries.size() * ROUNDS];
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (int round = -WARM_UPS; round < ROUNDS; round++) {
            for (int i = 0; i < queries.size(); i++) {
                ListingQuery query = queries.get(i);
                long cpuBefore = threads.getCurrentThreadCpuTime();
                long begin = System.nanoTime();
                List<FreeWindow> found = ours.apply(query);
                long middle = System.nanoTime();
                long cpuAfter = threads.getCurrentThreadCpuTime();
                long again = System.nanoTime();
                List<FreeWindow> expected = peer.apply(query);
                long end = System.nanoTime();
                check(query, found, expected);
                if (round >= 0) {
                    mine[round * queries.size() + i] = (middle - begin) / 1e9;
                    theirs[round * queries.size() + i] = (end - again) / 1e9;
                    cpu[round * queries.size() + i] = (cpuAfter - cpuBefore) / 1e9;
                }
            }
        }
        Arrays.sort(mine);
        Arrays.sort(theirs);
        Arrays.sort(cpu);
        return new Times(mine, theirs, cpu);
    }

    /** At one price they may name different lots, since the index puts the earliest first; the prices are the same. */
    private static void check(ListingQuery query, List<FreeWindow> found, List<FreeWindow> expected) {
        Function<FreeWindow, Object> compared = query.isExact() ? FreeWindow::listing : FreeWindow::total;
        if (!found.stream()
                .map(compared)
                .toList()
                .equals(expected.stream().map(compared).toList())) {
            throw new IllegalStateException("the index and the peer answer differently to " + query);
        }
    }

    private static long usedBytes() {
        Runtime runtime = Runtime.getRuntime();
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
        }
        return used;
    }

    /** Seconds for each query, sorted. */
    private record Times(double[] mine, double[] theirs, double[] cpu) {
        /** Processor time: what a machine that is busy with other things does not stretch. */
        double ourCpu(double share) {
            return at(cpu, share);
        }

        double ours(double share) {
            return at(mine, share);
        }

        double peer(double share) {
            return at(theirs, share);
        }

        private static double at(double[] sorted, double share) {
            return sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
        }
    }
}
