package org.computehive.examples;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.PriceSuggestion;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.computehive.rental.PriceSuggestion.Factor;

/**
 * A third party's {@link PriceAdvisor}: a company's own price for each gpu that it lists, and another advisor's for the rest.
 *
 * <p>That it keeps what the port promises is shown by {@code RateCardTest}, which extends the contract of the port out of
 * core's test-jar; any implementation of a port is tested so. Immutable, thread-safe.
 */
public final class RateCard implements PriceAdvisor {
    private final String name;
    private final LocalDate date;
    private final Map<String, Long> prices;
    private final PriceAdvisor others;
    private final String sha256;

    /**
     * Creates one.
     *
     * @param name what it is called in suggestions
     * @param date the day it was written
     * @param prices for each gpu model, as people call it, the price in micro-USD per hour for one
     * @param others asked for what is not on the card
     * @throws IllegalArgumentException if a price is not positive, or two models are one
     */
    public RateCard(String name, LocalDate date, Map<String, Long> prices, PriceAdvisor others) {
        this.name = name;
        this.date = date;
        this.others = others;
        this.prices = new TreeMap<>();
        prices.forEach((model, price) -> {
            if (price <= 0) {
                throw new IllegalArgumentException(
                        "price %d of %s is not positive: give micro-USD per hour".formatted(price, model));
            }
            if (this.prices.put(key(model), price) != null) {
                throw new IllegalArgumentException("gpu %s is on the card twice: name it once".formatted(model));
            }
        });
        this.sha256 = sha256(name + date + this.prices);
    }

    @Override
    public PriceSuggestion suggest(Request request) {
        PriceSuggestion theirs = others.suggest(request);
        List<Lot> lots = Stream.concat(
                        Stream.of(new Lot(request.gpuModel(), request.gpuCount(), request.gpuMemoryMiB())),
                        request.others().stream())
                .toList();
        List<Lot> listed = lots.stream().filter(this::lists).toList();
        if (listed.isEmpty()) {
            return theirs;
        }
        var factors = new ArrayList<Factor>();
        long point = 0;
        for (Lot lot : listed) {
            point += prices.getOrDefault(key(lot.gpuModel()), 0L) * lot.gpuCount();
            factors.add(new Factor(lot.gpuModel(), 1, "as on the card of " + date));
        }
        List<Lot> unlisted = lots.stream().filter(lot -> !lists(lot)).toList();
        if (!unlisted.isEmpty()) {
            point += others.suggest(only(unlisted, request)).point();
            factors.add(new Factor("gpus that are not on the card", 1, "as another advisor suggests"));
        }
        point = Math.clamp(point, request.floor().orElse(0), request.ceiling().orElse(Long.MAX_VALUE));
        return new PriceSuggestion(
                theirs.currency(),
                point,
                point,
                point,
                unlisted.isEmpty() ? Confidence.HIGH : theirs.confidence(),
                factors,
                "the card of " + name,
                name + " " + date,
                sha256,
                date,
                theirs.demand());
    }

    /** Returns a request for some of a request's gpus, without its limits. */
    private static Request only(List<Lot> some, Request request) {
        Lot first = some.getFirst();
        return new Request(
                first.gpuModel(),
                first.gpuCount(),
                first.gpuMemoryMiB(),
                request.cpus(),
                request.memoryMiB(),
                request.utilisation(),
                OptionalLong.empty(),
                OptionalLong.empty(),
                some.subList(1, some.size()),
                request.demand(),
                request.slot(),
                request.own());
    }

    private boolean lists(Lot lot) {
        return prices.containsKey(key(lot.gpuModel()));
    }

    private static String key(String model) {
        return Stream.of(model.toLowerCase(Locale.ROOT).split("[^a-z0-9]+", -1))
                .filter(word -> !word.isEmpty())
                .collect(Collectors.joining(" "));
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
