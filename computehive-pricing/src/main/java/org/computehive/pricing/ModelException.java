package org.computehive.pricing;

import java.io.Serial;

/** A price model can't be used. Nothing of it was loaded. */
public final class ModelException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    private final Reason reason;

    ModelException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    ModelException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** Returns what a caller can act on. */
    public Reason reason() {
        return reason;
    }

    /** Why a model can't be used. */
    public enum Reason {
        /** The file can't be read or is too large. */
        UNREADABLE,
        /** The file's SHA-256 is not the expected one. */
        WRONG_HASH,
        /** The file is not a model, or not one of ours, or of another version. */
        FOREIGN
    }
}
