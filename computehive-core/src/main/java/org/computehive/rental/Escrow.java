package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;

/**
 * The platform's view of the escrow contract: it writes offers to sign, reads what the chain says, and settles. It holds
 * no key of a lender's or a renter's: those sign for themselves.
 *
 * <p>Unknown is not unpaid: a chain that can't be read gives {@link Reading.Unknown}, never {@link Reading.Absent}.
 * Implementations are thread-safe, and every call may be repeated after a crash at any instant.
 */
public interface Escrow extends AutoCloseable {

    /** Returns what rent is paid in. */
    Token token();

    /**
     * Writes the offer for a rental, at the lane's present sequence on the chain.
     *
     * @throws EscrowException if the chain can't be read
     */
    EscrowOffer offer(Terms terms);

    /**
     * Checks a signature: an account's key signed the digest, or its ERC-1271 wallet says so.
     *
     * @param signer who should have signed
     * @param digest what should have been signed
     * @param signature the signature
     * @throws EscrowException.Refused if it is not a signature of the signer's over the digest
     */
    void checkSignature(Account signer, Hash32 digest, Signature signature);

    /** Reads what has become of an offer, at the newest block that the chain shows. Never throws for a chain that can't be read. */
    Reading read(EscrowOffer offer);

    /**
     * Returns the EIP-712 digest of the receipt by which renter and lender agree on the seconds used.
     *
     * @param offer the offer the escrow was opened with
     * @param used whole seconds, at most the window's length
     */
    Hash32 receiptDigest(EscrowOffer offer, Duration used);

    /**
     * Returns the EIP-712 digest of the release by which a lender gives everything back.
     *
     * @param offer the offer the escrow was opened with
     */
    Hash32 releaseDigest(EscrowOffer offer);

    /**
     * Settles an escrow, or sees that it is settled already; returns once the transaction has its confirmations.
     *
     * @throws EscrowException if it could not; nothing is paid then, and the call may be repeated
     */
    Reading.Closed settle(EscrowOffer offer, Settlement settlement);

    /**
     * Asks to be told when the chain may have changed something, such as at each new block. A hint only: read to know.
     *
     * @param listener called on a thread of the implementation's; must return at once
     * @return ends the subscription
     */
    AutoCloseable onChange(Runnable listener);

    /** Stops watching; transactions already sent stand. */
    @Override
    void close();

    /**
     * What goes into an offer.
     *
     * @param lender who signs and is paid
     * @param lane the lender's storage slot
     * @param renter who may open it
     * @param stakes the bonds, and who decides a dispute
     * @param rate units per second
     * @param window the rented time, whole seconds
     * @param grace how long after the start a renter who ends pays for no second of it, and a lender who gives up loses its
     *     bond
     * @param disputeWindow how long a payout that the other party did not sign for waits for its objection
     * @param cancellation what calling off late and not coming cost
     * @param expiry the last moment in which it can be opened
     * @param spec binds the offer to the rental and its terms
     */
    record Terms(
            Account lender,
            BigInteger lane,
            Account renter,
            Stakes stakes,
            Rate rate,
            Window window,
            Duration grace,
            Duration disputeWindow,
            Cancellation cancellation,
            Instant expiry,
            Hash32 spec) {
        /** Terms without bonds and without an arbiter, under which calling off is free until the start. */
        public Terms(
                Account lender,
                BigInteger lane,
                Account renter,
                Rate rate,
                Window window,
                Duration grace,
                Duration disputeWindow,
                Instant expiry,
                Hash32 spec) {
            this(
                    lender,
                    lane,
                    renter,
                    Stakes.NONE,
                    rate,
                    window,
                    grace,
                    disputeWindow,
                    Cancellation.FREE,
                    expiry,
                    spec);
        }
    }

    /** What the chain says of an offer. */
    sealed interface Reading {
        /**
         * The chain can't be read, or what it says contradicts itself.
         *
         * @param why what went wrong
         */
        record Unknown(String why) implements Reading {}

        /**
         * Not opened, as of a block with enough confirmations.
         *
         * @param chainTime that block's time; no block up to it opened the offer
         */
        record Absent(Instant chainTime) implements Reading {}

