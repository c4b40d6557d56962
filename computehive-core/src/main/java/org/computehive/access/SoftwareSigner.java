package org.computehive.access;

import java.nio.file.Path;
import java.security.SecureRandom;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/**
 * An Ed25519 key in this process's memory (RFC 8032), kept in an OpenSSH private key file that only its owner can read.
 *
 * <p>The file is encrypted if a passphrase is given (bcrypt, AES-256-CTR, as {@code ssh-keygen} does it). Thread-safe. It uses Bouncy Castle's lightweight API and registers no security
 * provider.
 */
public final class SoftwareSigner implements Signer {
    private final Ed25519PrivateKeyParameters key;
    private final byte[] secret;
    private final byte[] point;
    private final SshPublicKey publicKey;

    private SoftwareSigner(Ed25519PrivateKeyParameters key) {
        this.key = key;
        this.secret = key.getEncoded();
        this.point = key.generatePublicKey().getEncoded();
        this.publicKey = SshPublicKey.ofEd25519(key.generatePublicKey());
    }

    /** Makes a new key. */
    public static SoftwareSigner generate() {
        return new SoftwareSigner(new Ed25519PrivateKeyParameters(new SecureRandom()));
    }

    /**
     * Reads a key.
     *
     * @throws AccessException.KeyFile if the file is missing, readable by others, encrypted or no Ed25519 key
     */
    public static SoftwareSigner load(Path file) {
        return new SoftwareSigner(PrivateKeyFile.read(file));
    }

    /**
     * Reads the key, or makes and saves it if there is no such file. Of several processes that do so at once, one makes
     * the key and all use it.
     *
     * @throws AccessException.KeyFile if the file can neither be read nor written
     */
    public static SoftwareSigner loadOrGenerate(Path file) {
        return new SoftwareSigner(PrivateKeyFile.readOrCreate(file));
    }

    /**
     * Reads a key from an encrypted file.
     *
     * @param passphrase what the file was encrypted with; not kept
     * @throws AccessException.KeyFile if the file is missing, readable by others, not encrypted, of another passphrase, or no
     *     Ed25519 key
     */
    public static SoftwareSigner load(Path file, String passphrase) {
        return new SoftwareSigner(PrivateKeyFile.read(file, passphrase));
    }

    /**
     * Reads the key from an encrypted file, or makes and saves it if there is no such file. Of several processes that do so
     * at once, one makes the key and all use it.
     *
     * @throws AccessException.KeyFile if the file can neither be read nor written
     */
    public static SoftwareSigner loadOrGenerate(Path file, String passphrase) {
        return new SoftwareSigner(PrivateKeyFile.readOrCreate(file, passphrase));
    }

    /**
     * Writes the key, encrypted, to a new file with mode 0600: completely, durably, or not at all.
     *
     * @param passphrase 8 characters or more
     * @throws AccessException.KeyFile if the file exists or can't be written
     * @throws IllegalArgumentException if the passphrase is shorter
     */
    public void save(Path file, String passphrase) {
        PrivateKeyFile.create(file, key, passphrase);
    }

    /**
     * Writes the key to a new file with mode 0600: completely, durably, or not at all.
     *
     * @throws AccessException.KeyFile if the file exists or can't be written
     */
    public void save(Path file) {
        PrivateKeyFile.create(file, key);
    }

    @Override
    public String algorithm() {
        return "ssh-ed25519";
    }

    @Override
    public SshPublicKey publicKey() {
        return publicKey;
    }

    @Override
    public byte[] sign(byte[] message) {
        var signature = new byte[Ed25519.SIGNATURE_SIZE];
        Ed25519.sign(secret, 0, point, 0, message, 0, message.length, signature, 0);
        return signature;
    }

    @Override
    public String toString() {
        return "SoftwareSigner[" + publicKey.fingerprint() + ", private key not shown]";
    }
}
