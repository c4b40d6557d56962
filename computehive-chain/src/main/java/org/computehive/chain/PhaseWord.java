package org.computehive.chain;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.computehive.chain.Chain.Log;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;

/**
 * A phase as the contract packs it into one word ({@code types/Phase.sol}): kind (8 bits), at (40), used (32), claimed (32),
 * zeros. The next call on the rental brings it back as it came.
 */
record PhaseWord(int kind, Instant at, long used) {
    /** How long an arbiter may think before anybody can close the rental: the contract's {@code ARBITER_TIME}. */
    private static final Duration ARBITER_TIME = Duration.ofDays(7);

    private static final int ENDED_BY_LENDER = 1;
    private static final int REPORTED_BY_RENTER = 2;
    private static final int DISPUTED_BY_RENTER = 3;
    private static final int DISPUTED_BY_LENDER = 4;

    private static final int KIND_SHIFT = 248;
    private static final int AT_SHIFT = 208;
    private static final int USED_SHIFT = 176;
    private static final long UINT40 = (1L << 40) - 1;
    private static final long UINT32 = (1L << 32) - 1;

    /** Returns the word in which an event told a phase. */
    static BigInteger word(Log log) {
        return EscrowCalls.word(log.data(), 0);
    }

    static PhaseWord of(Log log) {
        BigInteger word = word(log);
        return new PhaseWord(
                word.shiftRight(KIND_SHIFT).intValue(),
                Instant.ofEpochSecond(word.shiftRight(AT_SHIFT).longValue() & UINT40),
                word.shiftRight(USED_SHIFT).longValue() & UINT32);
    }

    /**
     * Says that a party's word closes the rental.
     *
     * @throws IllegalArgumentException if it says anything else
     */
    Phase.Ended ended(EscrowOffer offer) {
        return new Phase.Ended(
                switch (kind) {
                    case ENDED_BY_LENDER -> offer.lender();
                    case REPORTED_BY_RENTER -> offer.renter();
                    default -> throw new IllegalArgumentException("it ended in a phase of kind " + kind);
                },
                at,
                OfferCodec.within(offer, used),
                at.plus(offer.disputeWindow()));
    }

    /**
     * Says that a party disputed.
     *
     * @param entry the index of the first entry that is evidence
     * @throws IllegalArgumentException if it says anything else
     */
    Phase.Disputed disputed(EscrowOffer offer, Hash32 evidence, BigInteger entry) {
        return new Phase.Disputed(
                switch (kind) {
                    case DISPUTED_BY_RENTER -> offer.renter();
                    case DISPUTED_BY_LENDER -> offer.lender();
                    default -> throw new IllegalArgumentException("it is disputed in a phase of kind " + kind);
                },
                at,
                OfferCodec.within(offer, used),
                at.plus(ARBITER_TIME),
                evidence,
                entry);
    }
}
