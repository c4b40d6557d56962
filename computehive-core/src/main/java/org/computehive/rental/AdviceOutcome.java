package org.computehive.rental;

import java.util.OptionalLong;

/**
 * A suggestion beside what was charged: for the lender's rentals of as many gpus of that class, reserved after it and before
 * the next suggestion for such gpus. Immutable.
 *
 * @param advice the suggestion, when and to whom
 * @param rentals how many such rentals there were that were paid for, 0 or more
 * @param charged their mean rate in micro-USD per hour; empty without any, or where the token is not pegged to the dollar
 */
public record AdviceOutcome(GivenAdvice advice, int rentals, OptionalLong charged) {}
