package org.computehive.usage;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.computehive.market.Token;
import org.computehive.usage.Invoice.Totals;

/** Writes a page that loads nothing and runs nothing. Stateless. */
final class InvoiceHtml {
    private static final String STYLE = """
            body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;color:#111}
            table{border-collapse:collapse;width:100%}
            th,td{border-bottom:1px solid #ccc;padding:.35em .6em;text-align:left;vertical-align:top}
            td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
            tfoot td{font-weight:600;border-top:2px solid #111}
            .note{color:#555}
            @media print{body{margin:0;max-width:none}}
            """;

    private InvoiceHtml() {}

    static String write(Invoice invoice) {
        String what = invoice.role() == Invoice.Role.LENDER ? "earned as a lender" : "paid as a renter";
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
                <title>Invoice %1$s</title>
                <style>
                %2$s</style>
                </head>
                <body>
                <h1>Invoice %1$s</h1>
                <p>Account <code>%3$s</code>, %4$s in %5$s (UTC).%6$s</p>
                <table>
                <thead><tr><th>Settled</th><th>Rental</th><th>Counterparty</th><th>What</th><th>Window</th>\
                <th class="n">Usable s</th><th class="n">Deposit</th><th class="n">Paid</th><th class="n">Refunded</th>\
                <th class="n">Lender's bond lost</th><th class="n">Disputer's bond lost</th></tr></thead>
                <tbody>
                %7$s</tbody>
                <tfoot>
                %8$s</tfoot>
                </table>
                <p class="note">Sums are of what the escrow paid on the chain, in whole units of the token; each line names its transaction.</p>
                </body>
                </html>
                """.formatted(
                escaped(invoice.number()),
                STYLE,
                escaped(invoice.party().address()),
                what,
                invoice.month(),
                invoice.complete() ? "" : " <strong>The month is not over: lines may follow.</strong>",
                invoice.lines().stream().map(line -> row(invoice.role(), line)).collect(Collectors.joining()),
                invoice.totals().entrySet().stream().map(InvoiceHtml::sums).collect(Collectors.joining()));
    }

    private static String row(Invoice.Role role, Invoice.Line line) {
        UsageRecord usage = line.usage();
        UsageRecord.Charge charge = line.charge();
        Token token = usage.token();
        String what = "%d gpu%s of %s on %s%s%s"
                .formatted(
                        usage.gpus(),
                        usage.gpus() == 1 ? "" : "s",
                        usage.listing(),
                        usage.host(),
                        usage.emulated() ? " (emulated)" : "",
                        charge.leg() == 0 ? "" : ", extension " + charge.leg());
        return cells(
                "",
                List.of(
                        charge.settledAt().toString(),
                        usage.rental() + " " + charge.transaction(),
                        (role == Invoice.Role.LENDER ? usage.renter() : usage.lender()).address(),
                        what,
                        charge.window().start() + " to " + charge.window().end()),
                List.of(
                        Long.toString(Meter.within(usage, charge.window()).toSeconds()),
                        charge.deposit().inTokens(token),
                        charge.paid().inTokens(token),
                        charge.refunded().inTokens(token),
                        charge.slashed().inTokens(token),
                        charge.forfeited().inTokens(token)));
    }

    private static String sums(Map.Entry<Token, Totals> sums) {
        Token token = sums.getKey();
        Totals totals = sums.getValue();
        return cells(
                " colspan=\"5\"",
                List.of("Sum in " + token.symbol()),
                List.of(
                        "",
                        totals.deposit().inTokens(token),
                        totals.paid().inTokens(token),
                        totals.refunded().inTokens(token),
                        totals.slashed().inTokens(token),
                        totals.forfeited().inTokens(token)));
    }

    private static String cells(String span, List<String> texts, List<String> numbers) {
        return texts.stream()
                        .map(text -> "<td%s>%s</td>".formatted(span, escaped(text)))
                        .collect(Collectors.joining("", "<tr>", ""))
                + numbers.stream()
                        .map(number -> "<td class=\"n\">%s</td>".formatted(escaped(number)))
                        .collect(Collectors.joining("", "", "</tr>\n"));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
