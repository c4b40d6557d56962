package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
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

    /** Ahead of its window its gpus are its own from now on, for its VM to be made. */
    record GpusTaken(Instant at) implements RentalEvent {}

    /**
     * The VM runs and its guest is ready.
     *
     * @param facts what its hypervisor saw; {@code manifest} is the SHA-256 of the rental's manifest
     * @param setup what it really runs on
     */
    record MachineStarted(Instant at, Map<String, String> facts, Setup setup) implements RentalEvent {
        /** Copies the facts. */
        public MachineStarted {
            facts = Map.copyOf(facts);
        }

        /** A start of which only facts are known. */
        public MachineStarted(Instant at, Map<String, String> facts) {
            this(at, facts, Setup.UNSTATED);
        }
    }

    /** The guest's SSH banner came through the gateway: the meter starts. */
    record Activated(Instant at, String banner) implements RentalEvent {}

    /** It could not start. */
    record StartFailed(Instant at, Fault fault) implements RentalEvent {}

    /**
     * It could not start where it was placed, and is to be tried elsewhere: what was made there is taken down first.
     *
     * @param hostLost whether that must wait until its host answers again
     */
    record PlacementFailed(Instant at, boolean hostLost, Fault fault) implements RentalEvent {}

    /**
     * The session was lost: the meter stops, its place is taken down and another is sought. What was on its disk is gone.
     *
     * @param lastUsable the last moment at which it was seen usable, which the meter counts to
     * @param hostLost whether its place can't be taken down until its host answers again
     */
    record Interrupted(Instant at, Instant lastUsable, boolean hostLost, Fault fault) implements RentalEvent {}

    /**
     * It runs elsewhere from now on: on as many equal gpus of the same lender, under the same terms. The hash that the
     * lender signed ({@link RentalTerms#spec}) binds what was agreed, the first place included, and stays as it is; that
     * the lender gave an equal place instead is this event, in the audit log.
     *
     * @param why what was wrong with the place before
     */
    record Placed(Instant at, HostId host, List<GpuId> gpus, String why) implements RentalEvent {
        /** Copies the list. */
        public Placed {
            gpus = List.copyOf(gpus);
        }
    }

    /**
     * What was made at a place could not be taken down for so long that the rental goes on without: access is cut, the gpus
     * stay quarantined, and what is left is taken down once that can be done.
     *
     * @param host where
     * @param why what kept it from being taken down
     */
    record TeardownLeft(Instant at, HostId host, String why) implements RentalEvent {}

    /**
     * A place whose host was lost answers again: its VM and disk are gone and its gpus were turned over.
     *
     * @param gpus what became of them
     */
    record Swept(Instant at, HostId host, List<Hypervisor.Turnover> gpus) implements RentalEvent {
        /** Copies the list. */
        public Swept {
            gpus = List.copyOf(gpus);
        }
    }

    /**
     * The lender wants its gpus back and gave notice: the session ends then.
     *
     * @param ends when, before the window's end; no later than its start, it calls the rental off
     */
    record ReclaimAnnounced(Instant at, Instant ends) implements RentalEvent {}

    /**
     * A step failed for longer than the policy allows: an operator is to look at it. What guards access, disks, gpus and
     * money is tried on, slowly; the rest waits for {@link Resumed}.
     *
     * @param why what went wrong, free of secrets
     */
    record Stuck(Instant at, RentalEffect.Step step, String why) implements RentalEvent {}

    /**
     * A stuck step is tried anew.
     *
     * @param note what the operator did, or that it works again
     */
    record Resumed(Instant at, RentalEffect.Step step, String note) implements RentalEvent {}

    /** A certificate was issued for the renter's key. */
    record CertificateIssued(Instant at, String serial, String keyFingerprint, Instant notAfter)
            implements RentalEvent {}

    /**
     * Certificates count no more.
     *
     * @param serials the serials of all of the rental's that don't, those that were revoked before included
     * @param why the operator's note, or that the renter asked
     */
    record CertificatesRevoked(Instant at, List<String> serials, String why) implements RentalEvent {
        /** Copies the list. */
        public CertificatesRevoked {
            serials = List.copyOf(serials);
        }
    }

    /** The gateway let the renter in for the first time. */
    record Entered(Instant at) implements RentalEvent {}

    /** VM and gateway know that the session ends at another time than before. */
    record EndMoved(Instant at, Instant end) implements RentalEvent {}

    /** An operator ended the session, for a reason of which it says who answers for it. */
    record EndedByOperator(Instant at, Fault fault) implements RentalEvent {}

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

    /**
     * The chain says that the escrow is settled.
     *
     * @param paid what the lender got of the deposit
     * @param refunded what the renter got back of it
     * @param slashed what of the lender's bond went to the renter; zero in the form that was stored first
     * @param forfeited what of the bond of the party that disputed went to the other one; zero in that form
     */
    record Settled(Instant at, Amount paid, Amount refunded, Amount slashed, Amount forfeited, Hash32 transaction)
            implements RentalEvent {
        /** One of which no bond lost anything. */
        public Settled(Instant at, Amount paid, Amount refunded, Hash32 transaction) {
            this(at, paid, refunded, Amount.ZERO, Amount.ZERO, transaction);
        }
    }

    /** Why a session ended. */
    enum EndCause {
        /** The window's end came. */
        WINDOW_OVER,
        /** The renter ended it early. */
        BY_RENTER,
        /** The lender ended it early. */
        BY_LENDER,
        /** The renter never came, and its terms say when that ends a session. */
        NO_SHOW,
        /** An operator ended it. */
        BY_OPERATOR,
        /** The escrow was closed on the chain while the session ran. */
        ESCROW_CLOSED,
        /** The VM was no longer there. */
        MACHINE_LOST,
        /** The lender took its gpus back, as it had announced. */
        RECLAIMED
    }

    /**
     * Something that happened to one leg of a rental: leg 0 is what was booked, the others are its extensions. What happens
     * to leg 0 has events of its own, except for {@link Disputed}.
     */
    sealed interface OfLeg extends RentalEvent {
        /** Which leg. */
        int leg();

        /** The further time is held. */
        record Held(Instant at, int leg, Extension extension) implements OfLeg {}

        /** The offer to sign was written at the lane's sequence on the chain. */
        record OfferWritten(Instant at, int leg, EscrowOffer offer) implements OfLeg {}

        /** The lender signed the offer. */
        record OfferSigned(Instant at, int leg, Signature lenderSignature) implements OfLeg {}

        /** The escrow is open and confirmed; while the session is not over, its end moves. */
        record Funded(Instant at, int leg, Amount deposit, Hash32 transaction) implements OfLeg {}

        /** Nobody opened the escrow, and nobody can any more. */
        record Lapsed(Instant at, int leg) implements OfLeg {}

        /** The renter signed for the seconds charged. */
        record ReceiptSigned(Instant at, int leg, Duration used, Signature renterSignature) implements OfLeg {}

        /** The lender signed for the same seconds. */
        record ReceiptCountersigned(Instant at, int leg, Signature lenderSignature) implements OfLeg {}

        /** The lender signed that everything goes back. */
        record ReleaseSigned(Instant at, int leg, Signature lenderSignature) implements OfLeg {}

        /**
         * A party disputed what is paid; an arbiter decides.
         *
         * @param evidence what it points to, such as the root of the audit log
         */
        record Disputed(Instant at, int leg, Account by, Hash32 evidence) implements OfLeg {}

        /** The chain says that the escrow is settled; see {@link RentalEvent.Settled}. */
        record Settled(
                Instant at, int leg, Amount paid, Amount refunded, Amount slashed, Amount forfeited, Hash32 transaction)
                implements OfLeg {
            /** One of which no bond lost anything. */
            public Settled(Instant at, int leg, Amount paid, Amount refunded, Hash32 transaction) {
                this(at, leg, paid, refunded, Amount.ZERO, Amount.ZERO, transaction);
            }
        }

        /** Returns the same event as one of leg 0, where it is one of what was booked. */
        static Optional<OfLeg> of(RentalEvent event) {
            return Optional.ofNullable(
                    switch (event) {
                        case OfLeg e -> e;
                        case RentalEvent.OfferWritten e -> new OfferWritten(e.at(), 0, e.offer());
                        case RentalEvent.OfferSigned e -> new OfferSigned(e.at(), 0, e.lenderSignature());
                        case RentalEvent.Funded e -> new Funded(e.at(), 0, e.deposit(), e.transaction());
                        case RentalEvent.HoldExpired e -> new Lapsed(e.at(), 0);
                        case RentalEvent.ReceiptSigned e -> new ReceiptSigned(e.at(), 0, e.used(), e.renterSignature());
                        case RentalEvent.ReceiptCountersigned e ->
                            new ReceiptCountersigned(e.at(), 0, e.lenderSignature());
                        case RentalEvent.ReleaseSigned e -> new ReleaseSigned(e.at(), 0, e.lenderSignature());
                        case RentalEvent.Settled e ->
                            new Settled(e.at(), 0, e.paid(), e.refunded(), e.slashed(), e.forfeited(), e.transaction());
                        default -> null;
                    });
        }
    }
}
