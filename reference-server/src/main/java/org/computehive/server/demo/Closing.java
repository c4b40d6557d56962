package org.computehive.server.demo;

import java.nio.file.Files;
import java.nio.file.Path;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalState;
import org.computehive.server.platform.LocalPlatform;

/** Steps 7 and 8: the money is settled, the audit log verified. */
final class Closing {
    private final Scene scene;
    private final LocalPlatform platform;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty lender;
    private final EvmParty renter;
    private final Path artefacts;

    Closing(Scene scene) {
        this.scene = scene;
        this.platform = scene.platform;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.lender = scene.lender;
        this.renter = scene.renter;
        this.artefacts = scene.artefacts;
    }

    /** Step 7. */
    void settle(Rental ended) throws Exception {
        display.headline("7  The escrow settles on chain");
        Amount renterBefore = renter.tokenBalance();
        Amount lenderBefore = lender.tokenBalance();
        var receipt = engine.receiptToSign(ended.id());
        Rental settled = display.step("both sign the receipt; the platform settles with it", () -> {
            engine.signReceipt(ended.id(), renter.account(), renter.sign(receipt));
            engine.signReceipt(ended.id(), lender.account(), lender.sign(receipt));
            return scene.await(ended, rental -> rental.state() == RentalState.SETTLED);
        });
        var outcome = settled.settlement().orElseThrow();
        display.step("both withdraw what is theirs", () -> {
            lender.withdraw();
            return renter.withdraw();
        });
        Amount payout = lender.tokenBalance().minus(lenderBefore);
        Amount refund = renter.tokenBalance().minus(renterBefore);
        Amount deposit = settled.terms().deposit();
        display.detail("payout to the lender   %20s".formatted(scene.shown(payout)));
        display.detail("refund to the renter   %20s".formatted(scene.shown(refund)));
        display.detail("sum                    %20s".formatted(scene.shown(payout.plus(refund))));
        display.detail("deposit                %20s".formatted(scene.shown(deposit)));
        checks.that(
                "payout + refund = deposit, to the unit",
                payout.plus(refund).equals(deposit),
                payout.plus(refund) + " of " + deposit);
        checks.that(
                "the wallets hold what the chain said",
                payout.equals(outcome.paid()) && refund.equals(outcome.refunded()),
                outcome.paid() + " and " + outcome.refunded());
        checks.that(
                "the payout is the rate times the seconds used",
                payout.equals(settled.due()),
                settled.used().toSeconds() + " s");
    }

    /** Step 8. */
    void verifyAudit() throws Exception {
        display.headline("8  The audit log is verified by itself, and a tampered byte is caught");
        platform.auditLog().publish();
        var audit = new AuditCheck(platform.layout().audit(), platform.auditVerifierKey());
        Files.writeString(artefacts.resolve("audit-key.txt"), platform.auditVerifierKey() + "\n");
        AuditCheck.Verdict honest = display.step("the stand-alone verifier, in a process of its own", audit::verify);
        honest.shown().forEach(display::detail);
        checks.that("the audit log verifies", honest.holds(), honest.lastLine());
        AuditCheck.Verdict tampered =
                display.step("the same after one byte was changed in a copy", audit::verifyTampered);
        tampered.shown().forEach(display::detail);
        checks.that("a tampered byte is caught", !tampered.holds(), tampered.lastLine());
    }
}
