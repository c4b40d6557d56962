package org.computehive.rental.memory;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import org.computehive.market.Account;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An Ed25519 key of a party to the in-memory escrow. A signature carries its public key. Immutable and thread-safe. */
final class PlayKey {
    private static final Logger LOG = LoggerFactory.getLogger(PlayKey.class);
    private static final String ALGORITHM = "Ed25519";
    private static final int KEY_BYTES = 44;
    private static final int SIGNATURE_BYTES = 64;

    private final KeyPair keys;

    PlayKey() {
        try {
            keys = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no Ed25519", e);
        }
    }

    Account account() {
        return accountOf(keys.getPublic().getEncoded());
    }

    Signature sign(Hash32 digest) {
        try {
            var signer = java.security.Signature.getInstance(ALGORITHM);
            signer.initSign(keys.getPrivate());
            signer.update(digest.bytes());
            byte[] both = Arrays.copyOf(keys.getPublic().getEncoded(), KEY_BYTES + SIGNATURE_BYTES);
            System.arraycopy(signer.sign(), 0, both, KEY_BYTES, SIGNATURE_BYTES);
            return Signature.of(both);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java can't sign with Ed25519", e);
        }
    }

    static boolean verifies(Account signer, Hash32 digest, Signature signature) {
        byte[] bytes = signature.bytes();
        if (bytes.length != KEY_BYTES + SIGNATURE_BYTES) {
            return false;
        }
        byte[] key = Arrays.copyOf(bytes, KEY_BYTES);
        try {
            var verifier = java.security.Signature.getInstance(ALGORITHM);
            verifier.initVerify(KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(key)));
            verifier.update(digest.bytes());
            return verifier.verify(bytes, KEY_BYTES, SIGNATURE_BYTES)
                    && accountOf(key).equals(signer);
        } catch (GeneralSecurityException e) {
            LOG.debug("no signature", e);
            return false;
        }
    }

    /** Returns the SHA-256 of the parts' text. */
    static Hash32 digest(Object... parts) {
        return sha256(Arrays.toString(parts).getBytes(StandardCharsets.UTF_8));
    }

    private static Account accountOf(byte[] publicKey) {
        return new Account("0x" + sha256(publicKey).hex().substring(26));
    }

    private static Hash32 sha256(byte[] bytes) {
        try {
            return Hash32.of(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
