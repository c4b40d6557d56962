package org.computehive.vm.attestation;

import org.computehive.rental.AttestationException;

/** Says what failed. */
final class Failed {
    private Failed() {}

    static AttestationException because(String what, String message) {
        return new AttestationException(what, message);
    }

    static AttestationException because(String what, String message, Throwable cause) {
        return new AttestationException(what, message, cause);
    }
}
