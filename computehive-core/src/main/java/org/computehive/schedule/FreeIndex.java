package org.computehive.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import org.computehive.schedule.Horizon.SlotTest;
import org.jspecify.annotations.Nullable;

/**
 * Finds among very many gpus those that are free in a window, from memory. Gpus are numbers here, from 0 on without great
 * gaps; which gpu has which number is the caller's to know, as is which bookings there are.
 *
 * <p>For today and the {@value #DAYS_AHEAD} days after it, it keeps a row of bits, one for each gpu, for every quarter of
 * an hour, every hour and every day (UTC), and answers by a handful of rows; the bookings themselves settle what the bits
 * leave open, and everything beyond those days. So its answers are exact for the bookings that it was told.
 *
 * <p>Memory: one bit for each gpu in each of the rows that hold a booking, 136 KiB for 100 gpus and 136 MB for 100,000 if
 * every quarter of an hour has one, and 24 bytes for each booking. {@link #bytes} counts it.
 *
 * <p>Thread-safe. Writers wait for each other; readers wait for nobody, and see a write that goes on in part. Times are
 * counted in whole microseconds, the finest that a store tells apart.
 */
public final class FreeIndex {
    /** How many days after today are in the rows. */
    public static final int DAYS_AHEAD = Horizon.DAYS - 1;

    /** The largest number of gpus. */
    public static final int MAX_GPUS = 1 << 22;

    /** The longest window, and the longest time within which one is sought: a year, with turnovers of a year. */
    public static final Duration MAX_WINDOW = Duration.ofDays(1_100);

    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant END = Instant.parse("+10000-01-01T00:00:00Z");
    private static final long SECOND = 1_000_000;
    private static final long[] NONE = {};
    /** Start, end and booking: how a gpu's bookings lie in one array, by their start. */
    private static final int FIELDS = 3;

    private final ReentrantLock writing = new ReentrantLock();
    private volatile AtomicReferenceArray<long[]> bookings = new AtomicReferenceArray<>(64);
    private volatile Horizon horizon;
    /** Written after every change and read before every answer, so that readers see the rows' changes. */
    private volatile long changes;

    private int gpus;
    private long count;

    /**
     * Creates an index in which every gpu is free.
     *
     * @param now the rows begin with its day
     * @throws IllegalArgumentException if its year is not 0 to 9999
     */
    public FreeIndex(Instant now) {
        checkYear(now);
        horizon = Horizon.of(now);
    }

    /**
     * Says when a booking has a gpu, in place of what was said of the same booking and gpu before. The booking's other
     * gpus stay as they are.
     *
     * @param gpu the gpu, 0 to {@link #MAX_GPUS} - 1
     * @param booking the booking, by any number that others don't have
     * @param windows when; whole microseconds; none if it no longer has the gpu
     * @throws IllegalArgumentException if the gpu's number, a year (0 to 9999), or a window's fineness is out of range;
     *     nothing was changed then
     */
    public void book(int gpu, long booking, Collection<Window> windows) {
        checkGpu(gpu);
        List<Window> told = List.copyOf(windows);
        told.forEach(FreeIndex::checkBooked);
        writing.lock();
        try {
            long[] before = of(gpu);
            long[] after = replaced(before, booking, told);
            if (before.length == 0 && after.length == 0) {
                return;
            }
            put(gpu, after);
            for (Window window : told) {
                horizon.set(gpu, micros(window.start()), micros(window.end()));
            }
            clear(gpu, before, after, booking);
            count += (after.length - before.length) / FIELDS;
            changes++;
        } finally {
            writing.unlock();
        }
    }

    /** Says that a booking no longer has a gpu. */
    public void release(int gpu, long booking) {
        book(gpu, booking, List.of());
    }

    private void clear(int gpu, long[] before, long[] after, long booking) {
        SlotTest busy = (from, to) -> overlaps(after, from, to);
        for (int i = 0; i < before.length; i += FIELDS) {
            if (before[i + 2] == booking) {
                horizon.clear(gpu, before[i], before[i + 1], busy);
            }
        }
    }

    private static long[] replaced(long[] before, long booking, List<Window> windows) {
        long[][] rows = new long[before.length / FIELDS + windows.size()][];
        int size = 0;
        for (int i = 0; i < before.length; i += FIELDS) {
            if (before[i + 2] != booking) {
                rows[size++] = Arrays.copyOfRange(before, i, i + FIELDS);
            }
        }
        for (Window window : windows) {
            rows[size++] = new long[] {micros(window.start()), micros(window.end()), booking};
        }
        Arrays.sort(rows, 0, size, (one, other) -> Long.compare(one[0], other[0]));
        long[] after = new long[size * FIELDS];
        for (int i = 0; i < size; i++) {
            System.arraycopy(rows[i], 0, after, i * FIELDS, FIELDS);
        }
        return after;
    }

