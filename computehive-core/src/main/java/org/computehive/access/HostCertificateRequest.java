package org.computehive.access;

import java.time.Instant;
import java.util.Objects;

/**
 * Asks for a certificate by which a server (a VM, or the gateway) proves its name, from now on.
 *
 * @param keyId names what it is made for
 * @param hostName the one name the certificate is good for
 * @param key the server's public key
 * @param notAfter when it ends to be valid; exclusive
 */
public record HostCertificateRequest(String keyId, String hostName, SshPublicKey key, Instant notAfter) {
    /**
     * Checks the names.
     *
     * @throws IllegalArgumentException if {@code hostName} is not one in lower case or {@code keyId} has other characters
     *     than letters, digits and . _ : -
     */
    public HostCertificateRequest {
        Names.keyId(keyId);
        Names.host(hostName);
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(notAfter, "notAfter");
    }
}
