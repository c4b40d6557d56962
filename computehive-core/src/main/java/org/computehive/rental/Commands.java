package org.computehive.rental;

import java.util.function.Function;
import org.computehive.market.Account;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.once.RequestDigest;
import org.computehive.rental.Asking.Answering;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks commands and commits what they lead to. */
final class Commands implements RentalCommands {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);
    /** A renter may ask for many certificates; every reading of a rental reads all its events. */
    private static final int MOST_EVENTS = 200;

    private final Asking asking;
    private final Rentals rentals;
    private final Market market;
    private final Bookings bookings;
    private final Journal journal;
    private final Escrow escrow;
    private final SessionAccess access;

    Commands(
            Asking asking,
            Rentals rentals,
            Market market,
            Bookings bookings,
            Journal journal,
            Escrow escrow,
            SessionAccess access) {
        this.asking = asking;
        this.rentals = rentals;
        this.market = market;
        this.bookings = bookings;
        this.journal = journal;
        this.escrow = escrow;
        this.access = access;
    }

    /** Returns these commands asked for in another way. */
    Commands asked(Asking otherwise) {
        return new Commands(otherwise, rentals, market, bookings, journal, escrow, access);
    }

    @Override
    public Listing list(Listing listing) {
        return asking.ask(
                AnswerForm.asAsked(listing),
                () -> RequestDigest.of("list", RentalJson.write(listing)),
                answering -> market.list(listing, answering));
    }

    @Override
    public GpuCondition releaseGpu(GpuId gpu, Account lender, String why) {
        return asking.ask(
                AnswerForm.CONDITION,
                () -> RequestDigest.of("releaseGpu", gpu, lender, why),
                answering -> market.release(gpu, lender, why, answering));
    }

    @Override
    public Quote quote(Account renter, ListingId listing, Window window) {
        return asking.ask(
                AnswerForm.QUOTE,
                () -> RequestDigest.of("quote", renter, listing, window.start(), window.end()),
                answering -> bookings.quote(renter, listing, window, answering));
    }

    @Override
    public Rental reserve(RentalId quote, Account renter) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("reserve", quote, renter),
                answering -> bookings.reserve(quote, renter, answering));
    }

    @Override
    public Rental signOffer(RentalId id, Signature lenderSignature) {
        return asking.ask(
                AnswerForm.RENTAL, () -> RequestDigest.of("signOffer", id, lenderSignature.hex()), answering -> {
                    EscrowOffer offer = rentals.existing(id)
                            .offer()
                            .orElseThrow(() ->
                                    new RentalException.WrongState("rental %s has no offer to sign yet".formatted(id)));
                    escrow.checkSignature(offer.lender(), offer.digest(), lenderSignature);
                    return commit(id, rental -> new RentalEvent.OfferSigned(journal.now(), lenderSignature), answering);
                });
    }

    @Override
    public Rental cancel(RentalId id, Account caller) {
        return asking.ask(AnswerForm.RENTAL, () -> RequestDigest.of("cancel", id, caller), answering -> {
            rentals.ofParty(id, caller);
            return commit(id, rental -> new RentalEvent.Cancelled(journal.now(), caller), answering);
        });
    }

    @Override
    public SessionAccess.Grant issueCertificate(RentalId id, Account renter, String publicKey) {
        return asking.ask(
                AnswerForm.GRANT,
                () -> RequestDigest.of("issueCertificate", id, renter, publicKey),
                answering -> issue(id, renter, publicKey, answering));
    }

    private SessionAccess.Grant issue(
            RentalId id, Account renter, String publicKey, Answering<SessionAccess.Grant> answering) {
        Rental rental = rentals.ofRenter(id, renter);
        if (!rental.mayEnter()
                || !journal.now().isBefore(rental.terms().window().end())) {
            throw new RentalException.WrongState(
                    "rental %s is %s: a certificate is issued from funding to the window's end"
                            .formatted(id, rental.state()));
        }
        if (rental.version() > MOST_EVENTS) {
            throw new RentalException.Unacceptable(
                    "rental %s has more than %d events: use a certificate that was issued already"
                            .formatted(id, MOST_EVENTS));
        }
        SessionAccess.Grant grant = access.issue(id, rental.terms().window(), publicKey);
        commit(
                id,
                current -> new RentalEvent.CertificateIssued(
                        journal.now(), grant.serial(), grant.keyFingerprint(), grant.notAfter()),
                after -> answering.keeping(grant));
        return grant;
    }

    @Override
    public Rental end(RentalId id, Account renter) {
        return asking.ask(AnswerForm.RENTAL, () -> RequestDigest.of("end", id, renter), answering -> {
            rentals.ofRenter(id, renter);
            Rental ending = commit(
                    id, rental -> new RentalEvent.Ending(journal.now(), RentalEvent.EndCause.BY_RENTER), answering);
            // At once, even while a step of this rental waits for its host; the step that follows makes sure.
            access.cut(id, "the renter ended it");
            return ending;
        });
    }

    @Override
    public Rental signReceipt(RentalId id, Account signer, Signature signature) {
        return asking.ask(
                AnswerForm.RENTAL, () -> RequestDigest.of("signReceipt", id, signer, signature.hex()), answering -> {
                    rentals.ofParty(id, signer);
                    escrow.checkSignature(signer, rentals.receiptToSign(id), signature);
                    return commit(
                            id,
                            rental -> signer.equals(rental.terms().renter())
                                    ? new RentalEvent.ReceiptSigned(journal.now(), rental.used(), signature)
                                    : new RentalEvent.ReceiptCountersigned(journal.now(), signature),
                            answering);
                });
    }

    @Override
    public Rental signRelease(RentalId id, Signature lenderSignature) {
        return asking.ask(
                AnswerForm.RENTAL, () -> RequestDigest.of("signRelease", id, lenderSignature.hex()), answering -> {
                    Rental known = rentals.existing(id);
                    escrow.checkSignature(known.terms().lender(), rentals.releaseToSign(id), lenderSignature);
                    return commit(
                            id, rental -> new RentalEvent.ReleaseSigned(journal.now(), lenderSignature), answering);
                });
    }

    /** Commits an event to a rental as it is now: what comes between is no reason to fail. */
    private Rental commit(RentalId id, Function<Rental, RentalEvent> event, Answering<Rental> answering) {
        while (true) {
            Rental rental = rentals.existing(id);
            try {
                return journal.commit(rental, event.apply(rental), answering);
            } catch (RentalException.Superseded e) {
                LOG.debug("{} changed meanwhile; looking again", rental);
            }
        }
    }
}
