package org.computehive.audit;

import org.jspecify.annotations.Nullable;

/** The log could not be read or written; the message says which file and what to do. */
public final class AuditLogException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Creates one. */
    public AuditLogException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
