package org.computehive.reputation;

import java.util.List;
import org.computehive.market.Account;

/**
 * How far a party's record can be relied on in a role, and why.
 *
 * <p>{@code score} is 1,000 times the lower end of the confidence interval for the share of its rentals that go well
 * (Wilson 1927, one-sided 90 %): a short record scores low because little is known, not because it is bad. A party without
 * evidence has 0.
 *
 * @param party whom it is about
 * @param role in which role
 * @param score 0 to 1,000
 * @param evidence the weighted number of rentals that the score rests on
 * @param factors what went into it, for people
 */
public record Reputation(Account party, Outcome.Role role, int score, double evidence, List<Factor> factors) {
    /** Copies the list. */
    public Reputation {
        factors = List.copyOf(factors);
    }

    /** Returns whether there is no evidence at all. */
    public boolean isUnknown() {
        return evidence == 0;
    }

    /**
     * One thing that went into a score.
     *
     * @param name what, in a few words
     * @param value its value, with its unit
     * @param meaning why it counts
     */
    public record Factor(String name, String value, String meaning) {}
}
