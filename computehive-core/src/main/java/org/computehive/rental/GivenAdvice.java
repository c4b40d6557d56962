package org.computehive.rental;

import java.time.Instant;
import org.computehive.market.Account;

/**
 * A suggestion that a lender was given. Immutable.
 *
 * @param lender who asked
 * @param at when
 * @param gpuModel the first gpus' model, as the lender called it
 * @param gpuCount how many gpus, with all others of the host
 * @param suggestion the suggestion
 */
public record GivenAdvice(Account lender, Instant at, String gpuModel, int gpuCount, PriceSuggestion suggestion) {}
