package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Whole engines under random commands of several parties, random faults of every port, random steps of the clock and deaths
 * of the process at random calls: every promise holds at every step, and once all is well again every rental comes to its
 * end. A failure names its seed: {@code -Dcomputehive.seed=...} runs it again, {@code -Dcomputehive.runs=...} more of them.
 * Without one the lives are the same each time, so that a build fails by a change and not by luck; to hunt, give another.
 */
class RentalEngineModelTest {
    private static final int RUNS = Integer.getInteger("computehive.runs", 100);
    private static final int STEPS = 150;

    private final long seed = Long.getLong("computehive.seed", 1);

    /** What no port throws here: whoever does has a fault of its own. */
    private static final Pattern FAULT_OF_ITS_OWN =
            Pattern.compile("(?m)^(Caused by: )?java\\.(lang|util)\\.[A-Za-z.]+(Exception|Error).*");

    private final PrintStream errors = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    /** Every fault is logged, and here there are thousands. */
    @BeforeEach
    void silence() {
        System.setErr(new PrintStream(said, false, StandardCharsets.UTF_8));
    }

    @AfterEach
    void speak() {
        System.setErr(errors);
    }

    @Test
    void engine_underRandomCommandsFaultsAndDeaths_keepsEveryPromise_andBringsEveryRentalToItsEnd() {
        System.out.println("RentalEngineModelTest: computehive.seed=" + seed + ", " + RUNS + " runs");
        var seen = new ModelTally();
        for (int i = 0; i < RUNS; i++) {
            long one = seed + i;
            var world = new ModelWorld(new Random(one), ModelRun.POLICY);
            try (world) {
                new ModelRun(world, new Random(one * 31 + 7)).run(STEPS);
                checkLogs();
                seen.add(world);
            } catch (RuntimeException | AssertionError e) {
                List<String> story = world.story;
                String why = "with -Dcomputehive.seed=%d -Dcomputehive.runs=1: %s".formatted(one, e.getMessage());
                // First and last, whichever of them a reader's tool keeps.
                throw new AssertionError(
                        "%s%n%s%n%s"
                                .formatted(
                                        why,
                                        String.join("\n", story.subList(Math.max(0, story.size() - 100), story.size())),
                                        why),
                        e);
            }
        }
        System.out.println("RentalEngineModelTest: " + seen);
        if (RUNS >= 100) {
            // A model that never gets anywhere would prove nothing.
            assertEquals(List.of(), seen.unseen(), "never came about in " + RUNS + " runs");
            assertTrue(seen.kills > RUNS && seen.failures > RUNS, seen.toString());
        }
    }

    @Test
    void oneSeed_again_isTheSameLife() {
        for (long one = 1; one <= 3; one++) {
            assertEquals(life(one), life(one), "seed " + one);
        }
    }

    /** Accounts are of keys that no seed makes. */
    private static List<String> life(long seed) {
        try (var world = new ModelWorld(new Random(seed), ModelRun.POLICY)) {
            new ModelRun(world, new Random(seed * 31 + 7)).run(60);
            return world.story.stream()
                    .map(line -> line.replaceAll("0x[0-9a-f]{40,}", "0x"))
                    .toList();
        }
    }

    /** A fault that the engine outlives shows in its log alone. */
    private void checkLogs() {
        System.err.flush();
        Matcher fault = FAULT_OF_ITS_OWN.matcher(said.toString(StandardCharsets.UTF_8));
        if (fault.find()) {
            int from = fault.start();
            throw new AssertionError("the engine logged " + fault.group().strip()
                    + said.toString(StandardCharsets.UTF_8)
                            .substring(from)
                            .lines()
                            .limit(12)
                            .collect(Collectors.joining("\n", "\n", "")));
        }
        said.reset();
    }

    /** What came about over all runs. */
    private static final class ModelTally {
        private final Map<String, Integer> kinds = new TreeMap<>();
        private int rentals;
        private int kills;
        private int failures;

        void add(ModelWorld world) {
            kills += world.kills;
            failures += world.failures;
            for (Rental rental : world.all()) {
                rentals++;
                world.store
                        .history(rental.id())
                        .forEach(recorded -> kinds.merge(EventCodec.name(recorded.event()), 1, Integer::sum));
            }
        }

        /** Every kind of event but those that no command leads to. */
        List<String> unseen() {
            var missing = new ArrayList<String>();
            for (String kind : List.of(
                    "reserved",
                    "expired",
                    "funded",
                    "cancelled",
                    "activated",
                    "interrupted",
                    "placed",
                    "reclaim",
                    "stuck",
                    "resumed",
                    "start-failed",
                    "extension-funded",
                    "end-moved",
                    "ended-by-operator",
                    "disputed",
                    "release-signed",
                    "settled")) {
                if (kinds.keySet().stream()
                        .noneMatch(name -> name.toLowerCase(Locale.ROOT).contains(kind))) {
                    missing.add(kind);
                }
            }
            return missing;
        }

        @Override
        public String toString() {
            return "%d rentals, %d deaths, %d failed calls, %s".formatted(rentals, kills, failures, kinds);
        }
    }
}
