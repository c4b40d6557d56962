package org.computehive.server.api;

import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.computehive.chain.WalletRequests;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.Leg;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.server.api.Views.TransactionView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/**
 * What parties and arbiters send to the escrow with their own wallets, besides opening it. The engine sees on the chain
 * what they did; what the contract would refuse now is refused here, with its reason.
 */
@Controller
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "wallets")
class EscrowController {
    private final RentalEngine engine;
    private final RentalStore store;
    private final WalletRequests wallets;

    EscrowController(ReferencePlatform platform) {
        this.engine = platform.engine();
        this.store = platform.store();
        this.wallets = platform.local().escrow().walletRequests();
    }

    /**
     * Returns what the caller sends to end the escrow. The renter pays what it owes. The lender gives everything back until
     * its grace is over, which may cost of its bond, and later claims the time since the start.
     *
     * @param leg 0 or nothing for what was booked, or the extension's number
     */
    @Get("/rentals/{id}/escrow/end")
    TransactionView end(@Parameter(hidden = true) Caller caller, String id, @Nullable @QueryValue Integer leg) {
        EscrowOffer offer = offer(ofParty(caller, id), leg);
        return TransactionView.of(caller.role() == Role.LENDER ? wallets.endAsLender(offer) : wallets.end(offer));
    }

    /**
     * Returns what the caller sends to report that the other party never came, or never started. It stands unless that one
     * disputes it in time.
     *
     * @param leg 0 or nothing for what was booked, or the extension's number
     */
    @Get("/rentals/{id}/escrow/no-show")
    TransactionView noShow(@Parameter(hidden = true) Caller caller, String id, @Nullable @QueryValue Integer leg) {
        Rental rental = ofParty(caller, id);
        return TransactionView.of(wallets.reportNoShow(offer(rental, leg), caller.account()));
    }

    /**
     * Returns what the caller sends, in order, to dispute what is paid: its bond, and the evidence for the arbiter.
     *
     * @param evidence the root of the audit log that holds it, 32 bytes in hexadecimal
     * @param entry the index of the first entry that is evidence
     * @param leg 0 or nothing for what was booked, or the extension's number
     */
    @Get("/rentals/{id}/escrow/dispute")
    List<TransactionView> dispute(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @QueryValue String evidence,
            @Nullable @QueryValue String entry,
            @Nullable @QueryValue Integer leg) {
        Account party = RentalController.party(caller);
        Hash32 root = BadField.parse("evidence", evidence, text -> new Hash32(text.toLowerCase(Locale.ROOT)));
        BigInteger first = BadField.parse("entry", entry == null ? "0" : entry, EscrowController::uint64);
        EscrowOffer offer = offer(ofParty(caller, id), leg);
        return wallets.dispute(offer, party, root, first).stream()
                .map(TransactionView::of)
                .toList();
    }

    /**
     * Returns what the arbiter that the offer names sends to decide a dispute.
     *
     * @param used the time that the renter pays for, as PT1H, at most the window
     * @param slash units of the lender's bond that go to the renter
     * @param forfeit units of the bond of the party that disputed that go to the other one
     * @param leg 0 or nothing for what was booked, or the extension's number
     */
    @Get("/rentals/{id}/escrow/ruling")
    TransactionView ruling(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @QueryValue String used,
            @Nullable @QueryValue String slash,
            @Nullable @QueryValue String forfeit,
            @Nullable @QueryValue Integer leg) {
        Account arbiter = caller.as(Role.ARBITER);
        EscrowOffer offer = offer(decided(arbiter, id), leg);
        Duration paid = BadField.parse("used", used, text -> within(offer, Duration.parse(text)));
        Amount ofLender = units("slash", slash);
        Amount ofDisputer = units("forfeit", forfeit);
        return TransactionView.of(wallets.resolve(offer, paid, ofLender, ofDisputer));
    }

    /**
     * Returns what the caller sends to settle an open escrow without the other party: after the time lock, by a party's word
     * that nobody objected to, or after the arbiter's silence, as its phase allows.
     *
     * @param leg 0 or nothing for what was booked, or the extension's number
     */
    @Get("/rentals/{id}/escrow/settlement")
    TransactionView settlement(@Parameter(hidden = true) Caller caller, String id, @Nullable @QueryValue Integer leg) {
        Rental rental = caller.role() == Role.ARBITER ? decided(caller.account(), id) : ofParty(caller, id);
        return TransactionView.of(wallets.settle(offer(rental, leg), caller.account()));
    }

    /**
     * Returns what the caller sends, in order, to move units of the token to its balance in the escrow's ledger: a lender
     * for its bonds, a renter to open without approvals.
     */
    @Get("/account/deposit")
    List<TransactionView> deposit(@Parameter(hidden = true) Caller caller, @Nullable @QueryValue String units) {
        Account account = RentalController.party(caller);
        Amount amount = BadField.parse("units", units, text -> positive(amount(text)));
        return wallets.deposit(account, amount).stream()
                .map(TransactionView::of)
                .toList();
    }

    /** Returns what a lender sends to make worthless every offer that it signed for one of its lanes, while that is idle. */
    @Get("/account/offers-cancellation")
    TransactionView cancelOffers(@Parameter(hidden = true) Caller caller, @Nullable @QueryValue String lane) {
        Account lender = caller.as(Role.LENDER);
        return TransactionView.of(wallets.cancelOffers(lender, BadField.parse("lane", lane, EscrowController::uint64)));
    }

    private Rental ofParty(Caller caller, String id) {
        return engine.rental(RentalController.rentalId(id), RentalController.party(caller));
    }

    /** An arbiter sees the rentals that name it, and no others. */
    private Rental decided(Account arbiter, String id) {
        RentalId rental = RentalController.rentalId(id);
        return store.rental(rental)
                .filter(found -> found.terms().stakes().arbiter().equals(arbiter))
                .orElseThrow(() -> new RentalException.NotFound("there is no rental %s".formatted(rental)));
    }

    private static EscrowOffer offer(Rental rental, @Nullable Integer leg) {
        int number = leg == null ? 0 : leg;
        List<Leg> legs = rental.legs();
        if (number < 0 || number >= legs.size()) {
            throw new BadField("leg", "leg %d of %d: the first is 0".formatted(number, legs.size()));
        }
        return legs.get(number)
                .offer()
                .orElseThrow(() -> new RentalException.WrongState(
                        "leg %d of rental %s has no offer yet".formatted(number, rental.id())));
    }

    private static Duration within(EscrowOffer offer, Duration used) {
        Duration length = offer.window().length();
        if (used.isNegative() || used.toNanosPart() != 0 || used.compareTo(length) > 0) {
            throw new IllegalArgumentException("used %s must be whole seconds, at most %s".formatted(used, length));
        }
        return used;
    }

    private static Amount units(String field, @Nullable String text) {
        return BadField.parse(field, text == null ? "0" : text, EscrowController::amount);
    }

    private static Amount amount(String text) {
        return new Amount(integer(text, 96));
    }

    private static Amount positive(Amount amount) {
        if (amount.equals(Amount.ZERO)) {
            throw new IllegalArgumentException("0 units are no deposit: give at least 1");
        }
        return amount;
    }

    private static BigInteger uint64(String text) {
        return integer(text, 64);
    }

    private static BigInteger integer(String text, int bits) {
        if (!text.matches("[0-9]{1,29}") || new BigInteger(text).bitLength() > bits) {
            throw new IllegalArgumentException("\"%s\" is no number from 0 to 2^%d - 1"
                    .formatted(text.length() > 40 ? text.substring(0, 40) : text, bits));
        }
        return new BigInteger(text);
    }
}
