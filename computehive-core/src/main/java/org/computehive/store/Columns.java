package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands many rows to one PostgreSQL statement, as an array for each of their columns. The arrays are of the types that the
 * driver sends as they are; of others it would write a text that the server has to take apart.
 */
final class Columns {
    private Columns() {}

    /** What of a row goes into a column. */
    @FunctionalInterface
    interface Text<T> {
        @Nullable String of(T row);
    }

    static <T> void texts(PreparedStatement statement, int index, List<T> rows, Text<T> value) throws SQLException {
        var array = new @Nullable String[rows.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = value.of(rows.get(i));
        }
        set(statement, index, "text", array);
    }

    /** What of a row goes into a column of whole numbers. */
    @FunctionalInterface
    interface Whole<T> {
        @Nullable Long of(T row);
    }

    static <T> void longs(PreparedStatement statement, int index, List<T> rows, Whole<T> value) throws SQLException {
        var array = new @Nullable Long[rows.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = value.of(rows.get(i));
        }
        set(statement, index, "bigint", array);
    }

    private static void set(PreparedStatement statement, int index, String type, @Nullable Object[] array)
            throws SQLException {
        Connection connection = statement.getConnection();
        statement.setArray(index, connection.createArrayOf(type, array));
    }
}
