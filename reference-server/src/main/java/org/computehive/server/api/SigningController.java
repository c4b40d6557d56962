package org.computehive.server.api;

import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Put;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import java.util.Locale;
import org.computehive.chain.WalletRequests;
import org.computehive.market.Account;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.server.api.Bodies.SignatureBody;
import org.computehive.server.api.Views.OfferView;
import org.computehive.server.api.Views.RentalView;
import org.computehive.server.api.Views.SignableView;
import org.computehive.server.api.Views.TransactionView;
import org.computehive.server.config.ReferencePlatform;

/** What the parties sign and send with their own wallets: the server holds no key of theirs. */
@Controller("/rentals/{id}")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "wallets")
class SigningController {
    private final RentalEngine engine;
    private final WalletRequests wallets;

    SigningController(ReferencePlatform platform) {
        this.engine = platform.engine();
        this.wallets = platform.local().escrow().walletRequests();
    }

    /** Returns the offer for the lender to sign and then for the renter to open the escrow with. */
    @Get("/offer")
    OfferView offer(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        EscrowOffer offer = offerOf(rental);
        List<TransactionView> open = rental.funded()
                ? List.of()
                : rental.offerSignature().stream()
                        .flatMap(signature -> wallets.open(offer, signature).stream())
                        .map(TransactionView::of)
                        .toList();
        return new OfferView(
                offer.digest().hex(),
                offer.lender().address(),
                wallets.offer(offer),
                open,
                rental.funded() && rental.settlement().isEmpty() ? TransactionView.of(wallets.end(offer)) : null);
    }

    /** Takes the lender's signature of the offer. */
    @Put("/offer/signature")
    RentalView signOffer(@Parameter(hidden = true) Caller caller, String id, @Body SignatureBody body) {
        caller.as(Role.LENDER);
        return RentalView.of(engine.signOffer(own(caller, id).id(), signature(body)));
    }

    /** Returns the receipt for the time used, once the session ended: the renter signs it first, then the lender. */
    @Get("/receipt")
    SignableView receipt(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        String digest = engine.receiptToSign(rental.id()).hex();
        return new SignableView(
                digest,
                List.of(
                        rental.terms().renter().address(),
                        rental.terms().lender().address()),
                wallets.receipt(offerOf(rental), rental.used()));
    }

    /** Takes a party's signature of the receipt; with both, the escrow is settled at once. */
    @Put("/receipt/signature")
    RentalView signReceipt(@Parameter(hidden = true) Caller caller, String id, @Body SignatureBody body) {
        Account signer = RentalController.party(caller);
        return RentalView.of(engine.signReceipt(own(caller, id).id(), signer, signature(body)));
    }

    /** Returns the release by which the lender gives the whole deposit back. */
    @Get("/release")
    SignableView release(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return new SignableView(
                engine.releaseToSign(rental.id()).hex(),
                List.of(rental.terms().lender().address()),
                wallets.release(offerOf(rental)));
    }

    /** Takes the lender's signature of the release; the deposit goes back at once. */
    @Put("/release/signature")
    RentalView signRelease(@Parameter(hidden = true) Caller caller, String id, @Body SignatureBody body) {
        caller.as(Role.LENDER);
        return RentalView.of(engine.signRelease(own(caller, id).id(), signature(body)));
    }

    private Rental own(Caller caller, String id) {
        return engine.rental(RentalController.rentalId(id), RentalController.party(caller));
    }

    private static EscrowOffer offerOf(Rental rental) {
        return rental.offer()
                .orElseThrow(() -> new RentalException.WrongState(
                        "rental %s has no offer yet: ask for the rental with after=%d, then again"
                                .formatted(rental.id(), rental.version())));
    }

    private static Signature signature(SignatureBody body) {
        return BadField.parse("signature", body.signature(), text -> new Signature(text.toLowerCase(Locale.ROOT)));
    }
}
