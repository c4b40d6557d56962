package org.computehive.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which gpus are busy in which quarter of an hour, hour and day of the time ahead: one row of bits for each, one bit for
 * each gpu. A bit is set if any instant of that time is booked. Rows that would hold no bit are not there.
 *
 * <p>One thread writes at a time; readers need no lock and see a write that goes on in part.
 */
final class Horizon {
    static final int DAYS = 91;
    static final int SLOTS_PER_HOUR = 4;
    static final int HOURS_PER_DAY = 24;
    static final int SLOTS_PER_DAY = SLOTS_PER_HOUR * HOURS_PER_DAY;
    static final long SLOT_MICROS = Duration.ofMinutes(15).toNanos() / 1000;
    private static final int SLOTS = DAYS * SLOTS_PER_DAY;
    /** How many words of a row are looked at together while runs are sought: small enough for a core's own cache. */
    private static final int TILE = 64;
    /** How many words the search for runs may read: about a millisecond's work. */
    private static final long MOST_WORDS = 600_000;

    /** The first slot, counted from 1970; a day's first. */
    private final long firstSlot;

    private final long[][] slots;
    private final long[][] hours;
    private final long[][] days;

    private Horizon(long firstSlot, long[][] slots, long[][] hours, long[][] days) {
        this.firstSlot = firstSlot;
        this.slots = slots;
        this.hours = hours;
        this.days = days;
    }

    /** Returns an empty horizon that begins with an instant's day. */
    static Horizon of(Instant now) {
        return new Horizon(firstSlotOf(now), new long[SLOTS][], new long[DAYS * HOURS_PER_DAY][], new long[DAYS][]);
    }

    private static long firstSlotOf(Instant now) {
        return Math.floorDiv(now.getEpochSecond(), Duration.ofDays(1).toSeconds()) * SLOTS_PER_DAY;
    }

    /** Returns how many days later an instant's day is than the first. */
    long daysUntil(Instant now) {
        return (firstSlotOf(now) - firstSlot) / SLOTS_PER_DAY;
    }

    /** Returns the horizon that begins some days later: what both cover is shared, what is new is empty. */
    Horizon later(long passed) {
        int gone = (int) Math.min(passed, DAYS);
        return new Horizon(
                firstSlot + passed * SLOTS_PER_DAY,
                shifted(slots, gone * SLOTS_PER_DAY),
                shifted(hours, gone * HOURS_PER_DAY),
                shifted(days, gone));
    }

    private static long[][] shifted(long[][] rows, int by) {
        return Arrays.copyOf(Arrays.copyOfRange(rows, by, Math.max(rows.length, by)), rows.length);
    }

    long fromMicros() {
        return firstSlot * SLOT_MICROS;
    }

    long toMicros() {
        return (firstSlot + SLOTS) * SLOT_MICROS;
    }

    /** Sets a gpu's bits for every slot that a time touches. */
    void set(int gpu, long fromMicros, long toMicros) {
        int end = slotAfter(toMicros);
        for (int slot = slotAt(fromMicros); slot < end; slot++) {
            set(slots, slot, gpu);
            set(hours, slot / SLOTS_PER_HOUR, gpu);
            set(days, slot / SLOTS_PER_DAY, gpu);
        }
    }

    /** Clears a gpu's bits for the slots that a time touches and that are not busy otherwise. */
    void clear(int gpu, long fromMicros, long toMicros, SlotTest busy) {
        int begin = slotAt(fromMicros);
        int end = slotAfter(toMicros);
        for (int slot = begin; slot < end; slot++) {
            long start = (firstSlot + slot) * SLOT_MICROS;
            if (!busy.anyIn(start, start + SLOT_MICROS)) {
                clear(slots, slot, gpu);
            }
        }
        roll(slots, hours, SLOTS_PER_HOUR, begin, end, gpu);
        roll(hours, days, HOURS_PER_DAY, begin / SLOTS_PER_HOUR, (end + SLOTS_PER_HOUR - 1) / SLOTS_PER_HOUR, gpu);
    }

    private static void roll(long[][] fine, long[][] coarse, int each, int begin, int end, int gpu) {
        for (int row = begin / each; row * each < end; row++) {
            boolean any = false;
            for (int i = row * each; i < (row + 1) * each; i++) {
                any |= get(fine[i], gpu);
            }
            if (!any) {
                clear(coarse, row, gpu);
            }
        }
    }

    private int slotAt(long micros) {
        return within(Math.floorDiv(micros, SLOT_MICROS));
    }

    private int slotAfter(long micros) {
        return within(Math.ceilDiv(micros, SLOT_MICROS));
    }

    private int within(long slot) {
        return (int) Math.clamp(slot - firstSlot, 0, SLOTS);
    }

    private static void set(long[][] rows, int row, int gpu) {
        long[] words = rows[row];
        int word = gpu / Long.SIZE;
        if (words == null || words.length <= word) {
            // Room for a half more, or each new gpu would copy the row.
            words = words == null ? new long[word + 1] : Arrays.copyOf(words, word + 1 + word / 2);
            words[word] |= 1L << gpu;
            rows[row] = words;
        } else {
            words[word] |= 1L << gpu;
        }
    }

    private static void clear(long[][] rows, int row, int gpu) {
        long[] words = rows[row];
        if (get(words, gpu)) {
            words[gpu / Long.SIZE] &= ~(1L << gpu);
        }
    }

