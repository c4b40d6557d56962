package org.computehive.server.config;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The server can't start as it is configured; the message names the key, the value and the remedy. */
public final class ConfigurationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates one.
     *
     * @param message what is wrong, and the remedy
     * @param cause what was thrown, if anything
     */
    public ConfigurationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /**
     * Returns what a key's value means.
     *
     * @throws ConfigurationException if its type refuses it, with the type's complaint
     */
    static <T, R> R parse(String key, T value, Function<T, R> type) {
        try {
            return type.apply(value);
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException(key + ": " + e.getMessage(), e);
        }
    }
}
