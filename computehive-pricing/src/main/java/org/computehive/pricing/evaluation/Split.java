package org.computehive.pricing.evaluation;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.computehive.pricing.Observation;

/**
 * A way to divide observations: what a model learns from and what it is asked. Immutable.
 *
 * <p>In all but the split by time, rows of one group, such as one offer with all its samples, stand on one side. In the
 * split by time, nothing that a model learns from is newer than what it is asked.
 *
 * @param name what stands aside
 * @param folds the divisions; every one is a fit of its own
 */
record Split(String name, List<Fold> folds) {
    private static final int FOLDS = 8;
    private static final double LEAST_NEWER = .2;
    private static final int LEAST_LEARNT = 100;

    Split {
        folds = List.copyOf(folds);
    }

    /** What a model learns from, and what it is asked. */
    record Fold(List<Observation> train, List<Observation> test) {
        Fold {
            train = List.copyOf(train);
            test = List.copyOf(test);
        }
    }

    /** The four: offers, gpus, providers and later days; and of the last, the prices that changed. */
    static List<Split> all(List<Observation> rows, long seed) {
        List<Fold> later = byTime(rows);
        return List.of(
                new Split("offer", byGroup(rows, Observation::offer, seed)),
                new Split("unseen gpu", byGroup(rows, o -> o.gpu().name(), seed)),
                new Split("unseen provider", byGroup(rows, Observation::provider, seed)),
                new Split("later in time", later),
                new Split("later and changed", changed(later)));
    }

    static List<Fold> byGroup(List<Observation> rows, Function<Observation, String> group, long seed) {
        var names = new ArrayList<>(new TreeSet<>(rows.stream().map(group).toList()));
        Collections.shuffle(names, new Random(seed));
        Map<String, Integer> fold = new HashMap<>();
        for (int i = 0; i < names.size(); i++) {
            fold.put(names.get(i), i % FOLDS);
        }
        var folds = new ArrayList<Fold>();
        for (int f = 0; f < Math.min(FOLDS, names.size()); f++) {
            int out = f;
            folds.add(new Fold(
                    rows.stream()
                            .filter(row -> fold.getOrDefault(group.apply(row), -1) != out)
                            .toList(),
                    rows.stream()
                            .filter(row -> fold.getOrDefault(group.apply(row), -1) == out)
                            .toList()));
        }
        return folds.stream()
                .filter(f -> !f.test().isEmpty() && f.train().size() >= LEAST_LEARNT)
                .toList();
    }

    /**
     * Each source (the layouts) that has several days is cut where at least a fifth of its rows is newer; those are
     * asked, and everything up to the day of the cut, of all sources, is learnt. Newer rows of offers that
     * were not seen by then are left to the other splits: this one asks what a known offer costs later.
     */
    static List<Fold> byTime(List<Observation> rows) {
        var sources = new TreeMap<String, List<Observation>>();
        rows.forEach(row ->
                sources.computeIfAbsent(source(row), name -> new ArrayList<>()).add(row));
        var folds = new ArrayList<Fold>();
        sources.forEach((name, of) -> {
            var days = new TreeSet<>(of.stream().map(Observation::day).toList()).descendingSet();
            for (LocalDate day : days) {
                List<Observation> newer =
                        of.stream().filter(row -> row.day().isAfter(day)).toList();
                if (newer.size() >= LEAST_NEWER * of.size()) {
                    List<Observation> older =
                            rows.stream().filter(row -> !row.day().isAfter(day)).toList();
                    var offers =
                            new TreeSet<>(older.stream().map(Observation::offer).toList());
                    List<Observation> known = newer.stream()
                            .filter(row -> offers.contains(row.offer()))
                            .toList();
                    if (older.size() >= LEAST_LEARNT && !known.isEmpty()) {
                        folds.add(new Fold(older, known));
                    }
                    break;
                }
            }
        });
        return folds;
    }

    /** Leaves prices out that their offer has asked before: most prices hold, and a model that says so looks good. */
    private static List<Fold> changed(List<Fold> later) {
        return later.stream()
                .map(fold -> {
                    Set<Asked> before = fold.train().stream().map(Asked::of).collect(Collectors.toSet());
                    return new Fold(
                            fold.train(),
                            fold.test().stream()
                                    .filter(row -> !before.contains(Asked.of(row)))
                                    .toList());
                })
                .filter(fold -> !fold.test().isEmpty())
                .toList();
    }

    private record Asked(String offer, double usdPerGpuHour) {
        static Asked of(Observation row) {
            return new Asked(row.offer(), row.usdPerGpuHour());
        }
    }

    private static String source(Observation row) {
        String layout = row.offer().substring(0, Math.max(0, row.offer().indexOf('/')));
        return row.traits().contains("lowest") ? layout + " lowest" : layout;
    }
}
