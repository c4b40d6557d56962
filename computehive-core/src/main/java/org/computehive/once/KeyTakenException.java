package org.computehive.once;

/** There is an answer under the caller's key already: look it up. Nothing changed. */
public final class KeyTakenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Creates one. */
    public KeyTakenException(String message) {
        super(message);
    }
}
