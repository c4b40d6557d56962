package org.computehive.usage;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.market.Account;

/** Writes CSV as RFC 4180 has it. Stateless. */
final class InvoiceCsv {
    private static final List<String> HEADER = List.of(
            "settled_at",
            "rental",
            "leg",
            "lender",
            "renter",
            "listing",
            "host",
            "gpus",
            "emulated",
            "start",
            "end",
            "usable_seconds",
            "interrupted_seconds",
            "token",
            "token_contract",
            "token_decimals",
            "rate_units_per_second",
            "deposit_units",
            "paid_units",
            "refunded_units",
            "transaction",
            "slashed_units",
            "forfeited_units",
            "disputed_by");

    private InvoiceCsv() {}

    static String write(Invoice invoice) {
        return Stream.concat(Stream.of(HEADER), invoice.lines().stream().map(InvoiceCsv::values))
                .map(values -> values.stream().map(InvoiceCsv::field).collect(Collectors.joining(",", "", "\r\n")))
                .collect(Collectors.joining());
    }

    private static List<String> values(Invoice.Line line) {
        UsageRecord usage = line.usage();
        UsageRecord.Charge charge = line.charge();
        return Stream.of(
                        charge.settledAt(),
                        usage.rental(),
                        charge.leg(),
                        usage.lender(),
                        usage.renter(),
                        usage.listing(),
                        usage.host(),
                        usage.gpus(),
                        usage.emulated(),
                        charge.window().start(),
                        charge.window().end(),
                        Meter.within(usage, charge.window()).toSeconds(),
                        usage.interrupted().toSeconds(),
                        usage.token().symbol(),
                        usage.token().contract(),
                        usage.token().decimals(),
                        charge.rate().unitsPerSecond(),
                        charge.deposit(),
                        charge.paid(),
                        charge.refunded(),
                        charge.transaction(),
                        charge.slashed(),
                        charge.forfeited(),
                        charge.disputedBy().map(Account::toString).orElse(""))
                .map(Object::toString)
                .toList();
    }

    /** A text that a spreadsheet would take for a formula gets an apostrophe before it. */
    private static String field(String value) {
        String safe = value.matches("(?s)[=+\\-@\t\r].*") ? "'" + value : value;
        return safe.matches("(?s).*[\",\r\n].*") ? '"' + safe.replace("\"", "\"\"") + '"' : safe;
    }
}
