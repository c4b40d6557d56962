package org.computehive.rental;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;
import org.computehive.market.Rate;
import org.computehive.market.Token;

/**
 * A price that was suggested, and why. Immutable; money is in micro-USD per hour for all gpus together.
 *
 * @param low the lower end of the range
 * @param point the suggestion; within the range
 * @param high the upper end of the range
 * @param confidence how much the model knows about hardware like this
 * @param factors what moved the price, strongest first
 * @param reference the named peer the factors are relative to
 * @param modelId the model's name and version
 * @param modelSha256 the SHA-256 of the model file, 64 hexadecimal digits
 * @param dataDate the newest day in the data the model learnt from
 */
public record PriceSuggestion(
        long low,
        long point,
        long high,
        Confidence confidence,
        List<Factor> factors,
        String reference,
        String modelId,
        String modelSha256,
        LocalDate dataDate) {

    /**
     * Copies the list and checks the range.
     *
     * @throws IllegalArgumentException if not {@code 0 <= low <= point <= high}
     */
    public PriceSuggestion {
        factors = List.copyOf(factors);
        if (low < 0 || low > point || point > high) {
            throw new IllegalArgumentException("range [%d, %d] does not hold the point %d".formatted(low, high, point));
        }
    }

    /**
     * Returns the suggested point as a rate in a token that is pegged to the dollar.
     *
     * @throws IllegalArgumentException if the token is not pegged: then people must convert
     */
    public Rate pointIn(Token token) {
        if (!token.usdPegged()) {
            throw new IllegalArgumentException(
                    "token %s is not pegged to the dollar: convert the price yourself".formatted(token.symbol()));
        }
        return Rate.perHour(BigDecimal.valueOf(point, 6), token);
    }

    /** How much the model knows about hardware like what was asked for. */
    public enum Confidence {
        /** A gpu and a setting it has seen often. */
        HIGH,
        /** Seen, but seldom or in another setting. */
        MEDIUM,
        /** Not seen: the range is wider. */
        LOW
    }

    /**
     * One thing that moved the price.
     *
     * @param name a short name, such as {@code gpu memory}
     * @param multiplier what it multiplies the reference's price by
     * @param why in plain words
     */
    public record Factor(String name, double multiplier, String why) {}
}
