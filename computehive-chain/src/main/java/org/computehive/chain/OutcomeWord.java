package org.computehive.chain;

import java.math.BigInteger;
import org.computehive.chain.Chain.Log;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Closing;

/**
 * How a rental was closed, as the contract packs it into one word ({@code types/Outcome.sol}): how (8 bits), used (32), slash
 * (96), forfeit (96), zeros.
 *
 * @param used the seconds of the window that are paid for
 */
record OutcomeWord(Closing how, long used, Amount slash, Amount forfeit) {
    private static final int HOW_SHIFT = 248;
    private static final int USED_SHIFT = 216;
    private static final int SLASH_SHIFT = 120;
    private static final int FORFEIT_SHIFT = 24;
    private static final long UINT32 = (1L << 32) - 1;
    private static final BigInteger UINT96 = BigInteger.ONE.shiftLeft(96).subtract(BigInteger.ONE);

    /**
     * Reads the word that an event told.
     *
     * @throws IllegalArgumentException if no call closes like that
     */
    static OutcomeWord of(Log settled) {
        BigInteger word = EscrowCalls.word(settled.data(), 0);
        return new OutcomeWord(
                how(word.shiftRight(HOW_SHIFT).intValue()),
                word.shiftRight(USED_SHIFT).longValue() & UINT32,
                new Amount(word.shiftRight(SLASH_SHIFT).and(UINT96)),
                new Amount(word.shiftRight(FORFEIT_SHIFT).and(UINT96)));
    }

    private static Closing how(int number) {
        return switch (number) {
            case 1 -> Closing.END;
            case 2 -> Closing.TIME_LOCK;
            case 3 -> Closing.RECEIPT;
            case 4 -> Closing.RELEASE;
            case 5 -> Closing.LENDERS_WORD;
            case 6 -> Closing.RENTERS_WORD;
            case 7 -> Closing.ARBITER;
            case 8 -> Closing.SILENCE;
            case 9 -> Closing.LENDERS_END;
            default -> throw new IllegalArgumentException("it was closed by a call of number " + number);
        };
    }
}
