package org.computehive.rental;

import java.time.Duration;

/**
 * How long the engine keeps what nobody needs for ever. Rentals and their events are kept for good.
 *
 * @param quotes how long a quote is kept after it expired; at least as long as answers, since an answer may name it
 * @param answers how long the answer to a request with an idempotency key is kept: how late it may be asked again
 */
public record Retention(Duration quotes, Duration answers) {
    /** A week of each. */
    public static final Retention DEFAULT = new Retention(Duration.ofDays(7), Duration.ofDays(7));

    /**
     * Checks the durations.
     *
     * @throws IllegalArgumentException if one is not positive, or quotes would go before the answers that name them
     */
    public Retention {
        if (!answers.isPositive()) {
            throw new IllegalArgumentException("answers %s must be positive".formatted(answers));
        }
        if (quotes.compareTo(answers) < 0) {
            throw new IllegalArgumentException(
                    "quotes %s must be kept at least as long as answers, %s: an answer may name a quote"
                            .formatted(quotes, answers));
        }
    }
}
