package org.computehive.store;

import org.jspecify.annotations.Nullable;

/** The store could not be opened, read or written; the message says what failed and what to do. */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates one.
     *
     * @param message what failed, and what to do
     * @param cause what the database or its driver said
     */
    public StoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
