package org.computehive.store;

import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

class PostgresMigrationIT extends MigrationContract {
    private PostgresServer server;
    private String url;

    @BeforeEach
    void startServer() throws Exception {
        server = PostgresServer.start();
        url = server.createDatabase();
    }

    @AfterEach
    void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    String dialect() {
        return "postgresql";
    }

    @Override
    String url() {
        return url;
    }

    @Override
    String user() {
        return server.user();
    }

    @Override
    String password() {
        return server.password();
    }

    @Override
    Object written(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    @Override
    JdbcStore open() {
        return JdbcStore.postgres(url, server.user(), server.password(), InstantSource.system());
    }
}
