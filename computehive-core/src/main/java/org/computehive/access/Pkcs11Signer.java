package org.computehive.access;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.interfaces.ECPublicKey;
import org.jspecify.annotations.Nullable;

/**
 * An ECDSA key over P-256 in a PKCS#11 token: an HSM, a smart card, SoftHSM.
 *
 * <p>By the JDK's SunPKCS11, whose configuration file names the module and the slot; it offers no Ed25519 (JDK 25). The key
 * never leaves the token. Thread-safe. Registers no security provider.
 */
public final class Pkcs11Signer implements Signer {
    private static final int COORDINATE_BYTES = 32;
    private static final String ALGORITHM = "ecdsa-sha2-nistp256";

    private final Provider provider;
    private final PrivateKey key;
    private final SshPublicKey publicKey;

    private Pkcs11Signer(Provider provider, PrivateKey key, SshPublicKey publicKey) {
        this.provider = provider;
        this.key = key;
        this.publicKey = publicKey;
    }

    /**
     * Finds a key in a token.
     *
     * @param configuration SunPKCS11's configuration file: {@code name}, {@code library}, {@code slot} or {@code
     *     slotListIndex}
     * @param pin the user's PIN; not kept
     * @param alias the label of key and certificate; {@code keytool -genkeypair} makes both
     * @throws AccessException.KeyFile if the module can't be loaded, the PIN is wrong, or there is no such P-256 key
     */
    public static Pkcs11Signer open(Path configuration, char[] pin, String alias) {
        try {
            Provider template = Security.getProvider("SunPKCS11");
            if (template == null) {
                throw failed(configuration, "this Java runtime has no SunPKCS11 (module jdk.crypto.cryptoki)", null);
            }
            Provider provider = template.configure(configuration.toString());
            KeyStore token = KeyStore.getInstance("PKCS11", provider);
            token.load(null, pin);
            Certificate certificate = token.getCertificate(alias);
            if (!(token.getKey(alias, null) instanceof PrivateKey key)
                    || certificate == null
                    || !(certificate.getPublicKey() instanceof ECPublicKey point)) {
                throw failed(
                        configuration,
                        "it has no EC key \"%s\" with a certificate".formatted(Names.shown(alias)),
                        null);
            }
            return new Pkcs11Signer(provider, key, publicKey(configuration, point));
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            if (e instanceof AccessException refused) {
                throw refused;
            }
            throw failed(configuration, e.toString(), e);
        }
    }

    private static SshPublicKey publicKey(Path configuration, ECPublicKey key) {
        if (key.getParams().getCurve().getField().getFieldSize() != Byte.SIZE * COORDINATE_BYTES) {
            throw failed(configuration, "its key is not on P-256", null);
        }
        byte[] point = new byte[1 + 2 * COORDINATE_BYTES];
        point[0] = 4; // uncompressed (SEC 1, 2.3.3)
        put(key.getW().getAffineX(), point, 1);
        put(key.getW().getAffineY(), point, 1 + COORDINATE_BYTES);
        return SshPublicKey.ofNistP256(point);
    }

    private static void put(BigInteger coordinate, byte[] point, int at) {
        byte[] bytes = coordinate.toByteArray();
        int length = Math.min(bytes.length, COORDINATE_BYTES);
        System.arraycopy(bytes, bytes.length - length, point, at + COORDINATE_BYTES - length, length);
    }

    private static AccessException.KeyFile failed(Path configuration, String why, @Nullable Throwable cause) {
        return new AccessException.KeyFile(
                "the PKCS#11 token of %s can't be used: %s. Check module, slot, PIN and label"
                        .formatted(configuration, why),
                cause);
    }

    @Override
    public String algorithm() {
        return ALGORITHM;
    }

    @Override
    public SshPublicKey publicKey() {
        return publicKey;
    }

    /**
     * Signs a message.
     *
     * @throws AccessException.KeyFile if the token fails, such as one that was removed
     */
    @Override
    public byte[] sign(byte[] message) {
        try {
            // The IEEE P1363 form is the two numbers, 32 bytes each.
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format", provider);
            signature.initSign(key);
            signature.update(message);
            byte[] both = signature.sign();
            return new Wire.Writer()
                    .string(new BigInteger(1, both, 0, COORDINATE_BYTES).toByteArray())
                    .string(new BigInteger(1, both, COORDINATE_BYTES, COORDINATE_BYTES).toByteArray())
                    .toBytes();
        } catch (GeneralSecurityException e) {
            throw new AccessException.KeyFile(
                    "the PKCS#11 token of key %s did not sign: %s. Check that it is there, then try again"
                            .formatted(publicKey, e.getMessage()),
                    e);
        }
    }

    @Override
    public String toString() {
        return "Pkcs11Signer[" + publicKey.fingerprint() + ", in " + provider.getName() + "]";
    }
}
