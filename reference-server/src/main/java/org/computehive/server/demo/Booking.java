package org.computehive.server.demo;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.schedule.Window;
import org.computehive.server.platform.DevChain;

/** Step 3: the renter books a window and funds the escrow. */
final class Booking {
    private final Scene scene;
    private final DemoOptions options;
    private final DevChain chain;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty lender;
    private final EvmParty renter;

    Booking(Scene scene) {
        this.scene = scene;
        this.options = scene.options;
        this.chain = scene.chain;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.lender = scene.lender;
        this.renter = scene.renter;
    }

    /** Returns the rental, its escrow funded. */
    Rental run(Listing listed) throws Exception {
        display.headline("3  The renter books a window, signs, and funds the escrow on chain");
        ListingId listing = listed.id();
        Instant start = Instant.now()
                .plus(options.notice())
                .truncatedTo(ChronoUnit.SECONDS)
                .plusSeconds(1);
        Window window = Window.of(start, options.window());
        List<Listing> found =
                display.step("search for what is free in the window", () -> engine.search(ListingQuery.free(window)));
        checks.that("the search finds the listing", found.size() == 1, found.size() + " found");
        Quote quote = display.step("get a quote", () -> engine.quote(renter.account(), listing, window));
        Rental reserved = display.step("reserve the window", () -> {
            Rental held = engine.reserve(quote.id(), renter.account());
            return scene.await(held, rental -> rental.offer().isPresent());
        });
        EscrowOffer offer = reserved.offer().orElseThrow();
        display.detail("rental %s, %s to %s, deposit %s"
                .formatted(reserved.id(), window.start(), window.end(), scene.shown(offer.deposit())));
        boolean twice = scene.isFree(window);
        checks.that("the same gpu can't be booked twice", !twice, twice ? "still on offer" : "no longer on offer");
        checks.that(
                "the offer carries the listing's terms and bond to the chain",
                offer.cancellation().equals(listed.rules().cancellation())
                        && offer.stakes().equals(listed.rules().stakes()),
                "bond %s, late %d %%"
                        .formatted(
                                scene.shown(offer.stakes().bond()),
                                offer.cancellation().lateShare() / 100));
        Rental signed = display.step("the lender puts up its bond and signs the offer (EIP-712)", () -> {
            lender.deposit(offer.stakes().bond());
            return engine.signOffer(reserved.id(), lender.sign(offer.digest()));
        });
        Amount unlocked = lender.ledgerBalance();
        Amount inPocket = renter.tokenBalance();
        Rental funded = display.step("the renter opens the escrow; await its confirmations", () -> {
            renter.open(offer, signed.offerSignature().orElseThrow());
            return scene.await(reserved, rental -> rental.funded() && rental.lastInvitation() == 0);
        });
        chain.checkpoint(scene.checkpoint());
        Amount bond = unlocked.minus(lender.ledgerBalance());
        Amount deposit = inPocket.minus(renter.tokenBalance());
        checks.that(
                "deposit and bond are locked on the chain, to the unit",
                bond.equals(offer.stakes().bond()) && deposit.equals(offer.deposit()),
                deposit + " and " + bond);
        display.detail("escrow %s, contract %s, chain %d"
                .formatted(
                        offer.digest().hex().substring(0, 18) + "…",
                        chain.settings().contract(),
                        chain.settings().chainId()));
        return funded;
    }
}
