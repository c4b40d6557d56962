package org.computehive.pricing.simulation;

import java.util.List;
import java.util.Locale;

/** Draws a ranking as SVG: a dot with its confidence interval for each policy, a row for each scenario. Stateless. */
final class RankingPlot {
    private static final List<String> COLOURS = List.of("#888", "#2a9d5c", "#c33", "#1f6fb4", "#8c5ab4", "#c80");
    private static final int LEFT = 180;
    private static final int WIDTH = 520;
    private static final int ROW = 44;
    private static final double LEAST = 40;
    private static final double MOST = 160;

    private RankingPlot() {}

    static String of(Ranking ranking) {
        List<String> scenarios =
                ranking.rows().stream().map(Ranking.Row::scenario).distinct().toList();
        List<String> policies = ranking.policies();
        int height = 70 + ROW * scenarios.size() + 40;
        var svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">%n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>%n"
                        + "<text x=\"10\" y=\"20\">Policies ranked; the median-fixed price is 100; %d seeds</text>%n",
                LEFT + WIDTH + 20,
                height,
                LEFT + WIDTH + 20,
                height,
                ranking.seeds()));
        for (int tick = 40; tick <= 160; tick += 20) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%.1f\" y1=\"60\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>"
                            + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>%n",
                    x(tick),
                    x(tick),
                    height - 40,
                    x(tick),
                    height - 22,
                    tick));
        }
        for (int p = 0; p < policies.size(); p++) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%d\" y=\"42\" fill=\"%s\">%s</text>%n",
                    LEFT + p * 130,
                    COLOURS.get(p % COLOURS.size()),
                    escaped(policies.get(p))));
        }
        for (int s = 0; s < scenarios.size(); s++) {
            double top = 70 + ROW * s;
            svg.append(String.format(
                    Locale.ROOT, "<text x=\"10\" y=\"%.1f\">%s</text>%n", top + 20, escaped(scenarios.get(s))));
            for (Ranking.Row row : ranking.rows()) {
                if (row.scenario().equals(scenarios.get(s))) {
                    int p = policies.indexOf(row.policy());
                    double y = top + 8 + p * 30. / policies.size();
                    String colour = COLOURS.get(p % COLOURS.size());
                    svg.append(String.format(
                            Locale.ROOT,
                            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>"
                                    + "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>%n",
                            x(row.index() - row.interval()),
                            y,
                            x(row.index() + row.interval()),
                            y,
                            colour,
                            x(row.index()),
                            y,
                            colour));
                }
            }
        }
        return svg.append("</svg>\n").toString();
    }

    private static double x(double index) {
        return LEFT + WIDTH * (Math.clamp(index, LEAST, MOST) - LEAST) / (MOST - LEAST);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
