package org.computehive.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreeIndexTest {
    private static final Instant DAY = Instant.parse("2027-03-01T00:00:00Z");
    private static final Instant NOW = DAY.plusSeconds(12 * 3600 + 34);
    private final FreeIndex index = new FreeIndex(NOW);

    private static Window window(String start, String end) {
        return new Window(Instant.parse("2027-03-" + start + "Z"), Instant.parse("2027-03-" + end + "Z"));
    }

    @Test
    void freeIn_bookingWithinTheWindow_isNotFree() {
        index.book(70, 1, List.of(window("02T10:00:00", "02T14:00:00")));

        assertFalse(index.freeIn(window("02T08:00:00", "02T20:00:00")).test(70));
        assertFalse(index.freeIn(window("02T11:00:00", "02T11:30:00")).test(70));
        assertTrue(index.freeIn(window("02T08:00:00", "02T10:00:00")).test(70));
        assertTrue(index.freeIn(window("02T14:00:00", "02T20:00:00")).test(70));
        assertTrue(index.freeIn(window("02T08:00:00", "02T20:00:00")).test(69));
        assertTrue(index.freeIn(window("02T08:00:00", "02T20:00:00")).test(7_000));
    }

    @Test
    void freeIn_slotHalfBookedAtAnEdge_isSettledByTheBookingItself() {
        index.book(0, 1, List.of(window("02T10:00:00", "02T10:05:00")));

        assertTrue(index.freeIn(window("02T10:05:00", "02T12:00:00")).test(0));
        assertFalse(index.freeIn(window("02T10:04:59", "02T12:00:00")).test(0));
        assertTrue(index.freeIn(window("02T10:05:00", "02T10:07:00")).test(0));
        assertFalse(index.freeIn(window("02T10:01:00", "02T10:02:00")).test(0));
    }

    @Test
    void release_slotSharedWithAnotherBooking_staysBusy() {
        index.book(0, 1, List.of(window("02T10:00:00", "02T10:05:00")));
        index.book(0, 2, List.of(window("02T10:10:00", "02T10:15:00")));

        index.release(0, 1);

        assertFalse(index.freeIn(window("02T09:00:00", "02T12:00:00")).test(0));
        assertTrue(index.freeIn(window("02T10:00:00", "02T10:10:00")).test(0));
        assertEquals(1, index.bookings());
        index.release(0, 2);
        index.release(0, 2);
        assertTrue(index.freeIn(window("02T09:00:00", "02T12:00:00")).test(0));
        assertEquals(0, index.bookings());
    }

    @Test
    void book_again_replacesWhatWasSaid() {
        index.book(0, 1, List.of(window("02T10:00:00", "02T11:00:00")));
        index.book(0, 1, List.of(window("02T10:30:00", "02T11:00:00"), window("02T11:00:00", "02T12:00:00")));

        assertTrue(index.freeIn(window("02T10:00:00", "02T10:30:00")).test(0));
        assertFalse(index.freeIn(window("02T11:45:00", "02T12:30:00")).test(0));
        assertEquals(2, index.bookings());
    }

    @Test
    void freeIn_windowBeyondTheRows_isExact() {
        Instant far = DAY.plus(Duration.ofDays(200));
        index.book(3, 1, List.of(Window.of(far, Duration.ofHours(1))));
        Window lasting = new Window(DAY.plus(Duration.ofDays(80)), far.plusSeconds(1));

        assertFalse(index.freeIn(Window.of(far.plusSeconds(60), Duration.ofHours(2)))
                .test(3));
        assertFalse(index.freeIn(lasting).test(3));
        assertTrue(index.freeIn(new Window(lasting.start(), far)).test(3));
        assertTrue(index.freeIn(lasting).test(2));
    }

    @Test
    void advance_daysThatCameIntoTheRows_areKnown() {
        Instant far = DAY.plus(Duration.ofDays(92)).plusSeconds(5 * 3600);
        index.book(3, 1, List.of(Window.of(far, Duration.ofHours(30))));
        index.book(4, 2, List.of(window("01T10:00:00", "01T13:00:00")));
        index.book(5, 3, List.of(window("01T10:00:00", "02T13:00:00")));

        index.advance(DAY.plusSeconds(-1));
        assertEquals(3, index.bookings());
        index.advance(DAY.plus(Duration.ofDays(1)));
        assertEquals(2, index.bookings());
        index.advance(DAY.plus(Duration.ofDays(2)).plusSeconds(1));
        assertEquals(1, index.bookings());

        FreeGpus free = index.freeIn(Window.of(far.plusSeconds(3600), Duration.ofHours(1)));
        assertFalse(free.test(3));
        assertTrue(free.test(4));
        index.release(3, 1);
        assertTrue(index.freeIn(Window.of(far, Duration.ofHours(1))).test(3));
        index.advance(DAY.plus(Duration.ofDays(4_000)));
        assertEquals(0, index.bookings());
    }

    @Test
    void earliest_betweenBookings_isTheFirstGapThatIsLongEnough() {
        index.book(0, 1, List.of(window("02T10:00:00", "02T11:00:00")));
        index.book(1, 2, List.of(window("02T12:30:00", "02T13:00:00.000001")));
        Window within = window("02T10:30:00", "02T18:00:00");

        assertEquals(
                Optional.of(Instant.parse("2027-03-02T11:00:00Z")),
                index.earliest(new int[] {0}, Duration.ofHours(2), within));
        assertEquals(
                Optional.of(Instant.parse("2027-03-02T13:00:01Z")),
                index.earliest(new int[] {1, 0}, Duration.ofHours(2), within));
        assertEquals(Optional.empty(), index.earliest(new int[] {1, 0}, Duration.ofHours(5), within));
        assertEquals(
                Optional.of(Instant.parse("2027-03-02T13:00:01Z")),
                index.earliest(new int[] {0, 1}, Duration.ofSeconds(5 * 3600 - 1), within));
    }

    /** Random bookings and releases over many days; every answer is compared with the bookings themselves. */
    @RepeatedTest(20)
    void anyBookingsAndReleases_answersAgreeWithTheBookings() {
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("FreeIndexTest seed " + seed);
        var random = new Random(seed);
        var told = new Naive();
        Instant now = NOW;
        for (int step = 0; step < 400; step++) {
            int gpu = random.nextInt(random.nextBoolean() ? 5 : 200);
            long booking = random.nextInt(60);
            if (random.nextInt(40) == 0) {
                now = now.plus(Duration.ofHours(random.nextInt(72)));
                index.advance(now);
            }
            List<Window> windows = new ArrayList<>();
            for (int i = random.nextInt(3); i > 0; i--) {
                windows.add(any(random, now, 100));
            }
            index.book(gpu, booking, windows);
            told.book(gpu, booking, windows);

            Window asked = any(random, now, 95);
            assertEquals(told.freeIn(asked, 200), index.freeIn(asked).among(200), "seed %d, %s".formatted(seed, asked));
            Window within = new Window(asked.start(), asked.end().plus(Duration.ofDays(random.nextInt(1, 60))));
            Duration length = random.nextBoolean() ? asked.length() : Duration.ofSeconds(random.nextInt(1, 400_000));
            if (length.compareTo(within.length()) <= 0) {
                compareEarliest(seed, told, random, length, within);
            }
        }
    }

    private void compareEarliest(long seed, Naive told, Random random, Duration length, Window within) {
        FreeGpus may = index.mayBeFreeFor(length, within);
        for (int gpu = 0; gpu < 6; gpu++) {
            int[] wanted = {gpu, random.nextInt(5)};
            String what = "seed %d, gpus %d and %d for %s in %s".formatted(seed, gpu, wanted[1], length, within);
            Optional<Instant> found = index.earliest(wanted, length, within);
            assertEquals(told.earliest(wanted, length, within), found, what);
            if (found.isPresent()) {
                assertTrue(may.test(gpu) && may.test(wanted[1]), what);
            }
        }
    }

    private static Window any(Random random, Instant now, int days) {
        Instant start = now.plusSeconds(random.nextInt(days * 86_400));
        Duration length = switch (random.nextInt(4)) {
            case 0 -> Duration.ofSeconds(random.nextInt(1, 2_000));
            case 1 -> Duration.ofMinutes(15L * random.nextInt(1, 200));
            case 2 -> Duration.ofDays(random.nextInt(1, 20));
            default -> Duration.ofSeconds(random.nextInt(1, 900_000));
        };
        long unit = random.nextBoolean() ? 900 : 1;
        return Window.of(Instant.ofEpochSecond(start.getEpochSecond() / unit * unit), length);
    }

    @Test
    void mayBeFreeFor_gpuBookedThroughout_isOut() {
        for (int day = 0; day < 30; day++) {
            index.book(100, day, List.of(Window.of(DAY.plus(Duration.ofDays(day)), Duration.ofHours(21))));
        }
        Window month = new Window(DAY, DAY.plus(Duration.ofDays(30)));

        assertFalse(index.mayBeFreeFor(Duration.ofHours(5), month).test(100));
        assertTrue(index.mayBeFreeFor(Duration.ofHours(3), month).test(100));
        assertTrue(index.mayBeFreeFor(Duration.ofHours(5), month).test(99));
        assertFalse(index.mayBeFreeFor(Duration.ofDays(6), month).test(100));
        assertFalse(index.mayBeFreeFor(Duration.ofMinutes(215), month).test(100));
    }

    @Test
    void readersBesideWriters_neverMissAGpuThatNobodyTouches() throws Exception {
        var stop = new AtomicBoolean();
        try (var threads = Executors.newFixedThreadPool(3)) {
            Callable<Integer> writer = () -> {
                var random = new Random(7);
                int written = 0;
                while (!stop.get()) {
                    int gpu = 2 * random.nextInt(300) + 1;
                    index.book(gpu, random.nextInt(4), List.of(any(random, NOW, 3)));
                    index.release(gpu, random.nextInt(4));
                    written++;
                }
                return written;
            };
            Future<Integer> writes = threads.submit(writer);
            Future<Integer> moreWrites = threads.submit(writer);
            try {
                for (int i = 0; i < 3_000; i++) {
                    FreeGpus free = index.freeIn(Window.of(NOW.plusSeconds(i * 60L), Duration.ofHours(7)));
                    for (int gpu = 0; gpu < 600; gpu += 2) {
                        assertTrue(free.test(gpu));
                    }
                }
            } finally {
                stop.set(true);
            }
            assertTrue(writes.get() + moreWrites.get() > 0);
        }
        for (int gpu = 0; gpu < 601; gpu++) {
            for (int booking = 0; booking < 4; booking++) {
                index.release(gpu, booking);
            }
        }
        assertEquals(0, index.bookings());
        BitSet all = new BitSet();
        all.set(0, 601);
        assertEquals(
                all,
                index.freeIn(new Window(NOW, NOW.plus(Duration.ofDays(20)))).among(601));
    }

    @Test
    void bytes_growWithWhatIsBooked() {
        long empty = index.bytes();
        for (int gpu = 0; gpu < 640; gpu++) {
            index.book(gpu, 1, List.of(Window.of(NOW, Duration.ofHours(10))));
        }
        assertTrue(index.bytes() > empty + 640 * 24, index.bytes() + " after " + empty);
        assertTrue(index.bytes() < empty + 40_000, index.bytes() + " after " + empty);
    }

    // ---- bad input ----

    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE, FreeIndex.MAX_GPUS, Integer.MAX_VALUE})
    void gpuOutOfRange_isRefused(int gpu) {
        Window window = window("02T10:00:00", "02T11:00:00");
        assertThrows(IllegalArgumentException.class, () -> index.book(gpu, 1, List.of(window)));
        assertThrows(IllegalArgumentException.class, () -> index.freeIn(window).test(gpu));
        assertThrows(
                IllegalArgumentException.class,
                () -> index.earliest(new int[] {0, gpu}, Duration.ofMinutes(1), window));
    }

    @Test
    void yearsOutOfRange_areRefused_andNothingIsHalfBooked() {
        Window good = window("02T10:00:00", "02T11:00:00");
        for (Window bad : List.of(
                new Window(Instant.MIN, DAY),
                new Window(DAY, Instant.MAX),
                new Window(Instant.parse("-0001-12-31T23:00:00Z"), DAY),
                new Window(DAY, Instant.parse("+10000-01-01T00:00:00.000000001Z")))) {
            assertThrows(IllegalArgumentException.class, () -> index.book(0, 1, List.of(good, bad)));
            assertThrows(IllegalArgumentException.class, () -> index.freeIn(bad));
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> index.book(0, 1, List.of(good, new Window(DAY, DAY.plusNanos(1_001)))));
        assertThrows(IllegalArgumentException.class, () -> new FreeIndex(Instant.MAX));
        assertThrows(IllegalArgumentException.class, () -> index.advance(Instant.MIN));
        assertTrue(index.freeIn(good).test(0));
        assertEquals(0, index.bookings());
    }

    @Test
    void window_thatTakesTenThousandYears_isBookedButNotAskedFor() {
        Window ever = new Window(Instant.parse("0000-01-01T00:00:00Z"), Instant.parse("9999-12-31T23:59:59Z"));
        index.book(0, 1, List.of(ever));

        assertFalse(index.freeIn(Window.of(NOW, Duration.ofDays(1_100))).test(0));
        assertEquals(
                Optional.empty(),
                index.earliest(new int[] {0}, Duration.ofSeconds(1), Window.of(NOW, Duration.ofDays(1_100))));
        var refused = assertThrows(IllegalArgumentException.class, () -> index.freeIn(ever));
        assertTrue(refused.getMessage().contains("1100 days"), refused.getMessage());
    }

    @Test
    void lengthThatCannotBe_isRefused() {
        Window day = window("02T00:00:00", "03T00:00:00");
        for (Duration length : List.of(
                Duration.ZERO,
                Duration.ofSeconds(-5),
                Duration.ofMillis(999),
                Duration.ofHours(25),
                Duration.ofSeconds(Long.MAX_VALUE),
                Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(IllegalArgumentException.class, () -> index.earliest(new int[] {0}, length, day));
            assertThrows(IllegalArgumentException.class, () -> index.mayBeFreeFor(length, day));
        }
        assertThrows(IllegalArgumentException.class, () -> index.earliest(new int[0], Duration.ofHours(1), day));
        assertThrows(IllegalArgumentException.class, () -> index.freeIn(Window.of(DAY, Duration.ofMillis(10))));
    }

    /** The bookings in a list, asked one by one. */
    private static final class Naive {
        private final Map<Integer, Map<Long, List<Window>>> all = new HashMap<>();

        void book(int gpu, long booking, List<Window> windows) {
            all.computeIfAbsent(gpu, any -> new HashMap<>()).put(booking, windows);
        }

        private List<Window> of(int gpu) {
            return all.getOrDefault(gpu, Map.of()).values().stream()
                    .flatMap(List::stream)
                    .toList();
        }

        BitSet freeIn(Window asked, int gpus) {
            var free = new BitSet();
            for (int gpu = 0; gpu < gpus; gpu++) {
                free.set(gpu, of(gpu).stream().noneMatch(asked::overlaps));
            }
            return free;
        }

        Optional<Instant> earliest(int[] gpus, Duration length, Window within) {
            List<Window> taken = new ArrayList<>();
            for (int gpu : gpus) {
                taken.addAll(of(gpu));
            }
            List<Instant> starts = new ArrayList<>(List.of(within.start()));
            taken.forEach(window -> starts.add(window.end()));
            return starts.stream()
                    .filter(start -> within.contains(start) && within.covers(Window.of(start, length)))
                    .filter(start -> taken.stream().noneMatch(Window.of(start, length)::overlaps))
                    .min(Instant::compareTo);
        }
    }
}