    private void put(int gpu, long[] entries) {
        AtomicReferenceArray<long[]> all = bookings;
        if (gpu >= all.length()) {
            var larger = new AtomicReferenceArray<long[]>(Math.min(MAX_GPUS, gpu + 1 + gpu / 2));
            for (int i = 0; i < all.length(); i++) {
                larger.setPlain(i, all.getPlain(i));
            }
            bookings = larger;
            all = larger;
        }
        gpus = Math.max(gpus, gpu + 1);
        all.setRelease(gpu, entries.length == 0 ? NONE : entries);
    }

    private long[] of(int gpu) {
        AtomicReferenceArray<long[]> all = bookings;
        long @Nullable [] entries = gpu < all.length() ? all.getAcquire(gpu) : null;
        return entries == null ? NONE : entries;
    }

    private static boolean overlaps(long[] entries, long from, long to) {
        for (int i = 0; i < entries.length && entries[i] < to; i += FIELDS) {
            if (entries[i + 1] > from) {
                return true;
            }
        }
        return false;
    }

    /**
     * Lets days pass: bookings that ended before an instant's day are forgotten, and as many days come into the rows at
     * the other end. Does nothing if the day is still the same, or an earlier one.
     *
     * @param now the time
     * @throws IllegalArgumentException if its year is not 0 to 9999
     */
    public void advance(Instant now) {
        checkYear(now);
        if (horizon.daysUntil(now) <= 0) {
            return;
        }
        writing.lock();
        try {
            Horizon old = horizon;
            long passed = old.daysUntil(now);
            if (passed <= 0) {
                return;
            }
            Horizon next = old.later(passed);
            for (int gpu = 0; gpu < gpus; gpu++) {
                long[] entries = of(gpu);
                for (int i = 0; i < entries.length; i += FIELDS) {
                    if (entries[i + 1] > old.toMicros()) {
                        next.set(gpu, Math.max(entries[i], old.toMicros()), entries[i + 1]);
                    }
                }
                forget(gpu, entries, next.fromMicros());
            }
            horizon = next;
            changes++;
        } finally {
            writing.unlock();
        }
    }

    private void forget(int gpu, long[] entries, long until) {
        long[] left = new long[entries.length];
        int size = 0;
        for (int i = 0; i < entries.length; i += FIELDS) {
            if (entries[i + 1] > until) {
                System.arraycopy(entries, i, left, size, FIELDS);
                size += FIELDS;
            }
        }
        if (size < entries.length) {
            put(gpu, Arrays.copyOf(left, size));
            count -= (entries.length - size) / FIELDS;
        }
    }

    /**
     * Returns when a gpu is booked, as far as that reaches into a window: by start, cut to the window.
     *
     * @param gpu the gpu, 0 to {@link #MAX_GPUS} - 1
     * @param within when
     * @throws IllegalArgumentException as {@link #book} does
     */
    public List<Window> booked(int gpu, Window within) {
        checkGpu(gpu);
        checkBooked(within);
        long[] entries = of(gpu);
        long from = micros(within.start());
        long to = micros(within.end());
        List<Window> booked = new ArrayList<>();
        for (int i = 0; i < entries.length && entries[i] < to; i += FIELDS) {
            if (entries[i + 1] > from) {
                booked.add(new Window(
                        Instant.EPOCH.plus(Math.max(entries[i], from), ChronoUnit.MICROS),
                        Instant.EPOCH.plus(Math.min(entries[i + 1], to), ChronoUnit.MICROS)));
            }
        }
        return List.copyOf(booked);
    }

    /**
     * Returns the gpus that are free in a window.
     *
     * @param window when; parts of a microsecond at its bounds don't count
     * @throws IllegalArgumentException if it is longer than {@link #MAX_WINDOW}, shorter than a second, or of a year that
     *     is not 0 to 9999
     */
    public FreeGpus freeIn(Window window) {
        checkAsked(window);
        long unused = changes;
        long from = ceilMicros(window.start());
        long to = micros(window.end());
        Horizon rows = horizon;
        boolean beyond = from < rows.fromMicros() || to > rows.toMicros();
        IntPredicate exact = gpu -> !overlaps(of(gpu), from, to);
        return new FreeGpus(rows.busyWithin(from, to), rows.busyAtEdges(from, to), beyond, exact);
    }

