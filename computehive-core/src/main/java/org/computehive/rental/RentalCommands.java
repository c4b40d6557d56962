package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.Maintenance;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;

/**
 * What callers can have changed: by {@link RentalEngine} itself each time it is asked, or by {@link RentalEngine#once} once
 * for a key.
 *
 * <p>A command returns once what it acknowledges is durable and in the audit log; one that is refused has changed nothing.
 * Thread-safe.
 */
public interface RentalCommands {

    /**
     * Reads a host's inventory, keeps it, and runs VMs on it from now on. Called again for the same host after a restart:
     * under a key of its own to read the inventory anew, under the same key to connect the host as it was read then.
     *
     * @param id the lender's name for it
     * @param lender who owns it
     * @param hypervisor its hypervisor; stays open when the engine closes
     * @throws HypervisorException if it can't be read
     * @throws RentalException.NotAllowed if the name is another lender's
     */
    Host registerHost(HostId id, Account lender, Hypervisor hypervisor);

    /**
     * Offers gpus, or changes an offer of the same id; rentals and quotes already made keep their terms.
     *
     * @param listing what is offered
     * @throws RentalException.NotFound if there is no such host, or not of this lender's
     * @throws RentalException.Unacceptable if the listing promises more than its host can keep, or a gpu can't be rented
     * @throws RentalException.NotAllowed if the listing's id is another lender's
     */
    Listing list(Listing listing);

    /**
     * Makes a quarantined gpu rentable again, once an operator has made sure that it is clean and sound. Whoever embeds the
     * engine has made sure that an operator asks. Its own lender can't: it would vouch for itself that nothing of a tenant's
     * is left.
     *
     * @param gpu the device
     * @param operator who answers for it; kept with the gpu and in the audit log
     * @param why what was done; kept with the gpu and in the audit log
     * @throws RentalException.NotFound if there is no such gpu
     * @throws RentalException.NotAllowed if the operator is the lender of its host
     */
    GpuCondition releaseGpu(GpuId gpu, Account operator, String why);

    /**
     * Keeps a lender's gpus from being rented in a window, all of them or none. Repeating it changes nothing.
     *
     * @param lender the owner of the host
     * @param maintenance what is kept free, when and why; its name is the lender's own
     * @throws RentalException.NotFound if the lender has no such host or gpu
     * @throws RentalException.Overlap if a gpu is rented or kept free in the window already; the message says when
     * @throws RentalException.Unacceptable if the window is over
     * @throws IllegalArgumentException if the host has another maintenance of that name
     */
    Maintenance block(Account lender, Maintenance maintenance);

    /**
     * Lets gpus be rented again that were kept free.
     *
     * @return whether there was such a maintenance
     * @throws RentalException.NotFound if the lender has no such host
     */
    boolean unblock(Account lender, HostId host, String name);

    /**
     * Quotes a listing's price for a window.
     *
     * @param renter whom it is for
     * @param listing what it is for
     * @param window when; in whole seconds, ending in the future
     * @throws RentalException.Unacceptable if the window breaks a rule of the listing
     */
    Quote quote(Account renter, ListingId listing, Window window);

    /**
     * Takes up a quote: holds the gpus until the escrow is funded or the hold runs out. Repeating it returns the rental.
     *
     * @param quote the quote's id, which becomes the rental's
     * @param renter whom the quote is for
     * @throws RentalException.Expired if the quote is over
     * @throws RentalException.Overlap if a gpu is taken in the window
     */
    Rental reserve(RentalId quote, Account renter);

    /**
     * Books in one step: holds the gpus at the price that the listing has now, as {@link #quote} and {@link
     * #reserve(RentalId, Account)} do in two. Repeating it books once more, and so is refused while the first one holds its
     * gpus; under a key ({@link RentalEngine#once}) it returns the rental.
     *
     * @param renter who books
     * @param listing what
     * @param window when; in whole seconds, ending in the future
     * @param most what the renter pays for the whole window at the most, in the token's smallest units
     * @throws RentalException.Unacceptable if it costs more, the window breaks a rule of the listing, or a gpu is quarantined
     * @throws RentalException.Overlap if a gpu is taken in the window
     */
    Rental reserve(Account renter, ListingId listing, Window window, Amount most);

    /**
     * Takes the lender's signature of the {@link Rental#offerToSign offer that waits for it}, of what was booked or of an
     * extension; then the renter may open the escrow with it.
     *
     * @throws RentalException.WrongState if there is no unsigned offer
     * @throws EscrowException.Refused if it is not the lender's signature
     */
    Rental signOffer(RentalId id, Signature lenderSignature);

    /**
     * Calls a rental off before it starts. What that costs the renter is in the terms: {@link RentalEngine#receiptsToSign} is
     * for that, and so much is kept when the renter ends the escrow on the chain, which gives back the rest at once: see
     * {@link org.computehive.market.Cancellation}. A lender calls off a funded rental by {@link #signRelease}, which gives
     * all back at once, or by ending the escrow on the chain.
     *
     * @throws RentalException.NotFound if the caller is neither renter nor lender
     * @throws RentalException.WrongState if it is too late, the caller is the lender and the deposit is locked, or the offer
     *     is signed but not yet funded: then the hold runs out by itself
     */
    Rental cancel(RentalId id, Account caller);

