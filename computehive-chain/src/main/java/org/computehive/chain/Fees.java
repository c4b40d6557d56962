package org.computehive.chain;

import java.math.BigInteger;
import java.util.Optional;

/**
 * What is offered for a unit of gas (EIP-1559), in wei.
 *
 * @param tip goes to whoever makes the block
 * @param max the most that is paid, the block's base fee included
 */
record Fees(BigInteger tip, BigInteger max) {
    /** What nodes ask for a replacement is a tenth more (geth, anvil) or an eighth (others, for blobs double). */
    private static final BigInteger RAISE = BigInteger.valueOf(9);

    private static final BigInteger PARTS = BigInteger.valueOf(8);

    /** Returns fees that outlast a doubling of the base fee, where the cap allows it. */
    static Fees offered(BigInteger baseFee, BigInteger tip, BigInteger cap) {
        return new Fees(tip, baseFee.shiftLeft(1).add(tip).min(cap));
    }

    /**
     * Returns fees that replace these: both at least an eighth higher, and no lower than what is asked now.
     *
     * @return nothing if the cap does not allow that
     */
    Optional<Fees> raised(BigInteger baseFee, BigInteger tipNow, BigInteger cap) {
        BigInteger least = raised(max);
        BigInteger raisedTip = raised(tip).max(tipNow);
        if (least.compareTo(cap) > 0) {
            return Optional.empty();
        }
        Fees now = offered(baseFee, raisedTip, cap);
        BigInteger raisedMax = now.max().max(least);
        return raisedTip.compareTo(raisedMax) > 0
                ? raised(tip).compareTo(raisedMax) > 0
                        ? Optional.empty()
                        : Optional.of(new Fees(raised(tip), raisedMax))
                : Optional.of(new Fees(raisedTip, raisedMax));
    }

    /** Returns whether a block of such a base fee can't take a transaction of these fees. */
    boolean areBelow(BigInteger baseFee) {
        return max.compareTo(baseFee) < 0;
    }

    private static BigInteger raised(BigInteger wei) {
        BigInteger[] raised = wei.multiply(RAISE).divideAndRemainder(PARTS);
        return raised[1].signum() == 0 ? raised[0] : raised[0].add(BigInteger.ONE);
    }
}