    static boolean get(long @Nullable [] words, int gpu) {
        int word = gpu / Long.SIZE;
        return words != null && word < words.length && (words[word] & 1L << gpu) != 0;
    }

    /** Returns the gpus that are busy in some slot that a time holds whole: surely not free in it. */
    long[] busyWithin(long fromMicros, long toMicros) {
        int begin = slotAfter(fromMicros);
        int end = slotAt(toMicros);
        long[] busy = new long[0];
        for (int slot = begin; slot < end; ) {
            if (slot % SLOTS_PER_DAY == 0 && slot + SLOTS_PER_DAY <= end) {
                busy = or(busy, days[slot / SLOTS_PER_DAY]);
                slot += SLOTS_PER_DAY;
            } else if (slot % SLOTS_PER_HOUR == 0 && slot + SLOTS_PER_HOUR <= end) {
                busy = or(busy, hours[slot / SLOTS_PER_HOUR]);
                slot += SLOTS_PER_HOUR;
            } else {
                busy = or(busy, slots[slot]);
                slot++;
            }
        }
        return busy;
    }

    /** Returns the gpus that are busy in a slot that a time holds in part: they may be free in it. */
    long[] busyAtEdges(long fromMicros, long toMicros) {
        long[] busy = new long[0];
        for (long edge : new long[] {fromMicros, toMicros}) {
            int slot = slotAt(edge);
            if (edge % SLOT_MICROS != 0 && slot < SLOTS) {
                busy = or(busy, slots[slot]);
            }
        }
        return busy;
    }

    private static long[] or(long[] sum, long @Nullable [] words) {
        if (words == null) {
            return sum;
        }
        long[] all = sum.length < words.length ? Arrays.copyOf(sum, words.length) : sum;
        for (int i = 0; i < words.length; i++) {
            all[i] |= words[i];
        }
        return all;
    }

    /**
     * Returns the gpus that surely have no free time of a length within a time: those that are not free in any run of as
     * many whole slots, hours or days as every such time holds. Takes the finest of the three that is not too much work.
     *
     * @return the gpus; none if all three are too much work, or the time reaches beyond what is known here
     */
    long[] busyThroughout(long lengthMicros, long fromMicros, long toMicros) {
        if (fromMicros < fromMicros() || toMicros > toMicros()) {
            return new long[0];
        }
        return busyThroughout(slots, 1, lengthMicros, fromMicros, toMicros)
                .or(() -> busyThroughout(hours, SLOTS_PER_HOUR, lengthMicros, fromMicros, toMicros))
                .or(() -> busyThroughout(days, SLOTS_PER_DAY, lengthMicros, fromMicros, toMicros))
                .orElseGet(() -> new long[0]);
    }

    private Optional<long[]> busyThroughout(
            long[][] rows, int each, long lengthMicros, long fromMicros, long toMicros) {
        // A time that begins just after a whole one begins holds one whole one less than its length.
        long run = lengthMicros / (each * SLOT_MICROS) - 1;
        int begin = Math.ceilDiv(slotAfter(fromMicros), each);
        int end = slotAt(toMicros) / each;
        if (run < 1 || end - begin < run) {
            return Optional.of(new long[0]);
        }
        int words = 0;
        for (int row = begin; row < end; row++) {
            words = Math.max(words, rows[row] == null ? 0 : rows[row].length);
        }
        return (long) words * (end - begin) > MOST_WORDS
                ? Optional.empty()
                : Optional.of(withoutRun(Arrays.copyOfRange(rows, begin, end), (int) run, words));
    }

    private static long[] withoutRun(long[][] rows, int run, int words) {
        long[] without = new long[words];
        long[] free = new long[rows.length * TILE];
        for (int from = 0; from < words; from += TILE) {
            int width = Math.min(TILE, words - from);
            Arrays.fill(free, -1L);
            for (int row = 0; row < rows.length; row++) {
                long[] busy = rows[row];
                int there = busy == null ? 0 : Math.min(width, busy.length - from);
                for (int i = 0; i < there; i++) {
                    free[row * TILE + i] = ~busy[from + i];
                }
            }
            // After each pass a bit says that `length` rows from there on are free: twice as many each time.
            for (int length = 1; length < run; ) {
                int step = Math.min(length, run - length);
                for (int i = 0; i < (rows.length - step) * TILE; i++) {
                    free[i] &= free[i + step * TILE];
                }
                length += step;
            }
            for (int row = 0; row <= rows.length - run; row++) {
                for (int i = 0; i < width; i++) {
                    without[from + i] |= free[row * TILE + i];
                }
            }
            for (int i = 0; i < width; i++) {
                without[from + i] = ~without[from + i];
            }
        }
        return without;
    }

    /** Returns how many bytes the rows take. */
    long bytes() {
        return bytes(slots) + bytes(hours) + bytes(days);
    }

    private static long bytes(long[][] rows) {
        long bytes = (long) rows.length * Integer.BYTES;
        for (long[] row : rows) {
            bytes += row == null ? 0 : (long) row.length * Long.BYTES;
        }
        return bytes;
    }

    /** Says whether something is booked at some instant of a time. */
    @FunctionalInterface
    interface SlotTest {
        boolean anyIn(long fromMicros, long toMicros);
    }
}
