package org.computehive.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Passwords that are kept in files. */
final class Secrets {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private Secrets() {}

    /**
     * Returns the secret that a file or an environment variable holds, if one is named.
     *
     * @param key whose it is
     * @param what its name under that key, without {@code -file} or {@code -variable}
     * @param environment returns the value of an environment variable
     * @throws ConfigurationException if both are named, or what is named holds none; the message has no secret
     */
    static Optional<String> oneOf(
            String key,
            String what,
            Optional<String> file,
            Optional<String> variable,
            Function<String, Optional<String>> environment) {
        if (file.isPresent() && variable.isPresent()) {
            throw new ConfigurationException(
                    "%s has both %s-file and %s-variable: name one".formatted(key, what, what), null);
        }
        return file.map(Secrets::read)
                .or(() -> variable.map(name -> environment
                        .apply(name)
                        .orElseThrow(() -> new ConfigurationException(
                                "%s.%s-variable: the environment has no variable %s".formatted(key, what, name),
                                null))));
    }

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
