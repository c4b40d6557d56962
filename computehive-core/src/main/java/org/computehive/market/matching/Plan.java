package org.computehive.market.matching;

import java.math.BigInteger;
import java.util.List;

/**
 * Which requests get which windows, for people to confirm; it holds nothing.
 *
 * <p>The weight of a proposal is what the request is worth less the proposal's total. Immutable and thread-safe.
 *
 * @param answers one for each request, in their order
 * @param weight the sum of the weights, in units of the token
 * @param bound no choice among the same windows weighs more
 * @param precision how much of the bound is due to comparing large weights without their last bits; 0 if they are exact
 */
public record Plan(List<Answer> answers, BigInteger weight, BigInteger bound, BigInteger precision) {
    /** Copies the list. */
    public Plan {
        answers = List.copyOf(answers);
    }

    /**
     * Returns whether this is proved to be the best choice among the windows that were looked at, up to the
     * {@link #precision}.
     */
    public boolean isOptimal() {
        return bound.subtract(weight).compareTo(precision) <= 0;
    }

    /** What a request gets. */
    public sealed interface Answer {
        /** Returns the request's id. */
        String request();

        /** Returns why, for people. */
        String why();
    }

    /**
     * A window.
     *
     * @param request the request's id
     * @param proposal the window, which overlaps that of no other request, turnover included
     * @param why its terms, and if the request's own best is another: who has that, and why
     */
    public record Matched(String request, Proposal proposal, String why) implements Answer {}

    /**
     * Nothing.
     *
     * @param request the request's id
     * @param reason the kind of reason
     * @param why the reason, with the values that matter
     */
    public record Unmatched(String request, Reason reason, String why) implements Answer {}

    /** Why a request gets nothing. */
    public enum Reason {
        /** No candidate has so many gpus. */
        TOO_MANY_GPUS,
        /** No candidate is free for so long between its bounds. */
        NOTHING_FREE,
        /** Every window costs as much as the request is worth, or more. */
        WORTH_TOO_LITTLE,
        /** Other requests weigh more where it would fit. */
        OUTWEIGHED
    }
}
