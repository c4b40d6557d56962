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
    @Override
    public String toString() {
        return "UserCertificate[serial=%d, keyId=%s, principal=%s, key=%s, validAfter=%s, validBefore=%s]"
                .formatted(serial, keyId, principal, key.fingerprint(), validAfter, validBefore);
    }
}
