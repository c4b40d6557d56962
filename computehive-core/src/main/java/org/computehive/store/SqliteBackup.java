package org.computehive.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.PreparedStatement;

/** Copies a SQLite database as it is at one instant, while others write to it. */
final class SqliteBackup {
    private SqliteBackup() {}

    static void write(Database database, Path target) {
        Path folder = target.toAbsolutePath().resolveSibling("").normalize();
        Path part = target.resolveSibling(target.getFileName() + ".part");
        if (Files.exists(target)) {
            throw new StoreException("%s is there already: give the backup a name of its own".formatted(target), null);
        }
        boolean done = false;
        try {
            Files.deleteIfExists(part);
            Pools.create(part);
            database.single("write a backup to " + target, connection -> {
                try (PreparedStatement statement = connection.prepareStatement("VACUUM INTO ?")) {
                    statement.setString(1, part.toAbsolutePath().toString());
                    return statement.executeUpdate();
                }
            });
            sync(part, StandardOpenOption.WRITE);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            sync(folder, StandardOpenOption.READ);
            done = true;
        } catch (IOException e) {
            throw new StoreException(
                    "could not write a backup to %s: check that its directory can be written".formatted(target), e);
        } finally {
            if (!done) {
                remove(part);
            }
        }
    }

    private static void sync(Path path, StandardOpenOption option) throws IOException {
        try (FileChannel channel = FileChannel.open(path, option)) {
            channel.force(true);
        }
    }

    private static void remove(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            // Why we are here matters more, and a later backup of that name removes it.
        }
    }
}
