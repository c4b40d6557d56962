package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;

/**
 * The public half of a note key: what an auditor needs to know beforehand, from a place that the log can't change.
 *
 * <p>Its text form is C2SP signed-note's {@code <name>+<hash>+<key>}, as Go's {@code sumdb/note} reads it. Immutable and
 * thread-safe.
 */
public final class VerifierKey {
    static final int KEY_BYTES = 32;
    static final byte ED25519 = 1;
    private static final int MAX_NAME = 255;
    private final String name;
    private final byte[] key;

    /**
     * Creates one.
     *
     * @param name 1 to 255 characters without whitespace, control characters or plus signs
     * @param key the 32 bytes of an Ed25519 public key
     * @throws IllegalArgumentException if either is not so
     */
    public VerifierKey(String name, byte[] key) {
        if (name.isEmpty() || name.length() > MAX_NAME || !name.codePoints().allMatch(VerifierKey::inName)) {
            throw new IllegalArgumentException(
                    "note key name %s must be 1 to %d characters without whitespace, control characters or '+'"
                            .formatted(Note.quote(name), MAX_NAME));
        }
        if (key.length != KEY_BYTES) {
            throw new IllegalArgumentException(
                    "an Ed25519 public key has %d bytes, not %d".formatted(KEY_BYTES, key.length));
        }
        this.name = name;
        this.key = key.clone();
    }

    private static boolean inName(int c) {
        return c != '+'
                && !Character.isWhitespace(c)
                && !Character.isSpaceChar(c)
                && !Character.isISOControl(c)
                && !(c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    /**
     * Reads the text form.
     *
     * @throws IllegalArgumentException if it is malformed, its hash does not fit, or it is not an Ed25519 key
     */
    public static VerifierKey parse(String text) {
        String[] parts = text.split("\\+", 3);
        if (parts.length != 3) {
            throw malformed(text, "expected <name>+<8 hex digits>+<base64 key>");
        }
        byte[] typed = Note.base64(parts[2]);
        if (typed.length != KEY_BYTES + 1 || typed[0] != ED25519) {
            throw malformed(text, "only Ed25519 keys (type 1, 32 bytes) can be used");
        }
        VerifierKey key = new VerifierKey(parts[0], Arrays.copyOfRange(typed, 1, typed.length));
        if (!HexFormat.of().formatHex(key.id()).equals(parts[1])) {
            throw malformed(text, "its hash does not fit its name and key; copy it again");
        }
        return key;
    }

    private static IllegalArgumentException malformed(String text, String why) {
        return new IllegalArgumentException("verifier key %s: %s".formatted(Note.quote(text), why));
    }

    /** Returns the key's name, which is also the log's origin. */
    public String name() {
        return name;
    }

    /** Returns the 32 bytes of the Ed25519 public key. */
    public byte[] key() {
        return key.clone();
    }

    /** Returns the key id: the first 4 bytes of {@code SHA-256(name || 0x0A || 0x01 || key)}. */
    byte[] id() {
        MessageDigest sha256 = Hasher.sha256();
        sha256.update(name.getBytes(UTF_8));
        sha256.update((byte) '\n');
        sha256.update(ED25519);
        return Arrays.copyOf(sha256.digest(key), 4);
    }

    boolean verifies(byte[] message, byte[] signature) {
        Ed25519Signer verifier = new Ed25519Signer();
        verifier.init(false, new Ed25519PublicKeyParameters(key, 0));
        verifier.update(message, 0, message.length);
        return verifier.verifySignature(signature);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VerifierKey that && name.equals(that.name) && Arrays.equals(key, that.key);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(key);
    }

    /** Returns the text form. */
    @Override
    public String toString() {
        return name + "+" + HexFormat.of().formatHex(id()) + "+" + Note.base64(ED25519, key);
    }
}
