package org.computehive.market.search;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which listings have which value of an attribute: as a row of bits where a value is frequent, as a list of numbers where
 * it is rare, whichever is smaller. Immutable once built.
 */
final class Inverted<K extends Comparable<K>> {
    private final NavigableMap<K, Postings> values;
    private final int words;

    private Inverted(NavigableMap<K, Postings> values, int words) {
        this.values = values;
        this.words = words;
    }

    /** Returns how many words a row of bits has. */
    static int words(int listings) {
        return (listings + Long.SIZE - 1) / Long.SIZE;
    }

    /** Keeps of a row of bits those listings that have one of some values. */
    void retain(long[] bits, Collection<K> wanted) {
        long[] any = new long[words];
        for (K value : wanted) {
            Postings found = values.get(value);
            if (found != null) {
                found.addTo(any);
            }
        }
        and(bits, any);
    }

    /** Keeps those that have a value. */
    void retain(long[] bits, K wanted) {
        Postings found = values.get(wanted);
        if (found == null) {
            Arrays.fill(bits, 0);
        } else if (found.bits != null) {
            and(bits, found.bits);
        } else {
            long[] any = new long[words];
            found.addTo(any);
            and(bits, any);
        }
    }

    /** Keeps those whose value is from one to another, both included. */
    void retain(long[] bits, K least, K most) {
        if (values.isEmpty() || (least.compareTo(values.firstKey()) <= 0 && most.compareTo(values.lastKey()) >= 0)) {
            return;
        }
        long[] any = new long[words];
        values.subMap(least, true, most, true).values().forEach(found -> found.addTo(any));
        and(bits, any);
    }

    private static void and(long[] bits, long[] with) {
        for (int i = 0; i < bits.length; i++) {
            bits[i] &= with[i];
        }
    }

    /** Returns about how many bytes it takes. */
    long bytes() {
        return values.values().stream().mapToLong(Postings::bytes).sum();
    }

    private record Postings(long @Nullable [] bits, int[] numbers) {
        void addTo(long[] any) {
            if (bits != null) {
                for (int i = 0; i < any.length; i++) {
                    any[i] |= bits[i];
                }
            }
            for (int number : numbers) {
                any[number / Long.SIZE] |= 1L << number;
            }
        }

        long bytes() {
            return (bits == null ? 0L : (long) bits.length * Long.BYTES) + (long) numbers.length * Integer.BYTES + 64;
        }
    }

    /** Collects an attribute's values. */
    static final class Builder<K extends Comparable<K>> {
        private final Map<K, int[]> lists = new HashMap<>();
        private final Map<K, Integer> sizes = new HashMap<>();
        private final int listings;

        Builder(int listings) {
            this.listings = listings;
        }

        void add(K value, int listing) {
            int size = sizes.merge(value, 1, Integer::sum) - 1;
            int[] list = lists.computeIfAbsent(value, any -> new int[2]);
            if (size == list.length) {
                list = Arrays.copyOf(list, size * 2);
                lists.put(value, list);
            }
            list[size] = listing;
        }

        Inverted<K> build() {
            int words = words(listings);
            var values = new TreeMap<K, Postings>();
            lists.forEach((value, list) -> {
                int[] numbers = Arrays.copyOf(list, sizes.getOrDefault(value, 0));
                if (numbers.length <= 2 * words) {
                    values.put(value, new Postings(null, numbers));
                } else {
                    var dense = new long[words];
                    new Postings(null, numbers).addTo(dense);
                    values.put(value, new Postings(dense, new int[0]));
                }
            });
            return new Inverted<>(values, words);
        }
    }
}
