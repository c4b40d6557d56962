package org.computehive.market;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Objects;

/**
 * A price: units of a token per second, for all gpus of a listing together.
 *
 * <p>Immutable and thread-safe. The escrow meters in whole seconds, so a rate per second makes every payout exact.
 *
 * @param unitsPerSecond the token's smallest units per second, 0 to 2<sup>96</sup> - 1
 */
public record Rate(BigInteger unitsPerSecond) implements Comparable<Rate> {
    /** The largest rate. */
    public static final BigInteger MAX = BigInteger.ONE.shiftLeft(96).subtract(BigInteger.ONE);

    private static final BigDecimal SECONDS_PER_HOUR = BigDecimal.valueOf(3600);

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if {@code unitsPerSecond} is negative or over {@link #MAX}
     */
    public Rate {
        Objects.requireNonNull(unitsPerSecond, "unitsPerSecond");
        if (unitsPerSecond.signum() < 0 || unitsPerSecond.compareTo(MAX) > 0) {
            throw new IllegalArgumentException(
                    "rate %s is out of range: 0 to 2^96 - 1 units per second".formatted(unitsPerSecond));
        }
    }

    /** Returns a rate of units per second. */
    public static Rate of(long unitsPerSecond) {
        return new Rate(BigInteger.valueOf(unitsPerSecond));
    }

    /**
     * Returns the rate nearest to a price in whole tokens per hour.
     *
     * @param tokensPerHour whole tokens per hour
     * @param token the token, for its decimals
     */
    public static Rate perHour(BigDecimal tokensPerHour, Token token) {
        return new Rate(tokensPerHour
                .movePointRight(token.decimals())
                .divide(SECONDS_PER_HOUR, 0, RoundingMode.HALF_UP)
                .toBigIntegerExact());
    }

    /**
     * Returns what a time costs; a fraction of a second is not charged.
     *
     * @param time a time that is not negative
     */
    public Amount cost(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("time %s is negative".formatted(time));
        }
        return new Amount(unitsPerSecond.multiply(BigInteger.valueOf(time.toSeconds())));
    }

    /** Returns the rate in whole tokens per hour, for people to read. */
    public String inTokensPerHour(Token token) {
        return new BigDecimal(unitsPerSecond, token.decimals())
                        .multiply(SECONDS_PER_HOUR)
                        .stripTrailingZeros()
                        .toPlainString()
                + " " + token.symbol() + "/h";
    }

    @Override
    public int compareTo(Rate other) {
        return unitsPerSecond.compareTo(other.unitsPerSecond);
    }

    @Override
    public String toString() {
        return unitsPerSecond + "/s";
    }
}
