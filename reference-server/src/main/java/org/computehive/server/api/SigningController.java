package org.computehive.server.api;

import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
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
import org.computehive.rental.Leg;
import org.computehive.rental.LegDigest;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.server.api.Bodies.SignatureBody;
import org.computehive.server.api.Bodies.SignaturesBody;
import org.computehive.server.api.Views.OfferView;
import org.computehive.server.api.Views.RentalView;
import org.computehive.server.api.Views.SignableView;
import org.computehive.server.api.Views.TransactionView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

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

    /**
     * Returns the offer for the lender to sign and then for the renter to open the escrow with: an extension's that waits
     * for its escrow, or what was booked.
     */
    @Get("/offer")
    OfferView offer(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return view(rental, rental.pendingExtension().orElse(rental.legs().getFirst()));
    }

    /** Returns the offers of what was booked and of every extension, as far as they are written. */
    @Get("/offers")
    List<OfferView> offers(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return rental.legs().stream()
                .filter(leg -> leg.offer().isPresent())
                .map(leg -> view(rental, leg))
                .toList();
    }

    private OfferView view(Rental rental, Leg leg) {
        EscrowOffer offer = offerOf(rental, leg);
        List<TransactionView> open = leg.isFunded() || leg.isClosed()
                ? List.of()
                : leg.offerSignature().stream()
                        .flatMap(signature -> wallets.open(offer, signature).stream())
                        .map(TransactionView::of)
                        .toList();
        return new OfferView(
                leg.number(),
                offer.digest().hex(),
                offer.lender().address(),
                wallets.offer(offer),
                open,
                leg.isLocked() ? TransactionView.of(wallets.end(offer)) : null);
    }

    /** Takes the lender's signature of the offer. */
    @Put("/offer/signature")
    RentalView signOffer(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body SignatureBody body) {
        Account lender = caller.as(Role.LENDER);
        Rental rental = own(caller, id);
        return RentalView.of(Once.of(engine, lender, key).signOffer(rental.id(), signature(body)));
    }

    /**
     * Returns the receipt for the time owed, once the session ended: the renter signs it first, then the lender. For a
     * rental that was not extended.
     */
    @Get("/receipt")
    SignableView receipt(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return receipt(rental, only(engine.receiptsToSign(rental.id()), "receipts"));
    }

    /** Returns the receipts of what was booked and of every extension, to be signed likewise. */
    @Get("/receipts")
    List<SignableView> receipts(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return engine.receiptsToSign(rental.id()).stream()
                .map(leg -> receipt(rental, leg))
                .toList();
    }

    private SignableView receipt(Rental rental, LegDigest asked) {
        var terms = rental.terms();
        return new SignableView(
                asked.leg(),
                asked.used(),
                asked.digest().hex(),
                List.of(terms.renter().address(), terms.lender().address()),
                wallets.receipt(offerOf(rental, rental.legs().get(asked.leg())), asked.used()));
    }

    /** Takes a party's signature of the receipt; with both, the escrow is settled at once. */
    @Put("/receipt/signature")
    RentalView signReceipt(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body SignatureBody body) {
        Account signer = RentalController.party(caller);
        Rental rental = own(caller, id);
        return RentalView.of(Once.of(engine, signer, key).signReceipt(rental.id(), signer, signature(body)));
    }

    /** Takes a party's signatures of all receipts, or none; with both parties', every escrow is settled. */
    @Put("/receipts/signatures")
    RentalView signReceipts(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body SignaturesBody body) {
        Account signer = RentalController.party(caller);
        Rental rental = own(caller, id);
        return RentalView.of(Once.of(engine, signer, key).signReceipts(rental.id(), signer, signatures(body)));
    }

    /** Returns the release by which the lender gives the whole deposit back, of a rental that was not extended. */
    @Get("/release")
    SignableView release(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return release(rental, only(engine.releasesToSign(rental.id()), "releases"));
    }

    /** Returns the releases of what was booked and of every extension. */
    @Get("/releases")
    List<SignableView> releases(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = own(caller, id);
        return engine.releasesToSign(rental.id()).stream()
                .map(leg -> release(rental, leg))
                .toList();
    }

    private SignableView release(Rental rental, LegDigest asked) {
        return new SignableView(
                asked.leg(),
                asked.used(),
                asked.digest().hex(),
                List.of(rental.terms().lender().address()),
                wallets.release(offerOf(rental, rental.legs().get(asked.leg()))));
    }

    /** Takes the lender's signature of the release; the deposit goes back at once. */
    @Put("/release/signature")
    RentalView signRelease(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body SignatureBody body) {
        Account lender = caller.as(Role.LENDER);
        Rental rental = own(caller, id);
        return RentalView.of(Once.of(engine, lender, key).signRelease(rental.id(), signature(body)));
    }

    /** Takes the lender's signatures of all releases, or none; every deposit goes back. */
    @Put("/releases/signatures")
    RentalView signReleases(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body SignaturesBody body) {
        Account lender = caller.as(Role.LENDER);
        Rental rental = own(caller, id);
        return RentalView.of(Once.of(engine, lender, key).signReleases(rental.id(), signatures(body)));
    }

    private Rental own(Caller caller, String id) {
        return engine.rental(RentalController.rentalId(id), RentalController.party(caller));
    }

    private static LegDigest only(List<LegDigest> asked, String path) {
        if (asked.size() != 1) {
            throw new RentalException.WrongState(
                    "there are %d legs to sign for, not one: use %s".formatted(asked.size(), path));
        }
        return asked.getFirst();
    }

    private static EscrowOffer offerOf(Rental rental, Leg leg) {
        return leg.offer()
                .orElseThrow(() -> new RentalException.WrongState(
                        "leg %d of rental %s has no offer yet: ask for the rental with after=%d, then again"
                                .formatted(leg.number(), rental.id(), rental.version())));
    }

    private static List<Signature> signatures(SignaturesBody body) {
        List<String> all = BadField.require("signatures", body.signatures());
        return all.stream()
                .map(each -> BadField.parse("signatures", each, SigningController::signature))
                .toList();
    }

    private static Signature signature(SignatureBody body) {
        return BadField.parse("signature", body.signature(), SigningController::signature);
    }

    private static Signature signature(String text) {
        return new Signature(text.toLowerCase(Locale.ROOT));
    }
}
