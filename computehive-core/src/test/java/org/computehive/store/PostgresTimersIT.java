package org.computehive.store;

import java.time.InstantSource;
import java.util.Optional;
import org.computehive.rental.RentalStore;
import org.computehive.rental.TimersContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class PostgresTimersIT extends TimersContract {
    private static PostgresServer server;
    private String url;

    @BeforeAll
    static void startServer() throws Exception {
        server = PostgresServer.start();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    protected RentalStore open(InstantSource clock) throws Exception {
        url = server.createDatabase();
        return JdbcStore.postgres(url, server.user(), server.password(), clock);
    }

    @Override
    protected Optional<RentalStore> reopen(InstantSource clock) {
        return Optional.of(JdbcStore.postgres(url, server.user(), server.password(), clock));
    }
}
