package org.computehive.market.matching;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AssignmentTest {

    @Test
    void best_ofRandomWeights_isThatOfBruteForce() {
        long seed = Long.getLong("computehive.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 3_000; round++) {
            int rows = random.nextInt(6);
            int columns = random.nextInt(6);
            long scale = random.nextBoolean() ? 6 : Assignment.MAX_WEIGHT;
            long[][] weights = new long[rows][columns];
            for (long[] row : weights) {
                for (int i = 0; i < columns; i++) {
                    row[i] = random.nextInt(4) == 0 ? 0 : random.nextLong(scale + 1);
                }
            }
            int[] best = Assignment.best(weights, columns);
            assertEquals(bruteForce(weights, columns, 0, 0), weight(weights, best), "seed " + seed + " round " + round);
        }
    }

    private static long bruteForce(long[][] weights, int columns, int row, int used) {
        if (row == weights.length) {
            return 0;
        }
        long best = bruteForce(weights, columns, row + 1, used);
        for (int i = 0; i < columns; i++) {
            if ((used & 1 << i) == 0) {
                best = Math.max(best, weights[row][i] + bruteForce(weights, columns, row + 1, used | 1 << i));
            }
        }
        return best;
    }

    /** Sums what is assigned, and checks that it is an assignment. */
    private static long weight(long[][] weights, int[] columnOf) {
        long sum = 0;
        long used = 0;
        for (int row = 0; row < columnOf.length; row++) {
            if (columnOf[row] >= 0) {
                assertEquals(0, used & 1L << columnOf[row], "column twice");
                used |= 1L << columnOf[row];
                assertTrue(weights[row][columnOf[row]] > 0);
                sum += weights[row][columnOf[row]];
            }
        }
        return sum;
    }

    @Test
    void best_ofAnOrderThatGreedMisses_isFound() {
        assertArrayEquals(new int[] {1, 0}, Assignment.best(new long[][] {{10, 9}, {9, 1}}, 2));
        assertArrayEquals(new int[] {-1, 0}, Assignment.best(new long[][] {{1}, {2}}, 1));
        assertArrayEquals(new int[] {}, Assignment.best(new long[][] {}, 3));
        assertArrayEquals(new int[] {-1}, Assignment.best(new long[][] {{}}, 0));
        assertArrayEquals(new int[] {-1}, Assignment.best(new long[][] {{0, -5}}, 2));
    }

    @Test
    void best_ofFiveHundredByFiveHundredLargestWeights_isExactAndQuick() {
        int size = 500;
        long[][] weights = new long[size][size];
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                // One heaviest assignment, row to its opposite; everything else a little less.
                weights[row][column] =
                        Assignment.MAX_WEIGHT - (column == size - 1 - row ? 0 : 1 + (row * 31 + column * 17) % 1000);
            }
        }
        int[] best = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> Assignment.best(weights, size));
        for (int row = 0; row < size; row++) {
            assertEquals(size - 1 - row, best[row]);
        }
    }

    @Test
    void best_ofWeightsOutOfRange_isRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> Assignment.best(new long[][] {{Assignment.MAX_WEIGHT + 1}}, 1));
        assertThrows(IllegalArgumentException.class, () -> Assignment.best(new long[][] {{1}}, 2));
        assertThrows(IllegalArgumentException.class, () -> Assignment.best(new long[Assignment.MAX_ROWS + 1][0], 0));
    }
}
