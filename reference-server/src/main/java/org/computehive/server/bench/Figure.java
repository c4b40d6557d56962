package org.computehive.server.bench;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * One figure of ours against the peer's.
 *
 * <p>The name's last word is the unit and tells the direction: of what ends in {@code seconds}, {@code megabytes} or
 * {@code gas} the goal is the most that ours may be of the peer's, of what ends in {@code per-second} (or {@code
 * per-cpu-second}) the least.
 *
 * @param bench the benchmark's name, a slash, the figure's name with its unit
 * @param ours the median of ours
 * @param peer the median of the peer's, in the same unit
 * @param goal the ratio that is aimed at
 */
record Figure(String bench, double ours, double peer, double goal) {
    private static final MathContext DIGITS = new MathContext(4);

    /**
     * Checks the name and that every number is positive.
     *
     * @throws IllegalArgumentException if not
     */
    Figure {
        if (!bench.matches("[a-z0-9-]+/[a-z0-9-]*(seconds|megabytes|gas|per-second|per-cpu-second)")) {
            throw new IllegalArgumentException("figure \"%s\" does not name its bench and its unit".formatted(bench));
        }
        for (double number : new double[] {ours, peer, goal}) {
            if (!(number > 0) || Double.isInfinite(number)) {
                throw new IllegalArgumentException("%s: %s is not a positive number".formatted(bench, number));
            }
        }
    }

    double ratio() {
        return ours / peer;
    }

    boolean moreIsBetter() {
        return bench.endsWith("per-second") || bench.endsWith("per-cpu-second");
    }

    boolean met() {
        return moreIsBetter() ? ratio() >= goal : ratio() <= goal;
    }

    /** Returns the figure as one line of JSON: gas to the unit, everything else to four digits. */
    String json() {
        return "{\"bench\":\"%s\",\"ours\":%s,\"peer\":%s,\"ratio\":%s,\"goal\":%s,\"met\":%s}"
                .formatted(bench, measured(ours), measured(peer), number(ratio()), number(goal), met());
    }

    private String measured(double value) {
        return bench.endsWith("gas") ? Long.toString(Math.round(value)) : number(value);
    }

    private static String number(double value) {
        return new BigDecimal(value).round(DIGITS).stripTrailingZeros().toPlainString();
    }
}
