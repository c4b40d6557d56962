package org.computehive.server.demo;

import java.time.Duration;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalState;

/** Step 7: the money is settled. */
final class Closing {
    private final Scene scene;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty lender;
    private final EvmParty renter;

    Closing(Scene scene) {
        this.scene = scene;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.lender = scene.lender;
        this.renter = scene.renter;
    }

    /** Step 7: returns the rental, settled. */
    Rental settle(Rental ended) throws Exception {
        display.headline("7  The escrow settles on chain");
        Amount renterBefore = renter.tokenBalance();
        Amount lenderBefore = lender.tokenBalance();
        var receipt = engine.receiptToSign(ended.id());
        Rental settled = display.step("both sign the receipt; the platform settles with it", () -> {
            engine.signReceipt(ended.id(), renter.account(), renter.sign(receipt));
            engine.signReceipt(ended.id(), lender.account(), lender.sign(receipt));
            return scene.await(
                    ended,
                    rental -> rental.state() == RentalState.SETTLED
                            && rental.invitationDue().isEmpty());
        });
        var outcome = settled.settlement().orElseThrow();
        display.step("both withdraw what is theirs", () -> {
            lender.withdraw();
            return renter.withdraw();
        });
        Amount bond = settled.offer().orElseThrow().stakes().bond();
        Amount came = lender.tokenBalance().minus(lenderBefore);
        Amount payout = came.compareTo(bond) < 0 ? Amount.ZERO : came.minus(bond);
        Amount refund = renter.tokenBalance().minus(renterBefore);
        Amount deposit = settled.terms().deposit();
        display.detail("payout to the lender   %20s".formatted(scene.shown(payout)));
        display.detail("refund to the renter   %20s".formatted(scene.shown(refund)));
        display.detail("sum                    %20s".formatted(scene.shown(payout.plus(refund))));
        display.detail("deposit                %20s".formatted(scene.shown(deposit)));
        display.detail("the lender's bond      %20s, lost of it %s"
                .formatted(scene.shown(bond), scene.shown(outcome.slashed())));
        checks.that(
                "payout + refund = deposit, to the unit",
                payout.plus(refund).equals(deposit),
                payout.plus(refund) + " of " + deposit);
        checks.that(
                "the wallets hold what the chain said",
                payout.equals(outcome.paid()) && refund.equals(outcome.refunded()),
                outcome.paid() + " and " + outcome.refunded());
        checks.that(
                "the lender's bond came back whole with the payout",
                came.equals(outcome.paid().plus(bond)),
                "%s + %s".formatted(outcome.paid(), bond));
        Duration owed = owed(settled);
        checks.that(
                "the payout is the rate times the seconds owed",
                payout.equals(settled.terms().rate().cost(owed)),
                "%d s: %d s used, early end %d s"
                        .formatted(
                                owed.toSeconds(),
                                settled.used().toSeconds(),
                                late(settled).toSeconds()));
        return settled;
    }

    /** The time used; a renter who ends early owes what was agreed for that at least. */
    private Duration owed(Rental settled) {
        Duration late = late(settled);
        return settled.used().compareTo(late) < 0 ? late : settled.used();
    }

    private Duration late(Rental settled) {
        return scene.options.untilEnd()
                ? Duration.ZERO
                : settled.terms().cancellation().lateCharge(settled.terms().window());
    }
}
