package org.computehive.manifest;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes JSON in the canonical form of RFC 8785, for what manifests hold: objects, arrays, strings, booleans, and integers
 * that a double holds exactly. Stateless.
 */
final class CanonicalJson {
    private static final long EXACT = 1L << 53;

    private CanonicalJson() {}

    /**
     * Returns a value's canonical text.
     *
     * @param value a {@link SortedMap} by string (whose natural order is that of UTF-16 code units, as the RFC asks), list,
     *     string, boolean, integer or long
     * @throws IllegalArgumentException if it holds anything else, an integer beyond 2<sup>53</sup>, or a lone surrogate
     */
    static String write(Object value) {
        var out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    /** Returns an object of names and values that take turns. */
    static SortedMap<String, Object> object(Object... members) {
        var object = new TreeMap<String, Object>();
        for (int i = 0; i < members.length; i += 2) {
            object.put((String) members[i], members[i + 1]);
        }
        return object;
    }

    /** Returns an ordered copy. */
    static SortedMap<String, String> ordered(Map<String, String> map) {
        return Collections.unmodifiableSortedMap(new TreeMap<>(map));
    }

    private static void write(Object value, StringBuilder out) {
        switch (value) {
            case SortedMap<?, ?> object -> writeObject(object, out);
            case List<?> array -> writeArray(array, out);
            case String text -> writeText(text, out);
            case Boolean truth -> out.append(truth);
            case Integer number -> out.append(number);
            case Long number -> {
                if (number >= EXACT || number <= -EXACT) {
                    throw new IllegalArgumentException(
                            "integer %d is beyond 2^53, which canonical JSON can't hold: write it as text"
                                    .formatted(number));
                }
                out.append(number);
            }
            default ->
                throw new IllegalArgumentException("a %s has no canonical JSON here"
                        .formatted(value.getClass().getSimpleName()));
        }
    }

    private static void writeObject(SortedMap<?, ?> object, StringBuilder out) {
        out.append('{');
        for (Iterator<? extends Map.Entry<?, ?>> members = object.entrySet().iterator(); members.hasNext(); ) {
            Map.Entry<?, ?> member = members.next();
            writeText((String) member.getKey(), out);
            out.append(':');
            write(member.getValue(), out);
            if (members.hasNext()) {
                out.append(',');
            }
        }
        out.append('}');
    }

    private static void writeArray(List<?> array, StringBuilder out) {
        out.append('[');
        for (Iterator<?> items = array.iterator(); items.hasNext(); ) {
            write(items.next(), out);
            if (items.hasNext()) {
                out.append(',');
            }
        }
        out.append(']');
    }

    private static void writeText(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\t' -> out.append("\\t");
                case '\n' -> out.append("\\n");
                case '\f' -> out.append("\\f");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < ' ') {
                        out.append("\\u00%02x".formatted((int) c));
                    } else if (Character.isSurrogate(c) && !isPaired(text, i)) {
                        throw new IllegalArgumentException(
                                "text has half a character (U+%04X), which has no UTF-8 form".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    private static boolean isPaired(String text, int i) {
        return Character.isHighSurrogate(text.charAt(i))
                ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }
}
