package org.computehive.market.matching;

import java.util.Arrays;

/**
 * The assignment of rows to columns of the greatest total weight, each row to at most one column and each column to at most
 * one row: exact, in O(rows<sup>2</sup> (rows + columns)).
 *
 * <p>The Hungarian method (H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly
 * 2, 1955) by shortest augmenting paths with potentials (R. Jonker and A. Volgenant, "A shortest augmenting path algorithm
 * for dense and sparse linear assignment problems", Computing 38, 1987). Integers only.
 */
final class Assignment {
    /** The largest weight. */
    static final long MAX_WEIGHT = 1L << 44;

    /** How many rows there may be: every sum on the way stays in a {@code long}. */
    static final int MAX_ROWS = 1 << 12;

    private static final int NONE = -1;
    private final long[][] weights;
    private final int rows;
    private final int columns;
    private final long[] rowPotential;
    private final long[] columnPotential;
    private final int[] rowOf;

    private Assignment(long[][] weights, int columns) {
        this.weights = weights;
        rows = weights.length;
        // A column of its own for each row stands for getting nothing.
        this.columns = columns + rows;
        rowPotential = new long[rows];
        columnPotential = new long[this.columns];
        rowOf = new int[this.columns];
        Arrays.fill(rowOf, NONE);
    }

    /**
     * Returns the column of each row, or -1.
     *
     * @param weights by row and column, 0 to {@link #MAX_WEIGHT}; 0 or less is never taken
     */
    static int[] best(long[][] weights, int columns) {
        if (weights.length > MAX_ROWS) {
            throw new IllegalArgumentException("%d rows are too many: at most %d".formatted(weights.length, MAX_ROWS));
        }
        for (long[] row : weights) {
            if (row.length != columns || Arrays.stream(row).anyMatch(it -> it > MAX_WEIGHT)) {
                throw new IllegalArgumentException(
                        "weights must be %d a row and at most %d each".formatted(columns, MAX_WEIGHT));
            }
        }
        var assignment = new Assignment(weights, columns);
        for (int row = 0; row < weights.length; row++) {
            assignment.augment(row);
        }
        int[] columnOf = new int[weights.length];
        Arrays.fill(columnOf, NONE);
        for (int column = 0; column < columns; column++) {
            int row = assignment.rowOf[column];
            if (row != NONE && weights[row][column] > 0) {
                columnOf[row] = column;
            }
        }
        return columnOf;
    }

    private long cost(int row, int column) {
        int real = columns - rows;
        return column < real ? -Math.max(0, weights[row][column]) : 0;
    }

    /** Brings one more row in, along the cheapest path of reduced costs to a free column. */
    private void augment(int newRow) {
        long[] distance = new long[columns];
        int[] from = new int[columns];
        boolean[] done = new boolean[columns];
        Arrays.fill(distance, Long.MAX_VALUE);
        Arrays.fill(from, NONE);
        int row = newRow;
        int at = NONE;
        long reached = 0;
        do {
            int nearest = NONE;
            for (int column = 0; column < columns; column++) {
                if (done[column]) {
                    continue;
                }
                long through = reached + cost(row, column) - rowPotential[row] - columnPotential[column];
                if (through < distance[column]) {
                    distance[column] = through;
                    from[column] = at;
                }
                if (nearest == NONE || distance[column] < distance[nearest]) {
                    nearest = column;
                }
            }
            reached = distance[nearest];
            done[nearest] = true;
            at = nearest;
            row = rowOf[nearest];
        } while (row != NONE);
        for (int column = 0; column < columns; column++) {
            if (done[column] && rowOf[column] != NONE) {
                rowPotential[rowOf[column]] += reached - distance[column];
                columnPotential[column] -= reached - distance[column];
            }
        }
        rowPotential[newRow] += reached;
        while (at != NONE) {
            int before = from[at];
            rowOf[at] = before == NONE ? newRow : rowOf[before];
            at = before;
        }
    }
}
