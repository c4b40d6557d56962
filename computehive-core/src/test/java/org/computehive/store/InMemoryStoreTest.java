package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;
import org.junit.jupiter.api.Test;

class InMemoryStoreTest extends RentalStoreContract {
    private final AtomicReference<Instant> now = new AtomicReference<>(NOON);

    @Override
    protected RentalStore open(InstantSource clock) {
        return new InMemoryStore(clock);
    }

    @Test
    void simulated_daysOfWakes_passAsTheClockIsSet() {
        try (InMemoryStore store = InMemoryStore.simulated(now::get)) {
            var woken = new ArrayList<Instant>();
            Rental rental = reserve(store, Optional.of(NOON.plus(Duration.ofDays(1))));
            store.timers().start((id, version) -> {
                woken.add(now.get());
                return woken.size() < 30 ? now.get().plus(Duration.ofDays(1)) : null;
            });
            assertEquals(0, store.runDue());

            while (store.nextDue().isPresent()) {
                now.set(store.nextDue().get());
                assertEquals(1, store.runDue());
            }

            assertEquals(30, woken.size());
            assertEquals(NOON.plus(Duration.ofDays(30)), now.get());
            assertEquals(1, store.history(rental.id()).size());
        }
    }

    @Test
    void simulated_wakeThatBecomesDueMeanwhile_isRunToo() {
        try (InMemoryStore store = InMemoryStore.simulated(now::get)) {
            Rental rental = reserve(store, Optional.of(NOON));
            var versions = new ArrayList<Long>();
            store.timers().start((id, version) -> {
                versions.add(version);
                if (version == 1) {
                    store.append(then(rental, new RentalEvent.HoldExpired(NOON)));
                    now.set(NOON.plusSeconds(1));
                }
                return null;
            });

            assertEquals(2, store.runDue());
            assertEquals(List.of(1L, 2L), versions);
            assertEquals(Optional.empty(), store.nextDue());
        }
    }

    @Test
    void simulated_handlerThatThrows_isTriedAgainWithGrowingDelay() {
        try (InMemoryStore store = InMemoryStore.simulated(now::get)) {
            reserve(store, Optional.of(NOON));
            store.timers().start((id, version) -> {
                throw new IllegalStateException("thrown by the test");
            });
            var delays = new ArrayList<Duration>();
            for (int i = 0; i < 9; i++) {
                assertEquals(1, store.runDue());
                Instant next = store.nextDue().orElseThrow();
                delays.add(Duration.between(now.get(), next));
                now.set(next);
            }
            assertEquals(
                    List.of(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L, 60L),
                    delays.stream().map(Duration::toSeconds).toList());
        }
    }

    @Test
    void simulated_handlerThatAlwaysAsksForNow_isReported() {
        try (InMemoryStore store = InMemoryStore.simulated(now::get)) {
            reserve(store, Optional.of(NOON));
            store.timers().start((id, version) -> now.get());
            assertThrows(IllegalStateException.class, store::runDue);
        }
    }

    @Test
    void simulated_timersNotStarted_runNothing() {
        try (InMemoryStore store = InMemoryStore.simulated(now::get)) {
            reserve(store, Optional.of(NOON));
            assertEquals(0, store.runDue());
            assertEquals(Optional.of(NOON), store.nextDue());
        }
    }

    private static Rental reserve(RentalStore store, Optional<Instant> wake) {
        Recorded recorded = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        store.append(new Recorded(recorded.after(), recorded.event(), recorded.salt(), wake));
        return recorded.after();
    }
}
