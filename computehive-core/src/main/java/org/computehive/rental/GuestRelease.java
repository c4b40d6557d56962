package org.computehive.rental;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.crypto.AsymmetricCipherKeyPair;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.hpke.HPKE;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;

/**
 * What a guest gets once it has proved itself: the certificate of its host key, and the key of its disk.
 *
 * <p>It is sealed to the guest's release key by HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-256-GCM), with the rental and the nonce as info, so that the lender's host, which carries it, can't read it, and a
 * release of one start opens in no other. A guest takes the first release whose certificate is of the host authority that it
 * attested to, and no second.
 *
 * <p>Holds a key: {@link #toString()} doesn't show it.
 *
 * @param hostCertificate the certificate of the guest's host key, one line in OpenSSH's format
 * @param diskKey 32 random bytes in base64
 */
public record GuestRelease(String hostCertificate, String diskKey) {
    private static final int KEY_BYTES = 32;
    private static final int ENCAPSULATED = 32;
    private static final String INFO = "computehive release v1 ";

    /** Returns a release with a fresh disk key. */
    static GuestRelease of(String hostCertificate) {
        byte[] key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        try {
            return new GuestRelease(hostCertificate, Base64.getEncoder().encodeToString(key));
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /**
     * Seals it for one guest.
     *
     * @return the encapsulated key and the ciphertext, in base64
     * @throws AttestationException if the release key is no X25519 key
     */
    String seal(Challenge challenge, Evidence evidence) {
        byte[] plain = (diskKey + "\n" + hostCertificate).getBytes(StandardCharsets.UTF_8);
        try {
            byte[] key = Base64.getDecoder().decode(evidence.releaseKey());
            if (key.length != KEY_BYTES) {
                throw new IllegalArgumentException("it has %d bytes, not %d".formatted(key.length, KEY_BYTES));
            }
            byte[][] sealed = hpke().seal(
                            new X25519PublicKeyParameters(key), info(challenge), new byte[0], plain, null, null, null);
            byte[] all = Arrays.copyOf(sealed[1], sealed[1].length + sealed[0].length);
            System.arraycopy(sealed[0], 0, all, sealed[1].length, sealed[0].length);
            return Base64.getEncoder().encodeToString(all);
        } catch (IllegalArgumentException | IllegalStateException | InvalidCipherTextException e) {
            throw new AttestationException(
                    "release key", "the guest's release key can't be used: " + e.getMessage(), e);
        } finally {
            Arrays.fill(plain, (byte) 0);
        }
    }

    /**
     * Opens a release, as the guest does.
     *
     * @param sealed what {@link Hypervisor#release} brought
     * @param privateKey the private part of the guest's release key, 32 bytes
     * @throws IllegalArgumentException if it was sealed for another guest, rental or start, or was changed
     */
    public static GuestRelease open(String sealed, Challenge challenge, byte[] privateKey) {
        try {
            var own = new X25519PrivateKeyParameters(privateKey);
            var key = new AsymmetricCipherKeyPair(own.generatePublicKey(), own);
            byte[] all = Base64.getDecoder().decode(sealed);
            byte[] plain = hpke().open(
                            Arrays.copyOf(all, ENCAPSULATED),
                            key,
                            info(challenge),
                            new byte[0],
                            Arrays.copyOfRange(all, ENCAPSULATED, all.length),
                            null,
                            null,
                            null);
            String[] parts = new String(plain, StandardCharsets.UTF_8).split("\n", 2);
            return new GuestRelease(parts[1], parts[0]);
        } catch (InvalidCipherTextException | IllegalStateException | IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("the release was not sealed for this guest and this start", e);
        }
    }

    private static byte[] info(Challenge challenge) {
        return (INFO + challenge.rental().value() + " " + challenge.nonce()).getBytes(StandardCharsets.UTF_8);
    }

    private static HPKE hpke() {
        return new HPKE(HPKE.mode_base, HPKE.kem_X25519_SHA256, HPKE.kdf_HKDF_SHA256, HPKE.aead_AES_GCM256);
    }

    @Override
    public String toString() {
        return "GuestRelease[not shown]";
    }
}
