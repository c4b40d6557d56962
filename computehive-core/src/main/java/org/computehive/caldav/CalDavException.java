package org.computehive.caldav;

import org.computehive.rental.NotifierException;
import org.jspecify.annotations.Nullable;

/** A calendar that could not be written. No message holds a credential or a path. */
public abstract sealed class CalDavException extends NotifierException {
    private static final long serialVersionUID = 1L;

    private CalDavException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Trying again is of no use before somebody changed the address, the credential or the calendar. */
    public static final class Refused extends CalDavException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message, null);
        }
    }

    /** The server can't be reached, or can't do it now; trying again may help. */
    public static final class Unreachable extends CalDavException {
        private static final long serialVersionUID = 1L;

        Unreachable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
