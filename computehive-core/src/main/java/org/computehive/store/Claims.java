package org.computehive.store;

import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Claim;

/** Rights to work on a rental, one holder at a time. Thread-safe. */
interface Claims extends AutoCloseable {
    Optional<Claim> claim(RentalId id);

    @Override
    void close();

    /** Claims among the threads of one process: enough where no other may open the store. */
    static Claims inProcess() {
        return new Claims() {
            private final ConcurrentMap<RentalId, Object> held = new ConcurrentHashMap<>();

            @Override
            public Optional<Claim> claim(RentalId id) {
                // A claim that is closed twice must not end another's.
                var own = new Object();
                return held.putIfAbsent(id, own) == null ? Optional.of(() -> held.remove(id, own)) : Optional.empty();
            }

            @Override
            public void close() {
                held.clear();
            }
        };
    }
}
