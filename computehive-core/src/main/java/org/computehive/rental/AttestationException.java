package org.computehive.rental;

/** A guest did not prove that it is confidential and as promised. It gets no certificate and no key. */
public final class AttestationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String failed;

    /**
     * Creates one.
     *
     * @param failed the short name of what failed, such as {@code report data} or {@code debug policy}
     * @param message the value, what it should be and the remedy; no keys
     */
    public AttestationException(String failed, String message) {
        super(failed + ": " + message);
        this.failed = failed;
    }

    /**
     * Creates one with its cause.
     *
     * @param failed the short name of what failed
     * @param message the value, what it should be and the remedy; no keys
     * @param cause why it could not be read
     */
    public AttestationException(String failed, String message, Throwable cause) {
        super(failed + ": " + message, cause);
        this.failed = failed;
    }

    /** Returns the short name of what failed. */
    public String failed() {
        return failed;
    }
}
