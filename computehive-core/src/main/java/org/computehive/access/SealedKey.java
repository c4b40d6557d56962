package org.computehive.access;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Collections;
import java.util.Iterator;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyEncryptionContext;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.jspecify.annotations.Nullable;

/** Encrypts OpenSSH private key files as {@code ssh-keygen} does: bcrypt for the passphrase, AES-256-CTR. */
final class SealedKey {
    private static final int LEAST_PASSPHRASE = 8;
    /** As ssh-keygen's default. */
    private static final int ROUNDS = 16;

    private SealedKey() {}

    /** Returns an unencrypted file's text encrypted. */
    static String seal(String plain, String passphrase) {
        if (passphrase.length() < LEAST_PASSPHRASE) {
            throw new IllegalArgumentException("a passphrase of %d characters is too short: use at least %d"
                    .formatted(passphrase.length(), LEAST_PASSPHRASE));
        }
        var context = new OpenSSHKeyEncryptionContext();
        context.setCipherType("256");
        context.setCipherMode("CTR");
        context.setPassword(passphrase);
        context.setKdfRounds(ROUNDS);
        try {
            return write(read(plain, FilePasswordProvider.EMPTY), context);
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("an Ed25519 key could not be encrypted", e);
        }
    }

    /** Returns an encrypted file's text unencrypted. */
    static String open(String sealed, String passphrase) throws IOException, GeneralSecurityException {
        return write(read(sealed, FilePasswordProvider.of(passphrase)), null);
    }

    private static KeyPair read(String text, FilePasswordProvider passphrase)
            throws IOException, GeneralSecurityException {
        var in = new ByteArrayInputStream(text.getBytes(US_ASCII));
        Iterable<KeyPair> keys =
                SecurityUtils.loadKeyPairIdentities(null, NamedResource.ofName("private key"), in, passphrase);
        Iterator<KeyPair> first = keys == null ? Collections.emptyIterator() : keys.iterator();
        if (!first.hasNext()) {
            throw new GeneralSecurityException("no key");
        }
        return first.next();
    }

    @SuppressWarnings("NullAway") // MINA takes null for no encryption
    private static String write(KeyPair key, @Nullable OpenSSHKeyEncryptionContext context)
            throws IOException, GeneralSecurityException {
        var out = new ByteArrayOutputStream();
        OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(key, "", context, out);
        return out.toString(US_ASCII);
    }
}
