package org.computehive.reputation;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore;
import org.computehive.reputation.Outcome.Role;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reputations from the rentals that a store has settled, looked at once a minute at the most. Nothing is known of anybody
 * where the store has more than it hands out at once: a score from a part of the records would be wrong.
 *
 * <p>Thread-safe.
 */
public final class StoredReputations {
    private static final Logger LOG = LoggerFactory.getLogger(StoredReputations.class);
    private static final Duration FRESH = Duration.ofMinutes(1);

    private final RentalStore store;
    private final InstantSource clock;
    private Optional<Reputations> known = Optional.empty();
    private Instant stale = Instant.MIN;

    /** Creates them for a store, which stays the caller's to close. */
    public StoredReputations(RentalStore store, InstantSource clock) {
        this.store = store;
        this.clock = clock;
    }

    /** Returns a lender's score, 0 to 1,000; empty where nothing is known of it. */
    public OptionalInt scoreOfLender(Account lender) {
        return current()
                .map(all -> all.of(lender, Role.LENDER))
                .filter(reputation -> !reputation.isUnknown())
                .map(reputation -> OptionalInt.of(reputation.score()))
                .orElse(OptionalInt.empty());
    }

    /** Returns all reputations, at most a minute old; empty where the store has settled too many to know them all. */
    public synchronized Optional<Reputations> current() {
        Instant now = clock.instant();
        if (!now.isBefore(stale)) {
            known = read(now);
            stale = now.plus(FRESH);
        }
        return known;
    }

    private Optional<Reputations> read(Instant now) {
        List<Rental> settled = store.inStates(EnumSet.of(RentalState.SETTLED), RentalStore.MOST);
        if (settled.size() == RentalStore.MOST) {
            LOG.warn(
                    "over {} rentals are settled: set a reputation on the builder that reads all of them",
                    RentalStore.MOST);
            return Optional.empty();
        }
        return Optional.of(Reputations.of(
                settled.stream().flatMap(rental -> Outcomes.of(rental).stream()).toList(), now));
    }
}
