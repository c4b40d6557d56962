package org.computehive.rental;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;
import org.computehive.demand.DemandSignals;
import org.computehive.market.Rate;
import org.computehive.market.Token;

/**
 * A price that was suggested, and why. Immutable; money is in millionths of the currency per hour for all gpus together.
 *
 * <p>{@link RentalJson} writes and reads its JSON form, which {@code docs/price-suggestion.md} describes.
 *
 * @param currency the ISO 4217 code of the currency, such as {@code USD}
 * @param low the lower end of the range
 * @param point the suggestion; within the range
 * @param high the upper end of the range
 * @param confidence how much the model knows about hardware like this
 * @param factors what moved the price, strongest first
 * @param reference the named peer the factors are relative to
 * @param modelId the model's name and version
 * @param modelSha256 the SHA-256 of the model file, 64 hexadecimal digits
 * @param dataDate the newest day in the data the model learnt from
 * @param demand the newest of the demand signals that were used; empty if there were none
 */
public record PriceSuggestion(
        String currency,
        long low,
        long point,
        long high,
        Confidence confidence,
        List<Factor> factors,
        String reference,
        String modelId,
        String modelSha256,
        LocalDate dataDate,
        List<DemandSignals> demand) {

    /**
     * Copies the lists and checks the range.
     *
     * @throws IllegalArgumentException if not {@code 0 <= low <= point <= high}, or the currency is no code
     */
    public PriceSuggestion {
        factors = List.copyOf(factors);
        demand = List.copyOf(demand);
        if (!currency.matches("[A-Z]{3}")) {
            throw new IllegalArgumentException("currency \"%s\" is no ISO 4217 code, such as USD".formatted(currency));
        }
        if (demand.size() > 1) {
            throw new IllegalArgumentException(
                    "%d demand signals are more than the newest one".formatted(demand.size()));
        }
        if (low < 0 || low > point || point > high) {
            throw new IllegalArgumentException("range [%d, %d] does not hold the point %d".formatted(low, high, point));
        }
    }

    /**
     * Returns the suggested point as a rate in a token that is pegged to the dollar.
     *
     * @throws IllegalArgumentException if the token is not pegged, or the currency is another: then people must convert
     */
    public Rate pointIn(Token token) {
        if (!token.usdPegged() || !currency.equals("USD")) {
            throw new IllegalArgumentException(
                    "%s and token %s, which %s pegged to the dollar, may differ: convert the price yourself"
                            .formatted(currency, token.symbol(), token.usdPegged() ? "is" : "is not"));
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
