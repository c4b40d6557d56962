package org.computehive.market.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.computehive.market.matching.Selection.Choice;
import org.computehive.market.matching.Selection.Option;
import org.junit.jupiter.api.Test;

class SelectionTest {

    private static List<Option> random(Random random, int count, int requests, int lots, int span) {
        List<Option> options = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long start = random.nextInt(span);
            options.add(new Option(
                    random.nextInt(requests),
                    random.nextInt(lots),
                    start,
                    start + 1 + random.nextInt(span),
                    1 + random.nextInt(100)));
        }
        return options;
    }

    private static void check(List<Option> options, Choice choice, String message) {
        long sum = 0;
        for (int i : choice.options()) {
            sum += options.get(i).weight();
            for (int j : choice.options()) {
                assertFalse(i != j && options.get(i).conflicts(options.get(j)), message);
            }
        }
        assertEquals(sum, choice.weight(), message);
        assertTrue(choice.weight() <= choice.bound(), message);
        assertTrue(choice.bound() <= 2 * choice.weight(), message);
    }

    private static long bruteForce(List<Option> options, int next, List<Option> taken) {
        if (next == options.size()) {
            return taken.stream().mapToLong(Option::weight).sum();
        }
        long best = bruteForce(options, next + 1, taken);
        if (taken.stream().noneMatch(options.get(next)::conflicts)) {
            taken.addLast(options.get(next));
            best = Math.max(best, bruteForce(options, next + 1, taken));
            taken.removeLast();
        }
        return best;
    }

    @Test
    void best_ofFewOptions_isThatOfBruteForce() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 1_500; round++) {
            int requests = 1 + random.nextInt(5);
            int lots = 1 + random.nextInt(3);
            List<Option> options = random(random, random.nextInt(13), requests, lots, 10);
            Choice choice = Selection.best(options, requests, lots);
            String message = "seed " + seed + " round " + round;
            check(options, choice, message);
            assertEquals(bruteForce(options, 0, new ArrayList<>()), choice.weight(), message);
            assertEquals(choice.weight(), choice.bound(), message);
        }
    }

    @Test
    void best_ofManyOptions_isAtLeastHalfOfAnyAndEndsInTime() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 2; round++) {
            List<Option> options = random(random, 8_000, 200, 20, 2_000);
            Choice choice = assertTimeoutPreemptively(
                    Duration.ofSeconds(30), () -> Selection.best(options, 200, 20), "seed " + seed);
            check(options, choice, "seed " + seed);
            assertEquals(choice, Selection.best(options, 200, 20), "not deterministic, seed " + seed);
        }
    }
}
