package org.computehive.audit;

/**
 * An Ed25519 key that signs checkpoints (C2SP signed-note); it may live in software, a token or a key service.
 *
 * <p>Implementations are thread-safe.
 */
public interface NoteSigner {
    /** Returns the key's name, which is also the log's origin: such as {@code rent.example.org/audit}. */
    String name();

    /** Returns the 32 bytes of the Ed25519 public key (RFC 8032). */
    byte[] publicKey();

    /** Returns the 64 bytes of the pure Ed25519 signature over a message. */
    byte[] sign(byte[] message);

    /** Returns what others check the signatures with. */
    default VerifierKey verifierKey() {
        return new VerifierKey(name(), publicKey());
    }
}
