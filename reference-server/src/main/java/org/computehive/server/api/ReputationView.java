package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.reputation.Outcome;
import org.computehive.reputation.Reputation;
import org.computehive.reputation.Reputations;

/** How far an account's record can be relied on, as a lender and as a renter. */
@Schema(name = "Reputation")
record ReputationView(String account, ScoreView asLender, ScoreView asRenter) {
    static ReputationView of(Account account, Reputations all) {
        return new ReputationView(
                account.address(),
                ScoreView.of(all.of(account, Outcome.Role.LENDER)),
                ScoreView.of(all.of(account, Outcome.Role.RENTER)));
    }

    /** A score of 0 to 1000, the weighted number of rentals it rests on, and what went into it. */
    @Schema(name = "ReputationScore")
    record ScoreView(int score, boolean unknown, double evidence, List<ReputationFactorView> factors) {
        static ScoreView of(Reputation reputation) {
            return new ScoreView(
                    reputation.score(),
                    reputation.isUnknown(),
                    reputation.evidence(),
                    reputation.factors().stream()
                            .map(factor -> new ReputationFactorView(factor.name(), factor.value(), factor.meaning()))
                            .toList());
        }
    }

    /** One thing that went into a score. */
    @Schema(name = "ReputationFactor")
    record ReputationFactorView(String name, String value, String meaning) {}
}