        /**
         * Opened, but the block may still be replaced.
         *
         * @param confirmations blocks on top of it and itself
         * @param required how many make it final here
         */
        record Pending(int confirmations, int required) implements Reading {}

        /**
         * Opened and confirmed; the deposit is locked.
         *
         * @param deposit what the renter locked
         * @param transaction the transaction that opened it
         * @param chainTime the time of that block
         * @param phase how far it is on its way out, as far as that is confirmed
         */
        record Open(Amount deposit, Hash32 transaction, Instant chainTime, Phase phase) implements Reading {}

        /**
         * Settled and confirmed. {@code paid + refunded} is the deposit; bonds come on top and are given back but for what
         * was lost of them.
         *
         * @param paid what the lender got of the deposit
         * @param refunded what the renter got back of it
         * @param slashed what of the lender's bond went to the renter
         * @param forfeited what of the bond of the party that disputed went to the other one
         * @param how which call closed it
         * @param transaction the transaction that settled it
         * @param chainTime the time of that block
         */
        record Closed(
                Amount paid,
                Amount refunded,
                Amount slashed,
                Amount forfeited,
                Closing how,
                Hash32 transaction,
                Instant chainTime)
                implements Reading {}
    }

    /** How far an open escrow is on its way out. */
    sealed interface Phase {
        /** Nobody ended it and nobody disputed. */
        record Running() implements Phase {}

        /**
         * A party's word closes it unless the other party objects: the lender ended it or reported that the renter never
         * came, or the renter reported that the lender never started.
         *
         * @param by whose word it is
         * @param at when, by the chain
         * @param used whole seconds of the window that are paid for if nobody objects
         * @param from from when on anybody may settle it so, by {@link Settlement.ByWord}
         */
        record Ended(Account by, Instant at, Duration used, Instant from) implements Phase {}

        /**
         * A party disputed: nobody is paid until the arbiter decides.
         *
         * @param by who disputed
         * @param at when, by the chain
         * @param used whole seconds of the window that are paid for if the arbiter stays silent
         * @param from from when on the arbiter counts as silent, and anybody may settle it so, by {@link
         *     Settlement.BySilence}
         * @param evidence the root of the audit log that holds the evidence
         * @param entry the index of the first entry that is evidence in that log, as the party gave it: 0 to
         *     2<sup>64</sup> - 1
         */
        record Disputed(Account by, Instant at, Duration used, Instant from, Hash32 evidence, BigInteger entry)
                implements Phase {}
    }

    /** Which call closed an escrow. */
    enum Closing {
        /** The renter ended it and paid what it owed. */
        END,
        /** Nobody said anything until the time lock was over. */
        TIME_LOCK,
        /** Both parties signed for the seconds used. */
        RECEIPT,
        /** The lender signed that everything goes back. */
        RELEASE,
        /** The lender ended it or reported that the renter never came, and the renter did not object. */
        LENDERS_WORD,
        /** The renter reported that the lender never started, and the lender did not object. */
        RENTERS_WORD,
        /** The arbiter decided. */
        ARBITER,
        /** The arbiter was silent. */
        SILENCE,
        /** The lender ended it before its grace was over, and gave everything back. */
        LENDERS_END
    }

    /** By what right an escrow is settled. */
    sealed interface Settlement {
        /**
         * Renter and lender signed for the seconds used: at once. One signature is not enough, since either could write
         * itself a better end.
         *
         * @param used whole seconds
         * @param renterSignature over {@link Escrow#receiptDigest}
         * @param lenderSignature over the same
         */
        record ByReceipt(Duration used, Signature renterSignature, Signature lenderSignature) implements Settlement {}

        /**
         * The lender signed that everything goes back: at once.
         *
         * @param lenderSignature over {@link Escrow#releaseDigest}
         */
        record ByRelease(Signature lenderSignature) implements Settlement {}

        /** Nobody signed: after window and dispute window, the lender is paid in full. */
        record ByTimeLock() implements Settlement {}

        /** A party's word stands that the other one did not object to in time: as {@link Phase.Ended} says. */
        record ByWord() implements Settlement {}

        /** The arbiter was silent for too long: as {@link Phase.Disputed} says. All bonds go back. */
        record BySilence() implements Settlement {}
    }
}
