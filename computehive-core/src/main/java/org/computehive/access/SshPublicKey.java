package org.computehive.access;

import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/**
 * A public key that may be certified: Ed25519, ECDSA over the NIST curves, or RSA with 3,072 to 8,192 bits.
 *
 * <p>Immutable, thread-safe, compared by its bytes. The wire format is RFC 4253 section 6.6, RFC 5656 and RFC 8709.
 */
public final class SshPublicKey {
    private static final int LINE_LIMIT = 4096;
    private static final int RSA_MIN_BITS = 3072;
    private static final int RSA_MAX_BITS = 8192;
    private static final String ED25519 = "ssh-ed25519";
    private static final Map<String, String> CURVES = Map.of(
            "ecdsa-sha2-nistp256", "P-256",
            "ecdsa-sha2-nistp384", "P-384",
            "ecdsa-sha2-nistp521", "P-521");
    private static final Pattern BLANKS = Pattern.compile("[ \t]+");
    private static final String REMEDY =
            "send one line of a .pub file with an ed25519, ecdsa or rsa (3072 bits or more) key; ssh-keygen -t ed25519 makes one";

    private final String type;
    private final byte[] blob;

    private SshPublicKey(String type, byte[] blob) {
        this.type = type;
        this.blob = blob;
    }

    static SshPublicKey ofEd25519(Ed25519PublicKeyParameters key) {
        return new SshPublicKey(
                ED25519,
                new Wire.Writer().string(ED25519).string(key.getEncoded()).toBytes());
    }

    /** Takes a point of P-256 in its uncompressed form. */
    static SshPublicKey ofNistP256(byte[] point) {
        String type = "ecdsa-sha2-nistp256";
        checkEcdsa(type, "nistp256", point);
        return new SshPublicKey(
                type,
                new Wire.Writer().string(type).string("nistp256").string(point).toBytes());
    }

    /**
     * Reads one line as {@code ssh-keygen} writes it to a {@code .pub} file. A comment is dropped; options are refused.
     *
     * @param line type, key in base64 and perhaps a comment, with nothing before it and at most one line break after it
     * @return the key
     * @throws AccessException.KeyRefused if it is anything else; the message never repeats the key
     */
    public static SshPublicKey parse(String line) {
        if (line.length() > LINE_LIMIT) {
            if (line.contains("PRIVATE KEY")) {
                throw privateKey();
            }
            throw refused("it has %d characters, at most %d are allowed".formatted(line.length(), LINE_LIMIT));
        }
        String text = line.strip();
        if (text.contains("PRIVATE KEY") || text.startsWith("PuTTY-User-Key-File")) {
            throw privateKey();
        }
        if (text.isEmpty()) {
            throw refused("it is empty");
        }
        if (text.startsWith("---- BEGIN SSH2 PUBLIC KEY") || text.startsWith("-----BEGIN")) {
            throw refused("it is in another format than OpenSSH's one line (ssh-keygen -i converts it)");
        }
        if (text.chars().anyMatch(c -> c == '\n' || c == '\r')) {
            throw refused("it has more than one line");
        }
        if (text.chars().anyMatch(c -> Character.isISOControl(c) && c != '\t')) {
            throw refused("it has control characters");
        }
        String[] parts = BLANKS.split(text, 3);
        checkType(parts[0]);
        if (parts.length < 2) {
            throw refused("there is no key behind its type " + parts[0]);
        }
        return new SshPublicKey(parts[0], checkedBlob(parts[0], parts[1]));
    }

    private static void checkType(String type) {
        if (type.equals(ED25519) || CURVES.containsKey(type) || type.equals("ssh-rsa")) {
            return;
        }
        if (type.startsWith("sk-")) {
            throw refused(
                    "keys on a security token (%s) are not supported, since the gateway's SSH library does not check them"
                            .formatted(Names.shown(type)));
        }
        if (type.contains("-cert-v01@")) {
            throw refused("it is a certificate (%s), not a plain public key".formatted(Names.shown(type)));
        }
        if (type.equals("ssh-dss")) {
            throw refused("DSA keys (ssh-dss) are too weak");
        }
        if (type.contains("=") || type.contains(",") || type.equals("restrict") || type.startsWith("no-")) {
            throw refused("options before the key are not allowed");
        }
        throw refused("it does not begin with a known key type");
    }

