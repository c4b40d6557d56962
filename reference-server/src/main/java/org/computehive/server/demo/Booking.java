package org.computehive.server.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Stream;
import org.computehive.chain.EvmParty;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.schedule.Window;
import org.computehive.server.platform.DevChain;
import org.computehive.server.platform.LocalPlatform;

/** Step 3: the renter books a window and funds the escrow. */
final class Booking {
    /** From the reservation to the window's start: the time to sign, to fund, and to boot ahead. */
    private static final Duration NOTICE = Duration.ofSeconds(12);

    private final Scene scene;
    private final DemoOptions options;
    private final LocalPlatform platform;
    private final DevChain chain;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty lender;
    private final EvmParty renter;
    private final Path artefacts;

    Booking(Scene scene) {
        this.scene = scene;
        this.options = scene.options;
        this.platform = scene.platform;
        this.chain = scene.chain;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.lender = scene.lender;
        this.renter = scene.renter;
        this.artefacts = scene.artefacts;
    }

    /** Returns the rental, its escrow funded. */
    Rental run(ListingId listing) throws Exception {
        display.headline("3  The renter books a window, signs, and funds the escrow on chain");
        Instant start =
                Instant.now().plus(NOTICE).truncatedTo(ChronoUnit.SECONDS).plusSeconds(1);
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
        boolean twice = isFree(window);
        checks.that("the same gpu can't be booked twice", !twice, twice ? "still on offer" : "no longer on offer");
        Rental signed = display.step(
                "the lender signs the offer (EIP-712)",
                () -> engine.signOffer(reserved.id(), lender.sign(offer.digest())));
        Rental funded = display.step("the renter opens the escrow; await its confirmations", () -> {
            renter.open(offer, signed.offerSignature().orElseThrow());
            return scene.await(reserved, rental -> rental.funded() && rental.lastInvitation() == 0);
        });
        chain.checkpoint(scene.checkpoint());
        display.detail("escrow %s, contract %s, chain %d"
                .formatted(
                        offer.digest().hex().substring(0, 18) + "…",
                        chain.settings().contract(),
                        chain.settings().chainId()));
        List<Path> invitations = calendarFiles("request");
        checks.that("both parties got a calendar invitation", invitations.size() == 2, invitations.size() + " files");
        invitations.forEach(file -> display.detail("calendar: " + artefacts.relativize(file)));
        return funded;
    }

    private boolean isFree(Window window) {
        return !engine.search(ListingQuery.free(window)).isEmpty();
    }

    private List<Path> calendarFiles(String method) throws IOException {
        try (Stream<Path> files = Files.list(platform.layout().calendar())) {
            return files.filter(file -> file.toString().endsWith("-" + method + ".ics"))
                    .sorted()
                    .toList();
        }
    }
}
