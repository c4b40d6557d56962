package org.computehive.access;

import java.time.Instant;

/**
 * A server's certificate. {@link #toString()} does not show its body.
 *
 * @param line the certificate, one line in OpenSSH's format without line break
 * @param serial its number; positive
 * @param keyId what it was made for
 * @param hostName the one host name
 * @param key the certified key
 * @param validAfter whole second from which it is valid; inclusive
 * @param validBefore whole second at which it ends; exclusive
 */
public record HostCertificate(
        String line,
        long serial,
        String keyId,
        String hostName,
        SshPublicKey key,
        Instant validAfter,
        Instant validBefore) {
    @Override
    public String toString() {
        return "HostCertificate[serial=%d, keyId=%s, hostName=%s, key=%s, validAfter=%s, validBefore=%s]"
                .formatted(serial, keyId, hostName, key.fingerprint(), validAfter, validBefore);
    }
}
