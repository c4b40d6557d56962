package org.computehive.server.demo;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalState;
import org.computehive.schedule.Window;

/** While the VM boots, the renter books another window and calls it off in time: what the terms say, the contract does. */
final class CalledOff {
    private static final Duration LATER = Duration.ofDays(1);

    private final Scene scene;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty lender;
    private final EvmParty renter;

    CalledOff(Scene scene) {
        this.scene = scene;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.lender = scene.lender;
        this.renter = scene.renter;
    }

    /** Returns the rental, settled. */
    Rental run(Listing listing, Window first) throws Exception {
        display.headline("3b While the VM boots: tomorrow's window too, called off in time");
        Window window = Window.of(first.start().plus(LATER), first.length());
        Rental reserved = display.step("the renter takes it at the listed price, in one step", () -> {
            Rental held = engine.reserve(
                    renter.account(), listing.id(), window, listing.price().cost(window.length()));
            return await(held, rental -> rental.offer().isPresent());
        });
        EscrowOffer offer = reserved.offer().orElseThrow();
        display.step("the lender signs, the renter funds", () -> {
            Rental signed = engine.signOffer(reserved.id(), lender.sign(offer.digest()));
            lender.deposit(offer.stakes().bond());
            renter.open(offer, signed.offerSignature().orElseThrow());
            return await(reserved, rental -> rental.funded() && rental.lastInvitation() == 0);
        });
        Amount before = renter.tokenBalance();
        Amount bondsBefore = lender.ledgerBalance();
        Reading.Closed closed = display.step("the renter ends the escrow by its own hand", () -> renter.end(offer));
        Amount bond = lender.ledgerBalance().minus(bondsBefore);
        renter.withdraw();
        lender.withdraw();
        Amount back = renter.tokenBalance().minus(before);
        Rental settled = display.step(
                "the engine sees it on the chain, and tells both parties",
                () -> await(
                        reserved,
                        rental -> rental.state() == RentalState.SETTLED
                                && rental.invitationDue().isEmpty()));
        scene.chain.checkpoint(scene.checkpoint());
        display.detail("rental %s, %s to %s: back to the renter %s of %s"
                .formatted(
                        reserved.id(), window.start(), window.end(), scene.shown(back), scene.shown(offer.deposit())));
        checks.that(
                "called off in time: all back, the bond too, the window free",
                back.equals(offer.deposit())
                        && closed.paid().equals(Amount.ZERO)
                        && bond.equals(offer.stakes().bond())
                        && scene.isFree(window),
                back + " of " + offer.deposit() + " back");
        return settled;
    }

    private Rental await(Rental rental, Predicate<Rental> condition) throws Exception {
        return engine.when(rental.id(), condition).get(Scene.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}
