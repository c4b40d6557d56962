package org.computehive.store;

import java.time.InstantSource;
import org.computehive.feed.FeedStore;
import org.computehive.feed.FeedStoreContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

class PostgresFeedsIT extends FeedStoreContract {
    private static PostgresServer server;
    private JdbcStore store;

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

    @BeforeEach
    void open() throws Exception {
        store = JdbcStore.postgres(server.createDatabase(), server.user(), server.password(), InstantSource.system());
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    protected FeedStore store() {
        return store;
    }
}
