package org.computehive.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.jspecify.annotations.Nullable;

/**
 * Hands out lanes that are likely to be free, each to one caller at a time, so that bookings neither ask the database for a
 * lane each nor run into each other over it. Low lanes first, since a lane that was used before is cheap on the chain.
 *
 * <p>It knows a block of free lanes per lender. When another process takes lanes of the same block, it moves to a block
 * further on, chosen at random, and comes back to low lanes once that no longer happens. The database decides: what is
 * handed out is a hint. Thread-safe.
 */
final class LaneDesk {
    private static final int SMALLEST_BLOCK = 32;
    /** Of a lender that holds many lanes more are fetched at a time, since fetching reads past those that are held. */
    private static final int HELD_PER_FETCHED = 8;

    private static final int WIDEST_SPREAD = 64;
    /** After so many fetches without a lane lost to another process it looks nearer again. */
    private static final int CALM_FETCHES = 50;
    /** After so long a lane that was handed out and never heard of again is offered again. */
    private static final long FORGOTTEN_NANOS = 60_000_000_000L;

    private final Database database;
    private final Map<Account, Desk> desks = new ConcurrentHashMap<>();

    LaneDesk(Database database) {
        this.database = database;
    }

    long take(Account lender) {
        return desk(lender).take();
    }

    private Desk desk(Account lender) {
        return desks.computeIfAbsent(lender, Desk::new);
    }

    /**
     * Learns what became of an event that may have taken or freed lanes.
     *
     * @param refusal why it was not kept; {@code null} if it was
     */
    void settle(Rental after, @Nullable RuntimeException refusal) {
        if (after.version() == 1 || after.holdingsChanged()) {
            desk(after.terms().lender()).settle(after, refusal);
        }
    }

    /** One lender's lanes. */
    private final class Desk {
        private final Account lender;
        private final TreeSet<Long> free = new TreeSet<>();
        /** Lanes that were handed out, and when. */
        private final Map<Long, Long> out = new HashMap<>();

        private int spread = 1;
        private int calm;

        Desk(Account lender) {
            this.lender = lender;
        }

        synchronized long take() {
            if (free.isEmpty()) {
                fetch();
            }
            long lane = free.removeFirst();
            out.put(lane, System.nanoTime());
            return lane;
        }

        private void fetch() {
            long now = System.nanoTime();
            out.values().removeIf(since -> now - since > FORGOTTEN_NANOS);
            List<Long> held = held();
            int block = Math.max(SMALLEST_BLOCK, held.size() / HELD_PER_FETCHED);
            long skip =
                    spread == 1 ? 0 : (long) block * ThreadLocalRandom.current().nextInt(spread);
            Set<Long> taken = new HashSet<>(held);
            taken.addAll(out.keySet());
            for (long lane = 0; free.size() < block; lane++) {
                if (!taken.contains(lane) && skip-- <= 0) {
                    free.add(lane);
                }
            }
            if (++calm >= CALM_FETCHES) {
                spread = Math.max(1, spread / 2);
                calm = 0;
            }
        }

        private List<Long> held() {
            return database.single("read lanes", connection -> {
                try (PreparedStatement statement =
                        connection.prepareStatement("SELECT lane FROM ch_lanes WHERE lender = ?")) {
                    statement.setString(1, lender.address());
                    try (ResultSet rows = statement.executeQuery()) {
                        var lanes = new ArrayList<Long>();
                        while (rows.next()) {
                            lanes.add(rows.getLong(1));
                        }
                        return lanes;
                    }
                }
            });
        }

        synchronized void settle(Rental after, @Nullable RuntimeException refusal) {
            long first = after.terms().lane();
            switch (refusal) {
                case null -> {
                    after.lanes().forEach(lane -> {
                        out.remove(lane);
                        free.remove(lane);
                    });
                    if (!after.lanes().contains(first)) {
                        free.add(first);
                    }
                }
                case RentalException.LaneTaken taken -> {
                    out.remove(first);
                    free.clear();
                    spread = Math.min(WIDEST_SPREAD, spread * 4);
                    calm = 0;
                }
                default -> {
                    if (after.version() == 1 && out.remove(first) != null) {
                        free.add(first);
                    }
                }
            }
        }
    }
}
