package org.computehive.pricing.evaluation;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Draws figures as SVG: small, without scripts, readable in any browser. Stateless. */
final class Plots {
    private static final int SIZE = 560;
    private static final int EDGE = 70;
    private static final double[] TICKS = {.01, .03, .1, .3, 1, 3, 10, 30, 100};

    private Plots() {}

    /** Predicted against actual prices on logarithmic axes; the line is where they agree. */
    static String predicted(String title, List<Scores.Guess> guesses) {
        double least = .01;
        double most = 100;
        var svg = open(title);
        for (double tick : TICKS) {
            double at = at(tick, least, most);
            line(svg, EDGE + at, EDGE, EDGE + at, SIZE - EDGE, "#ddd");
            line(svg, EDGE, SIZE - EDGE - at, SIZE - EDGE, SIZE - EDGE - at, "#ddd");
            text(svg, EDGE + at, SIZE - EDGE + 16, "middle", number(tick));
            text(svg, EDGE - 6, SIZE - EDGE - at + 4, "end", number(tick));
        }
        line(svg, EDGE, SIZE - EDGE, SIZE - EDGE, EDGE, "#888");
        for (Scores.Guess g : guesses) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"#1f6fb4\" fill-opacity=\".5\"/>%n",
                    EDGE + at(g.actual(), least, most),
                    SIZE - EDGE - at(g.point(), least, most)));
        }
        text(svg, SIZE / 2., SIZE - 20, "middle", "actual, USD per gpu-hour");
        svg.append(String.format(
                Locale.ROOT,
                "<text x=\"18\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 18 %d)\">"
                        + "predicted, USD per gpu-hour</text>%n",
                SIZE / 2,
                SIZE / 2));
        return svg.append("</svg>\n").toString();
    }

    /** The share of prices in the range as bars, and the share that is promised as a line. */
    static String coverage(Map<String, Double> shares, double promised) {
        var svg = open("Prices within the range, in percent");
        double width = (SIZE - 2. * EDGE) / Math.max(1, shares.size());
        double height = SIZE - 2. * EDGE;
        int i = 0;
        for (var share : shares.entrySet()) {
            double tall = height * Math.clamp(share.getValue(), 0, 100) / 100;
            double x = EDGE + i * width;
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#1f6fb4\"/>%n",
                    x + width * .15,
                    SIZE - EDGE - tall,
                    width * .7,
                    tall));
            text(
                    svg,
                    x + width / 2,
                    SIZE - EDGE - tall - 5,
                    "middle",
                    String.format(Locale.ROOT, "%.1f", share.getValue()));
            text(svg, x + width / 2, SIZE - EDGE + 16 + (i % 2) * 14, "middle", share.getKey());
            i++;
        }
        double y = SIZE - EDGE - height * promised / 100;
        line(svg, EDGE, y, SIZE - EDGE, y, "#c33");
        return svg.append("</svg>\n").toString();
    }

    private static StringBuilder open(String title) {
        var svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
                        + "font-size=\"12\">%n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>%n",
                SIZE,
                SIZE,
                SIZE,
                SIZE));
        svg.append(String.format("<title>%s</title>%n", escaped(title)));
        text(svg, SIZE / 2., 30, "middle", title);
        return svg;
    }

    private static void line(StringBuilder svg, double x1, double y1, double x2, double y2, String colour) {
        svg.append(String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>%n",
                x1,
                y1,
                x2,
                y2,
                colour));
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        svg.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
                x,
                y,
                anchor,
                escaped(text)));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private static double at(double value, double least, double most) {
        double share = StrictMath.log(value / least) / StrictMath.log(most / least);
        return Math.clamp(share, 0, 1) * (SIZE - 2. * EDGE);
    }

    private static String number(double value) {
        return value >= 1 ? Long.toString(Math.round(value)) : Double.toString(value);
    }
}
