package org.computehive.store;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import org.computehive.rental.RentalStore;
import org.computehive.rental.TimersContract;
import org.junit.jupiter.api.io.TempDir;

class SqliteTimersTest extends TimersContract {
    @TempDir
    Path directory;

    @Override
    protected RentalStore open(InstantSource clock) {
        return JdbcStore.sqlite(directory.resolve("store.db"), clock);
    }

    @Override
    protected Optional<RentalStore> reopen(InstantSource clock) {
        return Optional.of(open(clock));
    }
}
