package org.computehive.store;

import java.time.InstantSource;
import java.util.Optional;
import org.computehive.rental.RentalStore;
import org.computehive.rental.TimersContract;

class InMemoryTimersTest extends TimersContract {
    @Override
    protected RentalStore open(InstantSource clock) {
        return new InMemoryStore(clock);
    }

    @Override
    protected Optional<RentalStore> reopen(InstantSource clock) {
        return Optional.empty();
    }
}
