package org.computehive.access;

import java.time.Instant;
import java.util.Objects;

/**
 * Asks for a certificate by which one renter enters one session.
 *
 * @param keyId names the rental; a revocation list with it revokes every certificate of the rental
 * @param principal the one name the certificate is good for: {@code rental-} and the rental's id
 * @param key the renter's public key
 * @param windowStart when access begins; inclusive
 * @param windowEnd when access ends; exclusive
 */
public record UserCertificateRequest(
        String keyId, String principal, SshPublicKey key, Instant windowStart, Instant windowEnd) {
    /**
     * Checks the names.
     *
     * @throws IllegalArgumentException if a name has not the form above
     */
    public UserCertificateRequest {
        Names.keyId(keyId);
        if (keyId.startsWith(BreakGlass.MARK)) {
            throw new IllegalArgumentException(
                    "key id \"%s\" is kept for break-glass grants: name the rental".formatted(Names.shown(keyId)));
        }
        Names.principal(principal);
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(windowStart, "windowStart");
        Objects.requireNonNull(windowEnd, "windowEnd");
    }
}
