package org.computehive.access;

import java.nio.file.Path;
import java.security.SecureRandom;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;

/**
 * The Ed25519 key by which an SSH server (the gateway, or a VM) proves who it is.
 *
 * <p>Immutable and thread-safe. {@link #toString()} does not show the private half.
 */
public final class HostKeyPair {
    private final Ed25519PrivateKeyParameters key;
    private final SshPublicKey publicKey;

    private HostKeyPair(Ed25519PrivateKeyParameters key) {
        this.key = key;
        this.publicKey = SshPublicKey.ofEd25519(key.generatePublicKey());
    }

    /** Makes a new key. */
    public static HostKeyPair generate() {
        return new HostKeyPair(new Ed25519PrivateKeyParameters(new SecureRandom()));
    }

    /**
     * Reads the key, or makes and saves it with mode 0600 if there is no such file.
     *
     * @throws AccessException.KeyFile if the file can neither be read nor written, or is readable by others
     */
    public static HostKeyPair loadOrGenerate(Path file) {
        return new HostKeyPair(PrivateKeyFile.readOrCreate(file));
    }

    /** Returns the public half. */
    public SshPublicKey publicKey() {
        return publicKey;
    }

    /** Returns the private half as OpenSSH's private key file holds it, for the server's {@code HostKey} file. Secret. */
    public String privateKeyText() {
        return PrivateKeyFile.encode(key);
    }

    @Override
    public String toString() {
        return "HostKeyPair[" + publicKey.fingerprint() + ", private key not shown]";
    }
}
