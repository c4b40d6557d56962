package org.computehive.pricing.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.computehive.pricing.MadeUpMarket;
import org.computehive.pricing.Observation;
import org.junit.jupiter.api.Test;

class SplitTest {
    private static final List<Observation> ROWS = MadeUpMarket.rows(6);

    private static Set<String> of(List<Observation> rows, Function<Observation, String> group) {
        return rows.stream().map(group).collect(Collectors.toCollection(HashSet::new));
    }

    @Test
    void all_groups_neverStandOnBothSidesAndEveryRowIsAskedOnce() {
        List<Split> splits = Split.all(ROWS, 1);
        List<Function<Observation, String>> groups =
                List.of(Observation::offer, o -> o.gpu().name(), Observation::provider);
        for (int s = 0; s < groups.size(); s++) {
            int asked = 0;
            for (Split.Fold fold : splits.get(s).folds()) {
                assertTrue(Collections.disjoint(of(fold.train(), groups.get(s)), of(fold.test(), groups.get(s))));
                assertEquals(ROWS.size(), fold.train().size() + fold.test().size());
                asked += fold.test().size();
            }
            assertEquals(ROWS.size(), asked);
        }
    }

    @Test
    void byTime_nothingLearntIsNewerThanWhatIsAsked() {
        List<Split.Fold> folds = Split.byTime(ROWS);
        assertFalse(folds.isEmpty());
        for (Split.Fold fold : folds) {
            var newest = fold.train().stream().map(Observation::day).max(java.util.Comparator.naturalOrder());
            assertTrue(fold.test().stream().allMatch(row -> row.day().isAfter(newest.orElseThrow())));
        }
    }

    @Test
    void all_laterAndChanged_asksNoPriceThatItsOfferHasAskedBefore() {
        var held = new ArrayList<>(ROWS);
        Observation last = ROWS.getLast();
        held.add(new Observation(
                last.gpu(),
                last.provider(),
                last.tier(),
                last.gpuCount(),
                last.cpus(),
                last.memoryGib(),
                ROWS.get(ROWS.size() - 6).usdPerGpuHour(),
                last.day(),
                last.traits(),
                last.offer()));
        List<Split> splits = Split.all(held, 1);
        int later = splits.get(3).folds().getFirst().test().size();
        List<Observation> changed = splits.get(4).folds().getFirst().test();
        assertEquals(later - 1, changed.size());
        assertFalse(changed.contains(held.getLast()));
    }
}
