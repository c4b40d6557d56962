package org.computehive.pricing.evaluation;

import java.util.List;
import java.util.Locale;

/**
 * How far guesses lie from prices.
 *
 * @param rows how many
 * @param mape mean absolute error in percent of the price
 * @param mdape the median of it
 * @param r2 the share of the variance of logarithmic prices that is explained
 * @param pinball the mean pinball loss of the range's ends and the point, of logarithmic prices (R. Koenker and
 *     G. Bassett, 1978); NaN without a range
 * @param coverage the share of prices in the range, in percent; NaN without a range
 */
record Scores(int rows, double mape, double mdape, double r2, double pinball, double coverage) {
    /** A price and what was guessed; ends of the range are NaN where a model gives none. */
    record Guess(String gpu, String provider, String novelty, double actual, double low, double point, double high) {}

    static Scores of(List<Guess> guesses) {
        int n = guesses.size();
        double[] share = guesses.stream()
                .mapToDouble(g -> Math.abs(g.point() - g.actual()) / g.actual())
                .sorted()
                .toArray();
        double sum = 0;
        double mean = guesses.stream()
                .mapToDouble(g -> StrictMath.log(g.actual()))
                .average()
                .orElse(0);
        double squares = 0;
        double total = 0;
        double pinball = 0;
        int within = 0;
        for (int i = 0; i < n; i++) {
            Guess g = guesses.get(i);
            sum += share[i];
            double y = StrictMath.log(g.actual());
            double p = StrictMath.log(g.point());
            squares += (y - p) * (y - p);
            total += (y - mean) * (y - mean);
            pinball +=
                    (loss(.1, y - StrictMath.log(g.low())) + loss(.5, y - p) + loss(.9, y - StrictMath.log(g.high())))
                            / 3;
            within += g.actual() >= g.low() && g.actual() <= g.high() ? 1 : 0;
        }
        boolean range = n > 0 && !Double.isNaN(guesses.getFirst().low());
        double middle = n == 0 ? Double.NaN : (share[(n - 1) / 2] + share[n / 2]) / 2;
        return new Scores(
                n,
                100 * sum / n,
                100 * middle,
                total == 0 ? Double.NaN : 1 - squares / total,
                range ? pinball / n : Double.NaN,
                range ? 100. * within / n : Double.NaN);
    }

    private static double loss(double quantile, double over) {
        return Math.max(quantile * over, (quantile - 1) * over);
    }

    String csv() {
        return String.format(
                Locale.ROOT,
                "%d,%.2f,%.2f,%s,%s,%s",
                rows,
                mape,
                mdape,
                number("%.4f", r2),
                number("%.4f", pinball),
                number("%.2f", coverage));
    }

    String json() {
        return String.format(
                Locale.ROOT,
                "\"rows\":%d,\"mape\":%s,\"mdape\":%s,\"r2\":%s,\"pinball\":%s,\"coverage\":%s",
                rows,
                orNull("%.2f", mape),
                orNull("%.2f", mdape),
                orNull("%.4f", r2),
                orNull("%.4f", pinball),
                orNull("%.2f", coverage));
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, format, value);
    }

    private static String orNull(String format, double value) {
        return Double.isNaN(value) ? "null" : String.format(Locale.ROOT, format, value);
    }
}
