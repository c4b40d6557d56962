package org.computehive.vm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/**
 * Verifies what {@code ssh-keygen -Y sign} signs, with Ed25519 keys (OpenSSH's PROTOCOL.sshsig, RFC 8709).
 *
 * <p>That form, since the program that signs is on every machine that this software runs on, keys may lie in an agent or be
 * made for one purpose, and a signature names its purpose.
 */
final class SshSignature {
    private static final String BEGIN = "-----BEGIN SSH SIGNATURE-----";
    private static final String END = "-----END SSH SIGNATURE-----";
    private static final byte[] MAGIC = "SSHSIG".getBytes(US_ASCII);
    private static final String KEY_TYPE = "ssh-ed25519";
    private static final int KEY_BYTES = 32;
    private static final int LIMIT = 4_096;
    /** What stands before the 32 bytes of a key in its X.509 form (RFC 8410). */
    private static final byte[] X509 = HexFormat.of().parseHex("302a300506032b6570032100");

    private final byte[] publicKey;
    private final String namespace;
    private final String hash;
    private final byte[] signature;

    private SshSignature(byte[] publicKey, String namespace, String hash, byte[] signature) {
        this.publicKey = publicKey;
        this.namespace = namespace;
        this.hash = hash;
        this.signature = signature;
    }

    /**
     * Reads a signature's text.
     *
     * @throws IllegalArgumentException if it is malformed or its key is not Ed25519
     */
    static SshSignature parse(String text) {
        String body = text.strip();
        if (text.length() > LIMIT || !body.startsWith(BEGIN) || !body.endsWith(END)) {
            throw new IllegalArgumentException("not a signature of ssh-keygen -Y sign");
        }
        byte[] blob = Base64.getMimeDecoder().decode(body.substring(BEGIN.length(), body.length() - END.length()));
        try (var in = new DataInputStream(new ByteArrayInputStream(blob))) {
            if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC) || in.readInt() != 1) {
                throw new IllegalArgumentException("not a signature of ssh-keygen -Y sign, version 1");
            }
            byte[] key = key(string(in));
            String namespace = new String(string(in), US_ASCII);
            string(in); // reserved
            String hash = new String(string(in), US_ASCII);
            byte[] signature = ed25519(string(in));
            return new SshSignature(key, namespace, hash, signature);
        } catch (IOException e) {
            throw new IllegalArgumentException("signature is cut off", e);
        }
    }

    /**
     * Returns the 32 bytes of a public key.
     *
     * @param line as in a file {@code id_ed25519.pub}
     * @throws IllegalArgumentException if it is not an Ed25519 key
     */
    static byte[] publicKey(String line) {
        String[] words = line.strip().split("\\s+", 3);
        if (words.length < 2 || !words[0].equals(KEY_TYPE)) {
            throw new IllegalArgumentException("a signer's key is one line that begins with ssh-ed25519");
        }
        try {
            return key(Base64.getDecoder().decode(words[1]));
        } catch (IOException e) {
            throw new IllegalArgumentException("a signer's key is cut off", e);
        }
    }

    private static byte[] key(byte[] blob) throws IOException {
        byte[] key = ed25519(blob);
        if (key.length != KEY_BYTES) {
            throw new IllegalArgumentException("an Ed25519 key has 32 bytes, this one %d".formatted(key.length));
        }
        return key;
    }

    /** Returns what follows the type in a key or a signature. */
    private static byte[] ed25519(byte[] blob) throws IOException {
        try (var in = new DataInputStream(new ByteArrayInputStream(blob))) {
            if (!KEY_TYPE.equals(new String(string(in), US_ASCII))) {
                throw new IllegalArgumentException("only Ed25519 keys can sign: make one with ssh-keygen -t ed25519");
            }
            return string(in);
        }
    }

    private static byte[] string(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > LIMIT) {
            throw new IllegalArgumentException("a part of %d bytes is out of range".formatted(length));
        }
        byte[] bytes = in.readNBytes(length);
        if (bytes.length != length) {
            throw new IOException("cut off");
        }
        return bytes;
    }

    /** Returns whether a key signed a message for a purpose. */
    boolean verifies(byte[] key, String purpose, byte[] message) {
        if (!Arrays.equals(key, publicKey) || !purpose.equals(namespace)) {
            return false;
        }
        try {
            Signature verifier = Signature.getInstance("Ed25519");
            byte[] x509 = Arrays.copyOf(X509, X509.length + KEY_BYTES);
            System.arraycopy(key, 0, x509, X509.length, KEY_BYTES);
            verifier.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(x509)));
            verifier.update(signed(message));
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private byte[] signed(byte[] message) throws GeneralSecurityException {
        String algorithm = switch (hash) {
            case "sha512" -> "SHA-512";
            case "sha256" -> "SHA-256";
            default -> throw new GeneralSecurityException("unknown hash");
        };
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.write(MAGIC);
            for (byte[] part : new byte[][] {
                namespace.getBytes(US_ASCII),
                {},
                hash.getBytes(US_ASCII),
                MessageDigest.getInstance(algorithm).digest(message)
            }) {
                out.writeInt(part.length);
                out.write(part);
            }
        } catch (IOException e) {
            throw new IllegalStateException("memory can be written", e);
        }
        return bytes.toByteArray();
    }
}
