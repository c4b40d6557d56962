package org.computehive.demand;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DemandStateTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final long SEED = Long.getLong("computehive.seed", 1);

    private static DemandSignals signals(Instant until, double utilisation, long searches, long foundNothing) {
        return new DemandSignals(until, utilisation, searches, foundNothing, 0, Duration.ZERO);
    }

    @Test
    void next_anySignals_movesAtMostTheLimitInADay() {
        var random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            DemandState state = DemandState.neutral(START);
            Duration step = Duration.ofMinutes(1 + random.nextInt(1_440));
            for (int i = 0; i < 200; i++) {
                DemandState next =
                        state.next(signals(state.at().plus(step), random.nextDouble(), 10, random.nextInt(11)));
                double days = step.toMinutes() / 1_440.;
                double moved = next.multiplier() / state.multiplier();
                assertTrue(
                        moved <= Math.pow(1.1, days) + 1e-9 && moved >= Math.pow(.9, days) - 1e-9,
                        () -> "seed " + SEED + ": " + step);
                assertTrue(next.multiplier() >= DemandState.LEAST && next.multiplier() <= DemandState.MOST);
                state = next;
            }
        }
    }

    @Test
    void next_afterALongGap_movesAtMostOneDaysLimit() {
        DemandState later = DemandState.neutral(START).next(signals(START.plus(Duration.ofDays(400)), 0, 0, 0));
        assertTrue(later.multiplier() >= .9, later::toString);
    }

    @Test
    void next_smallChange_isNotFollowed() {
        DemandState state = DemandState.neutral(START).next(signals(START.plus(Duration.ofDays(1)), .81, 0, 0));
        assertEquals(1, state.multiplier());
    }

    @Test
    void next_searchesThatFoundNothing_raise() {
        Instant later = START.plus(Duration.ofDays(1));
        DemandState full = DemandState.neutral(START).next(signals(later, 1, 100, 90));
        DemandState enough = DemandState.neutral(START).next(signals(later, 1, 100, 0));
        assertTrue(full.smoothedUtilisation() > enough.smoothedUtilisation());
        assertTrue(full.multiplier() > 1, full::toString);
    }

    @Test
    void next_olderSignals_areRefused() {
        DemandState state = DemandState.neutral(START);
        assertThrows(IllegalArgumentException.class, () -> state.next(signals(START.minusSeconds(1), .5, 0, 0)));
    }

    @Test
    void signals_outOfRange_areRefused() {
        assertThrows(IllegalArgumentException.class, () -> signals(START, Double.NaN, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> signals(START, -.1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> signals(START, 1.1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> signals(START, .5, 1, 2));
        assertThrows(IllegalArgumentException.class, () -> new DemandSignals(START, .5, 0, 0, 1, Duration.ofHours(-1)));
    }
}
