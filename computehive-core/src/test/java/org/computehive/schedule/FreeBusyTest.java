package org.computehive.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FreeBusyTest {
    private static final Instant NOON = Instant.parse("2027-03-01T12:00:00Z");
    private static final CalendarUser OWNER = new CalendarUser(URI.create("urn:test"), "test");

    private static Window minutes(int from, int to) {
        return new Window(NOON.plusSeconds(from * 60L), NOON.plusSeconds(to * 60L));
    }

    private static FreeBusy of(List<Window> taken, List<Window> held) {
        return FreeBusy.of("uid", OWNER, "comment", minutes(0, 100), taken, held);
    }

    @Test
    void of_windowsThatOverlapTouchOrNest_mergesThem() {
        FreeBusy one = of(
                List.of(minutes(30, 40), minutes(10, 20), minutes(20, 30), minutes(35, 60), minutes(11, 12)),
                List.of());
        assertEquals(List.of(minutes(10, 60)), one.busy());
        assertEquals(List.of(), one.tentative());
    }

    @Test
    void of_windowsThatReachOutOfTheRange_clipsThem() {
        FreeBusy one = of(List.of(minutes(-50, 5), minutes(-9, 0), minutes(90, 200), minutes(100, 110)), List.of());
        assertEquals(List.of(minutes(0, 5), minutes(90, 100)), one.busy());
        assertEquals(
                List.of(minutes(0, 100)),
                of(List.of(minutes(-1, 101)), List.of()).busy());
    }

    @Test
    void of_whatIsBothTakenAndHeld_isTaken() {
        FreeBusy one = of(List.of(minutes(20, 30)), List.of(minutes(10, 40), minutes(22, 25), minutes(50, 60)));
        assertEquals(List.of(minutes(20, 30)), one.busy());
        assertEquals(List.of(minutes(10, 20), minutes(30, 40), minutes(50, 60)), one.tentative());
    }

    @Test
    void of_nothing_isFree() {
        assertEquals(List.of(), of(List.of(), List.of()).busy());
    }

    @Test
    void of_anything_saysOfEveryMinuteWhatTheWindowsSay() {
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("seed " + seed);
        var random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            List<Window> taken = windows(random);
            List<Window> held = windows(random);
            FreeBusy one = of(taken, held);
            for (int minute = 0; minute < 100; minute++) {
                Instant at = NOON.plusSeconds(minute * 60L);
                boolean busy = taken.stream().anyMatch(window -> window.contains(at));
                boolean tentative = !busy && held.stream().anyMatch(window -> window.contains(at));
                assertEquals(busy ? 1 : 0, count(one.busy(), at));
                assertEquals(tentative ? 1 : 0, count(one.tentative(), at));
            }
            for (int i = 1; i < one.busy().size(); i++) {
                assertEquals(
                        -1,
                        one.busy().get(i - 1).end().compareTo(one.busy().get(i).start()));
            }
        }
    }

    private static long count(List<Window> windows, Instant at) {
        return windows.stream().filter(window -> window.contains(at)).count();
    }

    private static List<Window> windows(Random random) {
        var windows = new ArrayList<Window>();
        for (int i = random.nextInt(6); i > 0; i--) {
            int from = random.nextInt(-20, 110);
            windows.add(minutes(from, from + random.nextInt(1, 40)));
        }
        return windows;
    }

    @Test
    void of_badText_isRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> FreeBusy.of("uid", OWNER, "a\r\nb", minutes(0, 1), List.of(), List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> FreeBusy.of("u id", OWNER, "c", minutes(0, 1), List.of(), List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> FreeBusy.of(
                        "uid", OWNER, "c", new Window(NOON.plusNanos(1), NOON.plusSeconds(1)), List.of(), List.of()));
    }
}
