package org.computehive.embedded;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore;
import org.computehive.reputation.Outcome.Role;
import org.computehive.reputation.Outcomes;
import org.computehive.reputation.Reputation;
import org.computehive.reputation.Reputations;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lenders' reputations from the rentals that a store has settled, looked at once a minute at the most. Nothing is known of
 * anybody where the store has more than it hands out at once: a score from a part of the records would be wrong.
 */
final class StoredReputations implements Function<Account, OptionalInt> {
    private static final Logger LOG = LoggerFactory.getLogger(StoredReputations.class);
    private static final Duration FRESH = Duration.ofMinutes(1);

    private final RentalStore store;
    private final InstantSource clock;
    private Reputations known = Reputations.of(List.of(), Instant.EPOCH);
    private Instant stale = Instant.MIN;

    StoredReputations(RentalStore store, InstantSource clock) {
        this.store = store;
        this.clock = clock;
    }

    @Override
    public OptionalInt apply(Account lender) {
        Reputation reputation = current().of(lender, Role.LENDER);
        return reputation.isUnknown() ? OptionalInt.empty() : OptionalInt.of(reputation.score());
    }

    private synchronized Reputations current() {
        Instant now = clock.instant();
        if (now.isBefore(stale)) {
            return known;
        }
        List<Rental> settled = store.inStates(EnumSet.of(RentalState.SETTLED), RentalStore.MOST);
        if (settled.size() == RentalStore.MOST) {
            LOG.warn(
                    "over {} rentals are settled: set a reputation on the builder that reads all of them",
                    RentalStore.MOST);
            settled = List.of();
        }
        known = Reputations.of(
                settled.stream().flatMap(rental -> Outcomes.of(rental).stream()).toList(), now);
        stale = now.plus(FRESH);
        return known;
    }
}
