package org.computehive.access;

import java.time.Instant;

/**
 * A renter's certificate. {@link #toString()} does not show its body.
 *
 * @param line the certificate, one line in OpenSSH's format without line break
 * @param serial its number; positive
 * @param keyId what it was made for
 * @param principal the one principal
 * @param key the certified key
 * @param validAfter whole second from which it is valid; inclusive
 * @param validBefore whole second at which it ends; exclusive
 */
public record UserCertificate(
        String line,
        long serial,
        String keyId,
        String principal,
        SshPublicKey key,
        Instant validAfter,
        Instant validBefore) {
    /**
     * Checks what no certificate of ours may lack.
     *
     * @throws IllegalArgumentException if the serial is not positive, the principal no rental's, or the validity empty
     */
    public UserCertificate {
        Names.keyId(keyId);
        Names.principal(principal);
        if (serial <= 0 || !validAfter.isBefore(validBefore)) {
            throw new IllegalArgumentException(
                    "a certificate with serial %d, valid from %s to %s, is none: both must be positive"
                            .formatted(serial, validAfter, validBefore));
        }
    }

    @Override
    public String toString() {
        return "UserCertificate[serial=%d, keyId=%s, principal=%s, key=%s, validAfter=%s, validBefore=%s]"
                .formatted(serial, keyId, principal, key.fingerprint(), validAfter, validBefore);
    }
}
