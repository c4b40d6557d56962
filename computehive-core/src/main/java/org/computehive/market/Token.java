package org.computehive.market;

/**
 * What rent is paid in: the native coin of a chain ({@link Account#ZERO}) or an ERC-20 token.
 *
 * <p>Immutable and thread-safe.
 *
 * @param contract the token's contract, or {@link Account#ZERO} for the native coin
 * @param symbol what people call it, 1 to 11 characters
 * @param decimals how many decimal places the smallest unit is away from one whole token, 0 to 30
 * @param usdPegged whether one whole token is meant to be worth one US dollar, so that a price in dollars can be shown
 *     in it
 */
public record Token(Account contract, String symbol, int decimals, boolean usdPegged) {
    /**
     * Checks the symbol and the decimals.
     *
     * @throws IllegalArgumentException if either is out of range
     */
    public Token {
        Text.line("token symbol", symbol, 11);
        if (decimals < 0 || decimals > 30) {
            throw new IllegalArgumentException("token decimals %d out of range: 0 to 30".formatted(decimals));
        }
    }
}
