package org.computehive.rental;

import org.jspecify.annotations.Nullable;

/**
 * A message that could not be delivered. Its own message is stored and shown to operators, so it says what can be done and
 * holds no credential; of any other exception of a {@link Notifier}'s the kind alone is shown.
 */
public abstract class NotifierException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates one.
     *
     * @param message what is wrong, and the remedy
     * @param cause what was thrown, if anything
     */
    protected NotifierException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
