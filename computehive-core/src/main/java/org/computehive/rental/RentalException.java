package org.computehive.rental;

import org.computehive.once.Answer;

/** A command on a rental was refused; nothing changed. The subclass says what the caller can do. */
public abstract sealed class RentalException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private RentalException(String message) {
        super(message);
    }

    /** There is no such thing, or not for this caller. */
    public static final class NotFound extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public NotFound(String message) {
            super(message);
        }
    }

    /** The rental's state doesn't allow it. */
    public static final class WrongState extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public WrongState(String message) {
            super(message);
        }
    }

    /** The caller is not the party that may do it. */
    public static final class NotAllowed extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public NotAllowed(String message) {
            super(message);
        }
    }

    /** What was asked for breaks a rule of the listing or a limit; the message names it. */
    public static final class Unacceptable extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Unacceptable(String message) {
            super(message);
        }
    }

    /** The quote or the hold is over: ask for a new one. */
    public static final class Expired extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Expired(String message) {
            super(message);
        }
    }

    /** A gpu is taken in the window: choose another. */
    public static final class Overlap extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Overlap(String message) {
            super(message);
        }
    }

    /** Another command came first: read again. */
    public static final class Superseded extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Superseded(String message) {
            super(message);
        }
    }

    /** Another rental took the lane first: choose another. */
    public static final class LaneTaken extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public LaneTaken(String message) {
            super(message);
        }
    }

    /** The idempotency key was used for another request: use a new one. */
    public static final class KeyReused extends RentalException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public KeyReused(String message) {
            super(message);
        }

        /** Says which answer has the key. */
        public static KeyReused by(Answer answer) {
            return new KeyReused(
                    "idempotency key %s was used at %s for another request: use a new key for a new request"
                            .formatted(answer.key(), answer.at()));
        }
    }
}