    /**
     * Issues a certificate for the renter's key, worth nothing outside the window.
     *
     * @param id the rental
     * @param renter its renter
     * @param publicKey one line in OpenSSH's format
     * @throws IllegalArgumentException if it is not a public key that is accepted
     * @throws RentalException.WrongState if the escrow is not funded or the session is over
     */
    SessionAccess.Grant issueCertificate(RentalId id, Account renter, String publicKey);

    /**
     * Ends a session early. The meter stops now; access is cut first, then the VM and its disk key go. Whoever ends it, the
     * renter owes the time used, and one who ends it itself at least the share of one who calls off late; a lender that does
     * it answers for it.
     *
     * @param id the rental
     * @param caller its renter or its lender
     * @throws RentalException.NotFound if the caller is neither
     * @throws RentalException.WrongState if no session runs
     */
    Rental end(RentalId id, Account caller);

    /**
     * Takes a party's signature of the receipt, the renter's before the lender's; with both the escrow is settled at once.
     * For a rental that was not extended.
     *
     * @param id the rental
     * @param signer its renter or its lender
     * @param signature of {@link RentalEngine#receiptToSign}
     * @throws EscrowException.Refused if it is not that party's signature
     * @throws RentalException.WrongState if the session is not over, or the lender comes first
     */
    Rental signReceipt(RentalId id, Account signer, Signature signature);

    /**
     * Takes the lender's signed release; the deposit goes back at once. Before the start this calls the rental off. For a
     * rental that was not extended.
     *
     * @throws EscrowException.Refused if it is not the lender's signature of {@link RentalEngine#releaseToSign}
     * @throws RentalException.WrongState if nothing is locked, or a session runs
     */
    Rental signRelease(RentalId id, Signature lenderSignature);

    /**
     * Ends a session for a reason that the platform has. Whoever embeds the engine has made sure that an operator asks.
     *
     * @param id the rental
     * @param reason why, and who answers for it
     * @throws RentalException.NotFound if there is no such rental
     * @throws RentalException.WrongState if no session runs
     */
    Rental endByOperator(RentalId id, Fault reason);

    /**
     * Gives notice that the lender wants its gpus back. The renter is told at once; the session ends then, and only the
     * time used is paid. If the session would end no later than it begins, the rental is off at once, and the lender's
     * {@link #signRelease} gives all back. The lender answers for it. Repeating it with the same time changes nothing.
     *
     * @param id the rental
     * @param lender its lender
     * @param at when, in whole seconds: no sooner than the listing's
     *     {@link org.computehive.market.Listing.Rules#reclaimNotice} from now, and before the session ends anyway
     * @throws RentalException.NotAllowed if the caller is not the lender
     * @throws RentalException.Unacceptable if that is too soon or too late
     * @throws RentalException.WrongState if the escrow is not funded, the session is over, or notice was given already
     */
    Rental reclaim(RentalId id, Account lender, Instant at);

    /**
     * Has the stuck steps of a rental tried anew. Whoever embeds the engine has made sure that an operator asks.
     *
     * @param id the rental
     * @param note what was done about it; stored and in the audit log, so no secrets
     * @throws RentalException.WrongState if no step of it is stuck
     * @throws RentalException.Unacceptable if the note is blank
     */
    Rental resume(RentalId id, String note);

    /**
     * Quotes more time for a funded rental whose session is not over, at the listing's price of now. The further time is for
     * the same gpus, and begins where the session would end.
     *
     * @param id the rental
     * @param renter its renter
     * @param newEnd when the session is to end instead; in whole seconds
     * @return the quote, for the further time alone
     * @throws RentalException.Unacceptable if the whole window would break a rule of the listing or the {@link
     *     ExtensionPolicy}, or it is too late
     * @throws RentalException.WrongState if it can't be extended now
     */
    Quote quoteExtension(RentalId id, Account renter, Instant newEnd);

    /**
     * Takes up a quote for more time: holds the gpus for it until its own escrow is funded or the hold runs out. The lender
     * signs the further offer by {@link #signOffer}, the renter opens it; once that is confirmed the session's end moves, and
     * the renter asks for a new certificate. An extension that is not funded by then changes nothing. Repeating it returns
     * the rental.
     *
     * @param id the rental
     * @param renter its renter
     * @param quote the id that {@link #quoteExtension} returned
     * @throws RentalException.Expired if the quote is over
     * @throws RentalException.Overlap if a gpu is taken in the further time
     */
    Rental extend(RentalId id, Account renter, RentalId quote);

    /**
     * Takes a party's signatures of the receipts of all legs, the renter's before the lender's.
     *
     * @param id the rental
     * @param signer its renter or its lender
     * @param signatures of {@link RentalEngine#receiptsToSign}, in that order
     * @throws EscrowException.Refused if one is not that party's signature; then none is taken
     * @throws RentalException.Unacceptable if there are not as many as receipts
     * @throws RentalException.WrongState if the session is not over, or the lender comes first
     */
    Rental signReceipts(RentalId id, Account signer, List<Signature> signatures);

    /**
     * Takes the lender's signed releases of all legs that are not closed.
     *
     * @param signatures of {@link RentalEngine#releasesToSign}, in that order
     * @throws EscrowException.Refused if one is not the lender's signature; then none is taken
     * @throws RentalException.WrongState if nothing is locked, or a session runs
     */
    Rental signReleases(RentalId id, List<Signature> signatures);
}
