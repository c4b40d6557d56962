package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.Maintenance;
import org.computehive.once.RequestDigest;
import org.computehive.rental.Asking.Answering;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;

/** Checks commands and commits what they lead to. */
final class Commands implements RentalCommands {
    /** A renter may ask for many certificates; every reading of a rental reads all its events. */
    private static final int MOST_EVENTS = 200;

    private final Asking asking;
    private final Rentals rentals;
    private final Market market;
    private final Bookings bookings;
    private final Extensions extensions;
    private final Signing signing;
    private final Operations operations;
    private final Journal journal;
    private final SessionAccess access;

    Commands(
            Asking asking,
            Rentals rentals,
            Market market,
            Bookings bookings,
            Extensions extensions,
            Signing signing,
            Operations operations,
            Journal journal,
            SessionAccess access) {
        this.asking = asking;
        this.rentals = rentals;
        this.market = market;
        this.bookings = bookings;
        this.extensions = extensions;
        this.signing = signing;
        this.operations = operations;
        this.journal = journal;
        this.access = access;
    }

    /** Returns these commands asked for in another way. */
    Commands asked(Asking otherwise) {
        return new Commands(otherwise, rentals, market, bookings, extensions, signing, operations, journal, access);
    }

    @Override
    public Host registerHost(HostId id, Account lender, Hypervisor hypervisor) {
        Host host = asking.ask(
                AnswerForm.HOST,
                () -> RequestDigest.of("registerHost", id, lender),
                answering -> market.register(id, lender, hypervisor, answering));
        // Also after an answer that was given before: the connection is this process's alone.
        market.attach(id, hypervisor);
        return host;
    }

    @Override
    public Listing list(Listing listing) {
        return asking.ask(
                AnswerForm.asAsked(listing),
                () -> RequestDigest.of("list", RentalJson.write(listing)),
                answering -> market.list(listing, answering));
    }

    @Override
    public GpuCondition releaseGpu(GpuId gpu, Account operator, String why) {
        return asking.ask(
                AnswerForm.CONDITION,
                () -> RequestDigest.of("releaseGpu", gpu, operator, why),
                answering -> market.release(gpu, operator, why, answering));
    }

    @Override
    public Maintenance block(Account lender, Maintenance maintenance) {
        return asking.ask(
                AnswerForm.asAsked(maintenance),
                () -> RequestDigest.of("block", lender, RentalJson.write(maintenance)),
                answering -> operations.block(lender, maintenance, answering));
    }

    @Override
    public boolean unblock(Account lender, HostId host, String name) {
        return asking.ask(
                AnswerForm.REMOVED,
                () -> RequestDigest.of("unblock", lender, host, name),
                answering -> operations.unblock(lender, host, name, answering));
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
    public Rental reserve(Account renter, ListingId listing, Window window, Amount most) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("book", renter, listing, window.start(), window.end(), most),
                answering -> bookings.reserve(renter, listing, window, most, answering));
    }

    @Override
    public Rental signOffer(RentalId id, Signature lenderSignature) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("signOffer", id, lenderSignature.hex()),
                answering -> signing.offer(rentals.existing(id), lenderSignature, answering));
    }

    @Override
    public Rental cancel(RentalId id, Account caller) {
        return asking.ask(AnswerForm.RENTAL, () -> RequestDigest.of("cancel", id, caller), answering -> {
            rentals.ofParty(id, caller);
            return rentals.commit(id, rental -> cancelled(rental, caller), answering);
        });
    }

    /** Once the deposit is locked a lender calls off by its release alone, so that nobody is paid for nothing. */
    private RentalEvent cancelled(Rental rental, Account caller) {
        if (rental.funded() && caller.equals(rental.terms().lender())) {
            throw new RentalException.WrongState(
                    "rental %s is %s: its deposit is locked, sign its release to give it back"
                            .formatted(rental.id(), rental.state()));
        }
        return new RentalEvent.Cancelled(journal.now(), caller);
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
        if (!rental.mayEnter() || !journal.now().isBefore(rental.window().end())) {
            throw new RentalException.WrongState(
                    "rental %s is %s: a certificate is issued from funding to the window's end"
                            .formatted(id, rental.state()));
        }
        if (rental.version() > MOST_EVENTS) {
            throw new RentalException.Unacceptable(
                    "rental %s has more than %d events: use a certificate that was issued already"
                            .formatted(id, MOST_EVENTS));
        }
        SessionAccess.Grant grant = access.issue(id, rental.window(), publicKey);
        rentals.commit(
                id,
                current -> new RentalEvent.CertificateIssued(
                        journal.now(), grant.serial(), grant.keyFingerprint(), grant.notAfter()),
                after -> answering.keeping(grant));
        return grant;
    }

    @Override
    public Rental end(RentalId id, Account caller) {
        return asking.ask(AnswerForm.RENTAL, () -> RequestDigest.of("end", id, caller), answering -> {
            boolean byRenter = caller.equals(rentals.ofParty(id, caller).terms().renter());
            var cause = byRenter ? RentalEvent.EndCause.BY_RENTER : RentalEvent.EndCause.BY_LENDER;
            Rental ending = rentals.commit(id, rental -> new RentalEvent.Ending(journal.now(), cause), answering);
            // At once, even while a step of this rental waits for its host; the step that follows makes sure.
            access.cut(id, byRenter ? "the renter ended it" : "the lender ended it");
            return ending;
        });
    }

    @Override
    public Rental endByOperator(RentalId id, Fault reason) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("endByOperator", id, reason.blame(), reason.what()),
                answering -> {
                    Rental ending = rentals.commit(
                            id, rental -> new RentalEvent.EndedByOperator(journal.now(), reason), answering);
                    access.cut(id, "the operator ended it");
                    return ending;
                });
    }

    @Override
    public Quote quoteExtension(RentalId id, Account renter, Instant newEnd) {
        return asking.ask(
                AnswerForm.QUOTE,
                () -> RequestDigest.of("quoteExtension", id, renter, newEnd),
                answering -> extensions.quote(rentals.ofRenter(id, renter), newEnd, answering));
    }

    @Override
    public Rental extend(RentalId id, Account renter, RentalId quote) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("extend", id, renter, quote),
                answering -> extensions.extend(rentals.ofRenter(id, renter), quote, answering));
    }

    @Override
    public Rental reclaim(RentalId id, Account lender, Instant at) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("reclaim", id, lender, at),
                answering -> operations.reclaim(id, lender, at, answering));
    }

    @Override
    public Rental resume(RentalId id, String note) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("resume", id, note),
                answering -> operations.resume(id, note, answering));
    }

    @Override
    public Rental signReceipt(RentalId id, Account signer, Signature signature) {
        return signReceipts(id, signer, List.of(signature));
    }

    @Override
    public Rental signReceipts(RentalId id, Account signer, List<Signature> signatures) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("signReceipts", id, signer, hex(signatures)),
                answering -> signing.receipts(rentals.ofParty(id, signer), signer, signatures, answering));
    }

    @Override
    public Rental signRelease(RentalId id, Signature lenderSignature) {
        return signReleases(id, List.of(lenderSignature));
    }

    @Override
    public Rental signReleases(RentalId id, List<Signature> signatures) {
        return asking.ask(
                AnswerForm.RENTAL,
                () -> RequestDigest.of("signReleases", id, hex(signatures)),
                answering -> signing.releases(rentals.existing(id), signatures, answering));
    }

    private static String hex(List<Signature> signatures) {
        return signatures.stream().map(Signature::hex).collect(Collectors.joining(" "));
    }
}
