package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import org.computehive.market.Token;
import org.computehive.rental.Leg;
import org.computehive.server.api.Views.RateView;
import org.computehive.server.api.Views.SettlementView;
import org.computehive.server.api.Views.WindowView;
import org.jspecify.annotations.Nullable;

/**
 * What was booked, or an extension: each has an escrow of its own.
 *
 * @param number 0 for what was booked
 * @param holdUntil until when its time is held without being funded
 * @param settlement what the chain paid for it
 */
@Schema(name = "Leg")
record LegView(
        int number,
        WindowView window,
        RateView rate,
        String deposit,
        Instant holdUntil,
        boolean offerWritten,
        boolean offerSigned,
        boolean funded,
        boolean lapsed,
        @Nullable SettlementView settlement) {
    static LegView of(Leg leg, Token token) {
        return new LegView(
                leg.number(),
                WindowView.of(leg.window()),
                RateView.of(leg.rate(), token),
                leg.deposit().toString(),
                leg.holdUntil(),
                leg.offer().isPresent(),
                leg.offerSignature().isPresent(),
                leg.isFunded(),
                leg.isLapsed(),
                leg.settlement().map(SettlementView::of).orElse(null));
    }
}
