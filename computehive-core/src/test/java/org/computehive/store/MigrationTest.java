package org.computehive.store;

import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;

class MigrationTest extends MigrationContract {
    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("old.db");
    }

    @Override
    String dialect() {
        return "sqlite";
    }

    @Override
    String url() {
        return "jdbc:sqlite:" + file();
    }

    @Override
    @Nullable String user() {
        return null;
    }

    @Override
    @Nullable String password() {
        return null;
    }

    @Override
    Object written(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    @Override
    JdbcStore open() {
        return JdbcStore.sqlite(file(), InstantSource.system());
    }
}
