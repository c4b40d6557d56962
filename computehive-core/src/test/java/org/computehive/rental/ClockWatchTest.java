package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.computehive.rental.ClockWatch.Jump;
import org.junit.jupiter.api.Test;

class ClockWatchTest {
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private Instant wall = NOON;
    private long monotonic = -5;
    private final List<Jump> jumps = new ArrayList<>();
    private final ClockWatch watch = new ClockWatch(() -> wall, () -> monotonic, Duration.ofSeconds(2), jumps::add);

    private void pass(Duration byWall, Duration byMonotonic) {
        wall = wall.plus(byWall);
        monotonic += byMonotonic.toNanos();
        watch.look();
    }

    @Test
    void clocksThatAgree_areNoJump_howeverLongALookTakes() {
        pass(Duration.ofSeconds(1), Duration.ofSeconds(1));
        pass(Duration.ofHours(9), Duration.ofHours(9));
        pass(Duration.ZERO, Duration.ZERO);
        assertEquals(List.of(), jumps);
    }

    @Test
    void differenceUpToTheLimit_isNoJump_evenIfItAddsUp() {
        for (int i = 0; i < 10; i++) {
            pass(Duration.ofSeconds(3), Duration.ofSeconds(1));
        }
        assertEquals(List.of(), jumps);
    }

    @Test
    void clockSetForward_orAMachineThatSlept_isNoticedOnce() {
        pass(Duration.ofSeconds(3601), Duration.ofSeconds(1));
        pass(Duration.ofSeconds(1), Duration.ofSeconds(1));
        assertEquals(List.of(new Jump(NOON.plusSeconds(1), NOON.plusSeconds(3601))), jumps);
        assertEquals(Duration.ofHours(1), jumps.getFirst().length());
    }

    @Test
    void clockSetBack_isNoticedOnce() {
        pass(Duration.ofSeconds(-59), Duration.ofSeconds(1));
        pass(Duration.ofSeconds(1), Duration.ofSeconds(1));
        assertEquals(
                List.of(Duration.ofMinutes(-1)),
                jumps.stream().map(Jump::length).toList());
    }
}
