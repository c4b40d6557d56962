package org.computehive.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/** Connections to the databases that this package opens itself. */
final class Pools {
    /** One writes at a time whatever the size; more connections only wait for each other. */
    private static final int SQLITE_CONNECTIONS = 4;

    /** Sixteen for work, one that holds claims. */
    private static final int POSTGRES_CONNECTIONS = 17;

    private static final int BUSY_MILLIS = 30_000;

    private Pools() {}

    static HikariDataSource sqlite(Path file) {
        create(file);
        var config = new HikariConfig();
        config.setPoolName("computehive-sqlite");
        config.setDataSource(SqliteFile.open(file));
        config.setMaximumPoolSize(SQLITE_CONNECTIONS);
        return open(
                config, "could not open %s: check that it is a SQLite database that can be written".formatted(file));
    }

    static HikariDataSource postgres(String url, String user, String password) {
        var config = new HikariConfig();
        config.setPoolName("computehive-postgresql");
        config.setJdbcUrl(url);
        config.setUsername(user);
        config.setPassword(password);
        config.setMaximumPoolSize(POSTGRES_CONNECTIONS);
        return open(config, "could not connect to PostgreSQL: check that it runs, and address, user and password");
    }

    private static HikariDataSource open(HikariConfig config, String otherwise) {
        try {
            return new HikariDataSource(config);
        } catch (HikariPool.PoolInitializationException | IllegalArgumentException e) {
            throw new StoreException(otherwise, e);
        }
    }

    /** Makes the file for its owner alone; SQLite gives the files beside it the same rights. */
    static void create(Path file) {
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] rights = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
        try {
            Files.createFile(file, rights);
        } catch (FileAlreadyExistsException e) {
            // It is opened below.
        } catch (IOException e) {
            throw new StoreException(
                    "could not create %s: check that its directory exists and can be written".formatted(file), e);
        }
    }

    /** Keeps SQLite's types away from those who use PostgreSQL. */
    private static final class SqliteFile {
        static SQLiteDataSource open(Path file) {
            var config = new SQLiteConfig();
            config.setJournalMode(SQLiteConfig.JournalMode.WAL);
            config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
            config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
            config.setBusyTimeout(BUSY_MILLIS);
            config.enforceForeignKeys(true);
            var source = new SQLiteDataSource(config);
            source.setUrl("jdbc:sqlite:" + file.toAbsolutePath());
            return source;
        }
    }
}
