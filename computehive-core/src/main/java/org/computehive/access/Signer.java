package org.computehive.access;

/**
 * A key that signs certificates; it may live in software, a PKCS#11 module or a key service.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>No method gives the private key away. Implementations are thread-safe.
 */
public interface Signer {
    /** Returns the SSH name of the signature algorithm, for example {@code ssh-ed25519} (RFC 8709). */
    String algorithm();

    /** Returns the public half. */
    SshPublicKey publicKey();

    /**
     * Signs a message.
     *
     * @param message what to sign, unhashed
     * @return the signature as SSH carries it behind the algorithm's name: 64 bytes for Ed25519 (RFC 8709), two
     *     {@code mpint} for ECDSA (RFC 5656)
     */
    byte[] sign(byte[] message);
}
