package org.computehive.rental;

/**
 * The audit log and the store don't belong together: the log holds events that the store doesn't, or the store knows places
 * in the log that the log doesn't have. So it is when one of them was restored from an older backup than the other. Nothing
 * was changed; the message names what is missing and says what to do.
 */
public final class AuditMismatchException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Creates one. */
    public AuditMismatchException(String message) {
        super(message);
    }
}
