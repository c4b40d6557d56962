package org.computehive.access;

import org.jspecify.annotations.Nullable;

/** Access could not be given, or not prepared. The subclass says what the caller can do. */
public abstract sealed class AccessException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private AccessException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** What somebody gave as a public key isn't one we accept; the message tells them what to send instead. */
    public static final class KeyRefused extends AccessException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public KeyRefused(String message) {
            super(message, null);
        }
    }

    /** No certificate or lease fits into the window asked for. */
    public static final class OutsideWindow extends AccessException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public OutsideWindow(String message) {
            super(message, null);
        }
    }

    /** A private key file can't be read, isn't safe, or can't be written. */
    public static final class KeyFile extends AccessException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public KeyFile(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The gateway can't listen where it was told to. */
    public static final class CannotListen extends AccessException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public CannotListen(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The gateway does not take, or does not have, this lease. */
    public static final class LeaseRefused extends AccessException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public LeaseRefused(String message) {
            super(message, null);
        }
    }

    /** The target of a lease did not show an SSH banner in time. */
    public static final class NotUsable extends AccessException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public NotUsable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
