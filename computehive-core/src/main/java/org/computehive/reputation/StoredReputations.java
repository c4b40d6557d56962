package org.computehive.reputation;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import org.computehive.market.Account;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore;
import org.computehive.reputation.Outcome.Role;

/**
 * Reputations from all rentals that a store has settled, looked at once a minute at the most; where reading them takes
 * long, so seldom that it takes no more than a twentieth of the time.
 *
 * <p>Thread-safe.
 */
public final class StoredReputations {
    private static final Duration FRESH = Duration.ofMinutes(1);
    private static final int READING_SHARE = 20;

    private final RentalStore store;
    private final InstantSource clock;
    private Reputations known = Reputations.of(List.of(), Instant.EPOCH);
    private Instant stale = Instant.MIN;

    /** Creates them for a store, which stays the caller's to close. */
    public StoredReputations(RentalStore store, InstantSource clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Returns a lender's score, 0 to 1,000; empty where nothing is known of it. */
    public OptionalInt scoreOfLender(Account lender) {
        Reputation reputation = current().of(lender, Role.LENDER);
        return reputation.isUnknown() ? OptionalInt.empty() : OptionalInt.of(reputation.score());
    }

    /** Returns all reputations as they were at the last look. */
    public synchronized Reputations current() {
        Instant now = clock.instant();
        if (!now.isBefore(stale)) {
            known = Reputations.of(
                    store.allInStates(EnumSet.of(RentalState.SETTLED))
                            .flatMap(rental -> Outcomes.of(rental).stream())
                            .toList(),
                    now);
            Instant read = clock.instant();
            Duration pause = Duration.between(now, read).multipliedBy(READING_SHARE);
            stale = read.plus(pause.compareTo(FRESH) > 0 ? pause : FRESH);
        }
        return known;
    }
}
