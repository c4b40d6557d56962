package org.computehive.server.demo;

import java.util.concurrent.TimeUnit;
import org.computehive.chain.EvmEscrow;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalState;

/** What becomes of the money when the walk breaks off after the escrow was funded. */
final class Recovery {
    private final Scene scene;
    private final Display display;
    private final Checks checks;

    Recovery(Scene scene) {
        this.scene = scene;
        this.display = scene.display;
        this.checks = scene.checks;
    }

    /** Gets the money back by the way that is open; nothing is done where none is locked. */
    void run() throws Exception {
        Rental rental = scene.rental().orElse(null);
        if (rental == null || rental.offerSignature().isEmpty() || rental.state() == RentalState.SETTLED) {
            return;
        }
        if (scene.chain.onExit().isDone()) {
            bringBackTheChain(rental);
            byOwnHand(rental);
        } else if (rental.fault().isPresent()) {
            byRelease(rental);
        } else {
            display.headline("The walk broke off: what becomes of the money?");
            byOwnHand(rental);
        }
    }

    private void bringBackTheChain(Rental rental) throws Exception {
        display.headline("The chain node is gone: what becomes of the money?");
        EscrowOffer offer = rental.offer().orElseThrow();
        Reading blind = display.step(
                "the engine reads the escrow", () -> scene.platform.escrow().read(offer));
        checks.that(
                "a chain that can't be read is unknown, not unpaid",
                blind instanceof Reading.Unknown,
                blind.getClass().getSimpleName());
        RentalState state = scene.rental().orElseThrow().state();
        checks.that("nothing was torn down for it", state == rental.state() || !state.isOver(), state.toString());
        display.step("the node comes back from its last state", () -> {
            scene.chain.restart(scene.checkpoint());
            return true;
        });
    }

    /** The session failed, and the lender signs that everything goes back. */
    private void byRelease(Rental rental) throws Exception {
        display.headline("The session failed: what becomes of the money?");
        Amount before = scene.renter.tokenBalance();
        Rental ended = display.step(
                "what was started of it is taken down",
                () -> scene.await(rental, now -> now.state() == RentalState.ENDED));
        Rental settled = display.step("the lender signs the release; the platform settles with it", () -> {
            var release = scene.engine.releaseToSign(ended.id());
            scene.engine.signRelease(ended.id(), scene.lender.sign(release));
            return scene.await(ended, now -> now.state() == RentalState.SETTLED);
        });
        display.step("the renter withdraws", scene.renter::withdraw);
        Amount back = scene.renter.tokenBalance().minus(before);
        Amount deposit = settled.terms().deposit();
        Amount ofBond = settled.settlement().orElseThrow().slashed();
        display.detail(
                "back in the renter's wallet: %s, the deposit of %s and, as agreed for one who gives up late, %s of the lender's bond; a renter whose lender won't sign ends the escrow alone"
                        .formatted(scene.shown(back), scene.shown(deposit), scene.shown(ofBond)));
        checks.that(
                "the whole deposit is back",
                settled.settlement().orElseThrow().refunded().equals(deposit) && back.equals(deposit.plus(ofBond)),
                "%s, and %s of the bond".formatted(deposit, ofBond));
        checkNothingRuns("it could not start");
    }

    /** The renter ends the escrow on the chain, with nobody's help; the engine sees it. */
    private void byOwnHand(Rental rental) throws Exception {
        EscrowOffer offer = rental.offer().orElseThrow();
        try (EvmEscrow escrow = scene.chain.connect()) {
            if (escrow.read(offer) instanceof Reading.Absent) {
                display.detail("nothing was locked");
                return;
            }
            EvmParty renter = escrow.party(scene.chain.renter());
            Amount before = renter.tokenBalance();
            Reading.Closed closed = display.step("the renter ends the escrow by its own hand", () -> renter.end(offer));
            display.step("the renter withdraws", renter::withdraw);
            Amount back = renter.tokenBalance().minus(before);
            display.detail("paid to the lender %s, back in the renter's wallet %s"
                    .formatted(scene.shown(closed.paid()), scene.shown(back)));
            checks.that(
                    "the renter recovered what the lender did not earn",
                    back.equals(closed.refunded())
                            && closed.paid().plus(closed.refunded()).equals(offer.deposit()),
                    back + " of " + offer.deposit());
        }
        Rental settled = display.step(
                "the engine sees it, and ends the session",
                () -> scene.engine
                        .when(rental.id(), now -> now.state() == RentalState.SETTLED)
                        .get(Scene.PATIENCE.toSeconds(), TimeUnit.SECONDS));
        checkNothingRuns(settled.endCause().map(Enum::name).orElse("it was called off"));
    }

    private void checkNothingRuns(String why) {
        checks.that(
                "the session ended with the escrow",
                scene.platform.hypervisor().list().isEmpty(),
                why);
    }
}
