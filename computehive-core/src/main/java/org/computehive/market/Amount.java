package org.computehive.market;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Objects;

/**
 * A non-negative number of a token's smallest unit, at most 2<sup>128</sup> - 1 (what the escrow's ledger holds).
 *
 * <p>Immutable and thread-safe. There is no rounding anywhere: arithmetic that would leave the range throws.
 *
 * @param units how many of the token's smallest unit
 */
public record Amount(BigInteger units) implements Comparable<Amount> {
    /** The largest amount. */
    public static final BigInteger MAX_UNITS = BigInteger.ONE.shiftLeft(128).subtract(BigInteger.ONE);

    /** Nothing. */
    public static final Amount ZERO = new Amount(BigInteger.ZERO);

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if {@code units} is negative or over {@link #MAX_UNITS}
     */
    public Amount {
        Objects.requireNonNull(units, "units");
        if (units.signum() < 0 || units.compareTo(MAX_UNITS) > 0) {
            throw new IllegalArgumentException("amount %s is out of range: 0 to 2^128 - 1 units".formatted(units));
        }
    }

    /** Returns an amount of units. */
    public static Amount of(long units) {
        return new Amount(BigInteger.valueOf(units));
    }

    /** Returns the sum. */
    public Amount plus(Amount other) {
        return new Amount(units.add(other.units));
    }

    /**
     * Returns the difference.
     *
     * @throws IllegalArgumentException if {@code other} is larger
     */
    public Amount minus(Amount other) {
        return new Amount(units.subtract(other.units));
    }

    /** Returns the product with a non-negative count. */
    public Amount times(long count) {
        return new Amount(units.multiply(BigInteger.valueOf(count)));
    }

    /** Returns the amount in whole tokens, for people to read; never to calculate with. */
    public String inTokens(Token token) {
        return new BigDecimal(units, token.decimals()).toPlainString() + " " + token.symbol();
    }

    @Override
    public int compareTo(Amount other) {
        return units.compareTo(other.units);
    }

    @Override
    public String toString() {
        return units.toString();
    }
}