    private static byte[] checkedBlob(String type, String base64) {
        byte[] blob;
        try {
            blob = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw refused("what follows the type %s is not base64".formatted(type));
        }
        if (!Base64.getEncoder().encodeToString(blob).equals(base64)) {
            throw refused("what follows the type %s is not canonical base64".formatted(type));
        }
        try {
            var reader = new Wire.Reader(blob);
            if (!reader.text().equals(type)) {
                throw refused("the key inside is of another type than %s, which the line begins with".formatted(type));
            }
            if (type.equals(ED25519)) {
                checkEd25519(reader.string());
            } else if (type.equals("ssh-rsa")) {
                checkRsa(positive(reader.string()), positive(reader.string()));
            } else {
                checkEcdsa(type, reader.text(), reader.string());
            }
            reader.end();
            return blob;
        } catch (IllegalArgumentException e) {
            throw refused("the %s key is damaged".formatted(type));
        }
    }

    private static void checkEd25519(byte[] point) {
        // A point of the curve, encoded canonically and of no small order. That it is in the prime-order subgroup is
        // not
        // asked: it costs more than a signature, and who makes a key that is not weakens nobody else's.
        if (point.length != Ed25519PublicKeyParameters.KEY_SIZE || !Ed25519.validatePublicKeyPartial(point, 0)) {
            throw refused("the ssh-ed25519 key is no valid point of the curve");
        }
    }

    private static void checkEcdsa(String type, String curve, byte[] point) {
        if (!type.equals("ecdsa-sha2-" + curve)) {
            throw refused("the %s key is on another curve than its type says".formatted(type));
        }
        var parameters = CustomNamedCurves.getByName(CURVES.get(type));
        int size = (parameters.getCurve().getFieldSize() + 7) / 8;
        // Only the uncompressed form (SEC 1, 2.3.3); decoding checks that the point is on the curve.
        if (point.length != 1 + 2 * size
                || point[0] != 4
                || !parameters.getCurve().decodePoint(point).isValid()) {
            throw refused("the %s key is no valid point of the curve".formatted(type));
        }
    }

    private static void checkRsa(BigInteger exponent, BigInteger modulus) {
        int bits = modulus.bitLength();
        if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS) {
            throw refused("the RSA key has %d bits, %d to %d are allowed".formatted(bits, RSA_MIN_BITS, RSA_MAX_BITS));
        }
        if (!exponent.testBit(0) || exponent.bitLength() < 2 || exponent.bitLength() > 64 || !modulus.testBit(0)) {
            throw refused("the RSA key is damaged: exponent and modulus must be odd, the exponent 3 to 2^64");
        }
    }

    private static BigInteger positive(byte[] mpint) {
        var value = new BigInteger(mpint);
        if (value.signum() <= 0 || !Arrays.equals(value.toByteArray(), mpint)) {
            throw new IllegalArgumentException("not a canonical positive number");
        }
        return value;
    }

    private static AccessException.KeyRefused refused(String why) {
        return new AccessException.KeyRefused("not accepted as a public key: " + why + "; " + REMEDY);
    }

    private static AccessException.KeyRefused privateKey() {
        return new AccessException.KeyRefused(
                "this is a private key, which must never leave your machine: consider it compromised, make a new one and "
                        + REMEDY);
    }

    /** Returns the SSH name of the key's type. */
    public String type() {
        return type;
    }

    /** Returns a copy of the key in the wire format. */
    public byte[] blob() {
        return blob.clone();
    }

    /** Returns type and key in base64: one line, without comment and line break. */
    public String line() {
        return type + " " + Base64.getEncoder().encodeToString(blob);
    }

    /** Returns {@code SHA256:} and the hash in base64, as {@code ssh-keygen -l} shows it. */
    public String fingerprint() {
        return fingerprint(blob);
    }

    static String fingerprint(byte[] blob) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(blob);
            return "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SshPublicKey key && Arrays.equals(blob, key.blob);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(blob);
    }

    @Override
    public String toString() {
        return type + " " + fingerprint();
    }
}
