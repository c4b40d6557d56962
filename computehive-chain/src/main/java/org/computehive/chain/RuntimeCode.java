package org.computehive.chain;

import java.util.List;
import java.util.Locale;

/**
 * The code that a contract has on a chain, but for the values that its constructor wrote into it there (Solidity's
 * immutables). Immutable and thread-safe.
 *
 * @param code hexadecimal with {@code 0x}, zeros where the values go
 * @param values for each of the values, where in the code it stands
 */
record RuntimeCode(String code, List<List<Place>> values) {
    private static final int DIGITS = 2;

    RuntimeCode {
        values = values.stream().map(List::copyOf).toList();
    }

    /**
     * A part of the code.
     *
     * @param start its first byte
     * @param length in bytes
     */
    record Place(int start, int length) {
        private String in(String code) {
            return code.substring(from(), to());
        }

        private void clear(StringBuilder code) {
            code.replace(from(), to(), "0".repeat(length * DIGITS));
        }

        private int from() {
            return DIGITS + start * DIGITS;
        }

        private int to() {
            return from() + length * DIGITS;
        }
    }

    /** Returns whether an address has this code, whatever the values are: each of them one in all of its places. */
    boolean is(String deployed) {
        if (deployed.length() != code.length()) {
            return false;
        }
        String candidate = deployed.toLowerCase(Locale.ROOT);
        var rest = new StringBuilder(candidate);
        for (List<Place> places : values) {
            if (places.stream().map(place -> place.in(candidate)).distinct().count() != 1) {
                return false;
            }
            places.forEach(place -> place.clear(rest));
        }
        return rest.toString().equals(code);
    }
}
