package org.computehive.rental;

import org.jspecify.annotations.Nullable;

/** A host could not do what a rental needs of it. The subclass says what the caller can do. */
public abstract sealed class HypervisorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private HypervisorException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** The hypervisor can't be reached or is not installed: state unknown, try again. */
    public static final class Unreachable extends HypervisorException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Unreachable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The host lacks something: rights, disk space, memory, a free port. The message names it and the remedy. */
    public static final class Lacking extends HypervisorException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Lacking(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The request itself can't be met: unknown image, wrong hash, a device that isn't there or isn't free. */
    public static final class Refused extends HypervisorException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Refused(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The VM was started but its guest did not become ready in time, or ended by itself. */
    public static final class GuestFailed extends HypervisorException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public GuestFailed(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Something that should be gone is still there. */
    public static final class NotGone extends HypervisorException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public NotGone(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
