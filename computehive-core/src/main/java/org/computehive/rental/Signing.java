package org.computehive.rental;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.rental.Asking.Answering;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalEvent.OfLeg;

/** Offers, receipts and releases: what the parties sign for each leg of a rental. */
final class Signing {
    private final Escrow escrow;
    private final Journal journal;
    private final Rentals rentals;

    Signing(Escrow escrow, Journal journal, Rentals rentals) {
        this.escrow = escrow;
        this.journal = journal;
        this.rentals = rentals;
    }

    Rental offer(Rental known, Signature signature, Answering<Rental> answering) {
        EscrowOffer offer = known.offerToSign()
                .orElseThrow(() ->
                        new RentalException.WrongState("rental %s has no offer to sign now".formatted(known.id())));
        escrow.checkSignature(offer.lender(), offer.digest(), signature);
        return rentals.commit(known.id(), rental -> offerSigned(rental, offer, signature), answering);
    }

    private RentalEvent offerSigned(Rental rental, EscrowOffer offer, Signature signature) {
        boolean waits = rental.offerToSign()
                .filter(waiting -> waiting.digest().equals(offer.digest()))
                .isPresent();
        if (!waits) {
            throw new RentalException.WrongState(
                    "offer %s of rental %s, which is %s, is signed or over already: an offer waits for its signature until the hold ends, at %s"
                            .formatted(offer.digest(), rental.id(), rental.state(), offer.expiry()));
        }
        return rental.state() == RentalState.RESERVED
                ? new RentalEvent.OfferSigned(journal.now(), signature)
                : new OfLeg.OfferSigned(
                        journal.now(), rental.pendingExtension().orElseThrow().number(), signature);
    }

    List<LegDigest> receipts(Rental rental) {
        if (!rental.owesSettlement()) {
            throw new RentalException.WrongState(
                    "rental %s is %s: a receipt is for a funded rental that is over and not settled"
                            .formatted(rental.id(), rental.state()));
        }
        return rental.legs().stream()
                .filter(leg -> leg.isLocked() && !leg.isDisputed())
                .map(leg -> receipt(rental, leg))
                .toList();
    }

    private LegDigest receipt(Rental rental, Leg leg) {
        Duration used = rental.charged(leg);
        return new LegDigest(
                leg.number(), used, escrow.receiptDigest(leg.offer().orElseThrow(), used));
    }

    Rental receipts(Rental known, Account signer, List<Signature> signatures, Answering<Rental> answering) {
        return rentals.commitAll(known.id(), rental -> signed(rental, signer, signatures), answering);
    }

    private List<RentalEvent> signed(Rental rental, Account signer, List<Signature> signatures) {
        List<LegDigest> asked = checked(receipts(rental), signer, signatures);
        boolean byRenter = signer.equals(rental.terms().renter());
        var events = new ArrayList<RentalEvent>();
        for (int i = 0; i < asked.size(); i++) {
            LegDigest receipt = asked.get(i);
            Leg leg = rental.legs().get(receipt.leg());
            // What was signed already stands.
            if (!(byRenter ? leg.hasReceipt() : leg.isCountersigned())) {
                events.add(
                        byRenter
                                ? receiptSigned(receipt, signatures.get(i))
                                : countersigned(receipt.leg(), signatures.get(i)));
            }
        }
        return events;
    }

    private RentalEvent receiptSigned(LegDigest receipt, Signature signature) {
        return receipt.leg() == 0
                ? new RentalEvent.ReceiptSigned(journal.now(), receipt.used(), signature)
                : new OfLeg.ReceiptSigned(journal.now(), receipt.leg(), receipt.used(), signature);
    }

    private RentalEvent countersigned(int leg, Signature signature) {
        return leg == 0
                ? new RentalEvent.ReceiptCountersigned(journal.now(), signature)
                : new OfLeg.ReceiptCountersigned(journal.now(), leg, signature);
    }

    List<LegDigest> releases(Rental rental) {
        return rental.legs().stream()
                .filter(leg -> !leg.isClosed() && !leg.isDisputed())
                .flatMap(leg -> leg.offer().stream()
                        .filter(offer -> leg.number() == 0 || leg.isFunded())
                        .map(offer -> new LegDigest(leg.number(), Duration.ZERO, escrow.releaseDigest(offer))))
                .toList();
    }

    Rental releases(Rental known, List<Signature> signatures, Answering<Rental> answering) {
        return rentals.commitAll(known.id(), rental -> released(rental, signatures), answering);
    }

    private List<RentalEvent> released(Rental rental, List<Signature> signatures) {
        List<LegDigest> asked = checked(releases(rental), rental.terms().lender(), signatures);
        var events = new ArrayList<RentalEvent>();
        for (int i = 0; i < asked.size(); i++) {
            int leg = asked.get(i).leg();
            events.add(
                    leg == 0
                            ? new RentalEvent.ReleaseSigned(journal.now(), signatures.get(i))
                            : new OfLeg.ReleaseSigned(journal.now(), leg, signatures.get(i)));
        }
        return events;
    }

    /** Checks every signature before the first is taken. */
    private List<LegDigest> checked(List<LegDigest> asked, Account signer, List<Signature> signatures) {
        if (asked.size() != signatures.size()) {
            throw new RentalException.Unacceptable(
                    "%d signatures came for %d legs: sign each of them, in their order, with one signature each"
                            .formatted(signatures.size(), asked.size()));
        }
        for (int i = 0; i < asked.size(); i++) {
            escrow.checkSignature(signer, asked.get(i).digest(), signatures.get(i));
        }
        return asked;
    }

    /** The one digest of a rental that was never extended. */
    static LegDigest only(Rental rental, List<LegDigest> digests) {
        if (digests.size() != 1) {
            throw new RentalException.WrongState(
                    "rental %s has %d legs to sign for, not one: use the call that takes a list"
                            .formatted(rental.id(), digests.size()));
        }
        return digests.getFirst();
    }
}
