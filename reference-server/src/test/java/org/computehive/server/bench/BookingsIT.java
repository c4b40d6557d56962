package org.computehive.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;
import org.computehive.server.platform.TemporaryPostgres;
import org.junit.jupiter.api.Test;

/** Many threads over several engines on one PostgreSQL: no gpu is booked twice, and every answer was true. */
class BookingsIT {
    private static final int ATTEMPTS = 20_000;

    @Test
    void fourEngines_sixtyFourThreads_overlapNowhere_keepWhatTheyAcknowledged_andNothingElse() throws Exception {
        long seed = Long.getLong("computehive.seed", 1);
        BookingMix mix = BookingMix.of(ATTEMPTS, seed);
        List<List<BookingMix.Offer>> offers = BookingMix.allOffers();
        Map<RentalId, Rental> acknowledged = new ConcurrentHashMap<>();
        try (Scratch scratch = Scratch.onDisk();
                TemporaryPostgres postgres = TemporaryPostgres.start();
                EngineReplicas replicas = new EngineReplicas(postgres, Bookings.ENGINES, scratch.folder())) {
            Bookers.Result result = Bookers.run(Bookings.THREADS, 0, ATTEMPTS, () -> 0, (thread, number) -> {
                Optional<Rental> rental = replicas.book(thread, mix.attempt(offers, number), number % 2 == 0);
                rental.ifPresent(booked -> acknowledged.put(booked.id(), booked));
                return rental.isPresent();
            });

            assertEquals(0, replicas.overlaps());
            assertEquals(acknowledged.size(), result.bookings());
            assertTrue(result.bookings() > ATTEMPTS / 4 && result.bookings() < ATTEMPTS, result::toString);
            Set<String> wanted = new HashSet<>();
            acknowledged
                    .values()
                    .forEach(rental -> rental.occupied()
                            .forEach(occupancy -> wanted.add("%s %s %d"
                                    .formatted(
                                            rental.id(),
                                            occupancy.gpu(),
                                            occupancy.window().start().getEpochSecond()))));
            Set<String> stored = new HashSet<>(replicas.strings(
                    "SELECT rental || ' ' || gpu || ' ' || extract(epoch FROM starts)::bigint FROM ch_bookings"));
            assertEquals(wanted, stored, "each gpu of each acknowledged rental is held, and no other");
            for (String table : List.of("ch_rentals", "ch_events", "ch_lanes", "ch_wakes")) {
                assertEquals(acknowledged.size(), replicas.count("SELECT count(*) FROM " + table), table);
            }
            assertEquals(0, replicas.count("SELECT count(*) FROM ch_unaudited"));
            assertEquals(
                    Bookings.ENGINES,
                    replicas.count("SELECT count(DISTINCT log) FROM ch_audit_places"),
                    "each its own");
            assertEquals(
                    acknowledged.size(), replicas.logged().stream().distinct().count(), "each is in a log");
            assertEquals(acknowledged.size(), replicas.logged().size(), "and in one alone");
        }
    }
}
