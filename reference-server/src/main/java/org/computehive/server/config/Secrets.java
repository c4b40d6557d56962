package org.computehive.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;

/** Passwords that are kept in files. */
final class Secrets {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private Secrets() {}

    /**
     * Returns the password in a file.
     *
     * @throws ConfigurationException if it can't be read, or others may read it too
     */
    static String read(String file) {
        Path path = Path.of(file);
        try {
            if (!OWNER_ONLY.containsAll(Files.getPosixFilePermissions(path))) {
                throw new ConfigurationException(
                        "others may read the password file %s: chmod 600 it".formatted(path), null);
            }
            return Files.readString(path).strip();
        } catch (IOException e) {
            throw new ConfigurationException("the password file %s can't be read".formatted(path), e);
        }
    }
}