    /**
     * Returns the earliest time at which some gpus are free together for a length.
     *
     * @param wanted the gpus; at least one
     * @param length how long; at least a second
     * @param within the time must lie in it
     * @return its start, in whole seconds; empty if there is none
     * @throws IllegalArgumentException if a gpu's number is out of range, {@code within} is longer than
     *     {@link #MAX_WINDOW} or of a year that is not 0 to 9999, or the length is under a second or over {@code within}'s
     */
    public Optional<Instant> earliest(int[] wanted, Duration length, Window within) {
        checkAsked(within);
        checkLength(length, within);
        if (wanted.length == 0) {
            throw new IllegalArgumentException("no gpu is named: name at least one");
        }
        for (int gpu : wanted) {
            checkGpu(gpu);
        }
        long needed = Math.ceilDiv(length.toNanos(), 1000L);
        long start = wholeSecond(ceilMicros(within.start()));
        long last = micros(within.end()) - needed;
        boolean moved = true;
        while (moved && start <= last) {
            moved = false;
            for (int gpu : wanted) {
                long free = firstFree(of(gpu), start, needed);
                moved |= free > start;
                start = free;
            }
        }
        return start <= last ? Optional.of(Instant.ofEpochSecond(start / SECOND)) : Optional.empty();
    }

    /** Returns the first whole second, from a whole second on, at which a time that is needed is free. */
    private static long firstFree(long[] entries, long from, long needed) {
        long start = from;
        for (int i = 0; i < entries.length && entries[i] < start + needed; i += FIELDS) {
            if (entries[i + 1] > start) {
                start = wholeSecond(entries[i + 1]);
            }
        }
        return start;
    }

    /**
     * Returns the gpus that may be free for a length at some time within another: all that are, and some that are not. It
     * spares asking {@link #earliest} for each of very many gpus.
     *
     * @throws IllegalArgumentException as {@link #earliest} does
     */
    public FreeGpus mayBeFreeFor(Duration length, Window within) {
        checkAsked(within);
        checkLength(length, within);
        long unused = changes;
        long[] busy = horizon.busyThroughout(length.toNanos() / 1000, ceilMicros(within.start()), micros(within.end()));
        return new FreeGpus(busy, NONE, false, gpu -> true);
    }

    /** Returns how many bookings of gpus it holds. */
    public long bookings() {
        writing.lock();
        try {
            return count;
        } finally {
            writing.unlock();
        }
    }

    /** Returns how many bytes its rows and bookings take, without the JVM's overhead for each array (16 bytes). */
    public long bytes() {
        writing.lock();
        try {
            return horizon.bytes() + count * FIELDS * Long.BYTES + (long) bookings.length() * Integer.BYTES;
        } finally {
            writing.unlock();
        }
    }

    static void checkGpu(int gpu) {
        if (gpu < 0 || gpu >= MAX_GPUS) {
            throw new IllegalArgumentException("gpu number %d is out of range: 0 to %d".formatted(gpu, MAX_GPUS - 1));
        }
    }

    private static void checkYear(Instant instant) {
        if (instant.isBefore(FIRST) || !instant.isBefore(END)) {
            throw new IllegalArgumentException("%s is out of range: years 0 to 9999".formatted(instant));
        }
    }

    private static void checkBooked(Window window) {
        checkYear(window.start());
        checkYear(window.end());
        if (window.start().getNano() % 1000 != 0 || window.end().getNano() % 1000 != 0) {
            throw new IllegalArgumentException("booking %s is too fine: give whole microseconds".formatted(window));
        }
    }

    private static void checkAsked(Window window) {
        checkYear(window.start());
        checkYear(window.end());
        Duration length = window.length();
        if (length.compareTo(Duration.ofSeconds(1)) < 0 || length.compareTo(MAX_WINDOW) > 0) {
            throw new IllegalArgumentException(
                    "window %s is %s long: ask for a second to %d days".formatted(window, length, MAX_WINDOW.toDays()));
        }
    }

    private static void checkLength(Duration length, Window within) {
        if (length.compareTo(Duration.ofSeconds(1)) < 0 || length.compareTo(within.length()) > 0) {
            throw new IllegalArgumentException(
                    "%s can't be found in %s: ask for a second to %s".formatted(length, within, within.length()));
        }
    }

    private static long micros(Instant instant) {
        return instant.getEpochSecond() * SECOND + instant.getNano() / 1000;
    }

    private static long ceilMicros(Instant instant) {
        return micros(instant) + (instant.getNano() % 1000 == 0 ? 0 : 1);
    }

    private static long wholeSecond(long micros) {
        return Math.ceilDiv(micros, SECOND) * SECOND;
    }
}
