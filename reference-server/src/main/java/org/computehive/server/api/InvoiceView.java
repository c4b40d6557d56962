package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.server.api.Views.RateView;
import org.computehive.server.api.Views.TokenView;
import org.computehive.server.api.Views.WindowView;
import org.computehive.usage.Invoice;
import org.jspecify.annotations.Nullable;

/** What the caller was paid, or paid, in a month; each line is a settlement on the chain. */
@Schema(name = "Invoice")
record InvoiceView(
        String number,
        String party,
        String role,
        String month,
        boolean complete,
        List<LineView> lines,
        List<TotalView> totals) {
    static InvoiceView of(Invoice invoice) {
        return new InvoiceView(
                invoice.number(),
                invoice.party().address(),
                invoice.role().name(),
                invoice.month().toString(),
                invoice.complete(),
                invoice.lines().stream().map(LineView::of).toList(),
                invoice.totals().entrySet().stream()
                        .map(sum -> new TotalView(
                                TokenView.of(sum.getKey()),
                                sum.getValue().deposit().toString(),
                                sum.getValue().paid().toString(),
                                sum.getValue().refunded().toString(),
                                sum.getValue().slashed().toString(),
                                sum.getValue().forfeited().toString()))
                        .toList());
    }

    /** One settlement: {@code paid} and {@code refunded} are the deposit. {@code used} is the whole rental's. */
    @Schema(name = "InvoiceLine")
    record LineView(
            String rental,
            int leg,
            String renter,
            String lender,
            String listing,
            String host,
            int gpus,
            boolean emulated,
            WindowView window,
            Duration used,
            RateView rate,
            TokenView token,
            String deposit,
            String paid,
            String refunded,

            @Schema(description = "what of the lender's bond went to the renter, beside the deposit")
            String slashed,

            @Schema(description = "what of the bond of the party that disputed went to the other one")
            String forfeited,

            @Nullable @Schema(description = "the party that disputed, if one did")
            String disputedBy,

            String transaction,
            Instant settledAt) {
        static LineView of(Invoice.Line line) {
            var usage = line.usage();
            var charge = line.charge();
            return new LineView(
                    usage.rental().value(),
                    charge.leg(),
                    usage.renter().address(),
                    usage.lender().address(),
                    usage.listing().value(),
                    usage.host().value(),
                    usage.gpus(),
                    usage.emulated(),
                    WindowView.of(charge.window()),
                    usage.used(),
                    RateView.of(charge.rate(), usage.token()),
                    TokenView.of(usage.token()),
                    charge.deposit().toString(),
                    charge.paid().toString(),
                    charge.refunded().toString(),
                    charge.slashed().toString(),
                    charge.forfeited().toString(),
                    charge.disputedBy().map(Account::address).orElse(null),
                    charge.transaction().hex(),
                    charge.settledAt());
        }
    }

    /** The sums in one token. */
    @Schema(name = "InvoiceTotal")
    record TotalView(TokenView token, String deposit, String paid, String refunded, String slashed, String forfeited) {}
}
