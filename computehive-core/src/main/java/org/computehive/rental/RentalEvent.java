package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;

/** Something that happened to a rental. Events are facts: stored for good, in order, and never changed. */
public sealed interface RentalEvent {

    /** When it happened, by the engine's clock. */
    Instant at();

    /** The gpus are held. */
    record Reserved(Instant at, RentalTerms terms) implements RentalEvent {}

    /** The offer to sign was written at the lane's sequence on the chain. */
    record OfferWritten(Instant at, EscrowOffer offer) implements RentalEvent {}

    /** The lender signed the offer. */
    record OfferSigned(Instant at, Signature lenderSignature) implements RentalEvent {}

    /** The hold ran out, and the chain says that nobody opened the escrow. */
    record HoldExpired(Instant at) implements RentalEvent {}

    /** The escrow is open and confirmed. */
    record Funded(Instant at, Amount deposit, Hash32 transaction) implements RentalEvent {}

    /**
     * Both parties were sent a calendar message.
     *
     * @param told what it told them; empty in the form that was stored first, which told the terms as they were reserved
     */
    record Invited(Instant at, String method, int sequence, Optional<Told> told) implements RentalEvent {
        /** Makes one in the form that was stored first. */
        public Invited(Instant at, String method, int sequence) {
            this(at, method, sequence, Optional.empty());
        }
    }

    /**
     * What a calendar message tells: once the rental no longer agrees with it, a newer message is due.
     *
     * @param window the time that the calendars show
     * @param listing what is rented
     * @param host where
     */
    record Told(Window window, ListingId listing, HostId host) {
        /** Returns what the terms themselves tell. */
        static Told of(RentalTerms terms) {
            return new Told(terms.window(), terms.listing(), terms.host());
        }
    }

    /** A party called it off before the start. */
    record Cancelled(Instant at, Account by) implements RentalEvent {}

    /** The lead time began. */
    record Starting(Instant at) implements RentalEvent {}

    /** The VM runs and its guest is ready; {@code facts} says what it really runs on. */
    record MachineStarted(Instant at, Map<String, String> facts) implements RentalEvent {
        /** Copies the facts. */
        public MachineStarted {
            facts = Map.copyOf(facts);
        }
    }

    /** The guest's SSH banner came through the gateway: the meter starts. */
    record Activated(Instant at, String banner) implements RentalEvent {}

    /** It could not start. */
    record StartFailed(Instant at, Fault fault) implements RentalEvent {}

    /** A certificate was issued for the renter's key. */
    record CertificateIssued(Instant at, String serial, String keyFingerprint, Instant notAfter)
            implements RentalEvent {}

    /** The session is to end: the meter stops. */
    record Ending(Instant at, EndCause cause) implements RentalEvent {}

    /** No connection of the renter's is left, and none is let in. */
    record AccessCut(Instant at, int connectionsClosed) implements RentalEvent {}

    /** The VM's process was seen to be gone. */
    record MachineDestroyed(Instant at, Map<String, String> facts) implements RentalEvent {
        /** Copies the facts. */
        public MachineDestroyed {
            facts = Map.copyOf(facts);
        }
    }

    /** The disk can't be read any more. */
    record DiskErased(Instant at, Map<String, String> facts) implements RentalEvent {
        /** Copies the facts. */
        public DiskErased {
            facts = Map.copyOf(facts);
        }
    }

    /** Every gpu was readied for the next session or quarantined. */
    record TurnedOver(Instant at, List<Hypervisor.Turnover> gpus) implements RentalEvent {
        /** Copies the list. */
        public TurnedOver {
            gpus = List.copyOf(gpus);
        }
    }

    /** The renter signed for the seconds used. */
    record ReceiptSigned(Instant at, Duration used, Signature renterSignature) implements RentalEvent {}

    /** The lender signed for the same seconds. */
    record ReceiptCountersigned(Instant at, Signature lenderSignature) implements RentalEvent {}

    /** The lender signed that everything goes back. */
    record ReleaseSigned(Instant at, Signature lenderSignature) implements RentalEvent {}

    /** The chain says that the escrow is settled. */
    record Settled(Instant at, Amount paid, Amount refunded, Hash32 transaction) implements RentalEvent {}

    /** Why a session ended. */
    enum EndCause {
        /** The window's end came. */
        WINDOW_OVER,
        /** The renter ended it early. */
        BY_RENTER,
        /** An operator ended it. */
        BY_OPERATOR,
        /** The escrow was closed on the chain while the session ran. */
        ESCROW_CLOSED,
        /** The VM was no longer there. */
        MACHINE_LOST
    }
}
