package org.computehive.server.api;

import java.time.DateTimeException;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A field or parameter of a request that makes no sense. */
final class BadField extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String field;

    BadField(String field, String why) {
        super(why);
        this.field = field;
    }

    String field() {
        return field;
    }

    /**
     * Returns what a field means.
     *
     * @param field its name
     * @param value what came
     * @param type its type's constructor, whose complaint is passed on
     * @throws BadField if it is missing or the type refuses it
     */
    static <T, R> R parse(String field, @Nullable T value, Function<T, R> type) {
        if (value == null) {
            throw new BadField(field, field + " is missing");
        }
        try {
            return type.apply(value);
        } catch (DateTimeException e) {
            throw new BadField(
                    field,
                    "%s is not a time as in ISO 8601: write instants like 2026-11-22T14:00:00Z, durations like PT1H"
                            .formatted(field));
        } catch (IllegalArgumentException e) {
            throw new BadField(field, String.valueOf(e.getMessage()));
        }
    }

    /**
     * Returns the constant that a field names.
     *
     * @throws BadField if it is missing or names none
     */
    static <E extends Enum<E>> E constant(String field, @Nullable String value, Class<E> type) {
        return parse(
                field,
                value,
                text -> Arrays.stream(type.getEnumConstants())
                        .filter(constant -> constant.name().equals(text))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(
                                "%s must be one of %s".formatted(field, Arrays.toString(type.getEnumConstants())))));
    }

    /** Returns a field as it came. */
    static <T> T require(String field, @Nullable T value) {
        return parse(field, value, Function.<T>identity());
    }
}
