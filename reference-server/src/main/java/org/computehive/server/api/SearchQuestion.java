package org.computehive.server.api;

import java.time.Duration;
import java.util.function.BiFunction;
import org.computehive.market.ListingQuery;
import org.computehive.market.Rate;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/** Turns a search's parameters into a query, and says of each that makes no sense which it is. */
final class SearchQuestion {
    private final ListingQuery.Builder query;

    SearchQuestion(Window within, @Nullable String length) {
        if (length == null) {
            query = ListingQuery.in(within);
        } else {
            Duration time = BadField.parse("length", length, Duration::parse);
            query = ListingQuery.lasting(time, within);
        }
        checked(length == null ? "end" : "length");
    }

    <T> void take(String field, @Nullable T value, BiFunction<ListingQuery.Builder, T, ListingQuery.Builder> taker) {
        if (value != null) {
            BadField.parse(field, value, known -> taker.apply(query, known));
            checked(field);
        }
    }

    void number(
            String field,
            @Nullable String value,
            BiFunction<ListingQuery.Builder, Integer, ListingQuery.Builder> taker) {
        take(field, value == null ? null : BadField.parse(field, value, text -> count(field, text)), taker);
    }

    void rate(
            String field, @Nullable String value, BiFunction<ListingQuery.Builder, Rate, ListingQuery.Builder> taker) {
        take(field, value == null ? null : Bodies.rate(field, value), taker);
    }

    <E extends Enum<E>> void constant(
            String field,
            @Nullable String value,
            Class<E> type,
            BiFunction<ListingQuery.Builder, E, ListingQuery.Builder> taker) {
        take(field, value == null ? null : BadField.constant(field, value, type), taker);
    }

    void flag(
            String field,
            @Nullable String value,
            BiFunction<ListingQuery.Builder, Boolean, ListingQuery.Builder> taker) {
        take(field, value == null ? null : BadField.parse(field, value, text -> truth(field, text)), taker);
    }

    /** What is out of range shows when the query is made; made after each parameter, it is that one's fault. */
    private void checked(String field) {
        BadField.parse(field, query, ListingQuery.Builder::build);
    }

    ListingQuery query() {
        return query.build();
    }

    private static Integer count(String field, String text) {
        if (!text.matches("[0-9]{1,9}")) {
            throw new IllegalArgumentException(field + " is not a whole number of at most nine digits");
        }
        return Integer.valueOf(text);
    }

    private static Boolean truth(String field, String text) {
        if (!text.equals("true") && !text.equals("false")) {
            throw new IllegalArgumentException(field + " must be true or false");
        }
        return Boolean.valueOf(text);
    }
}
