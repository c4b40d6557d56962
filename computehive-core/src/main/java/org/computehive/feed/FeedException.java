package org.computehive.feed;

/** A feed that can't be read now; the message says why. */
public final class FeedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FeedException(String message) {
        super(message);
    }
}
