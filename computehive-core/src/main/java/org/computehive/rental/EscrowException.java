package org.computehive.rental;

import org.jspecify.annotations.Nullable;

/** The escrow could not do what was asked. The subclass says what the caller can do. */
public abstract sealed class EscrowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private EscrowException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** The chain can't be reached or read; nothing is known, try again. */
    public static final class Unreachable extends EscrowException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Unreachable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The contract or a signature check refuses it; the message holds the decoded reason. */
    public static final class Refused extends EscrowException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Refused(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Not yet: the time lock still runs, or a transaction has not its confirmations. Try again later. */
    public static final class NotYet extends EscrowException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public NotYet(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
