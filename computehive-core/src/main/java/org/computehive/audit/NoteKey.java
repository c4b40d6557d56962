package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;

/**
 * A note key in software, kept in a file that only its owner may read.
 *
 * <p>The file holds Go {@code sumdb/note}'s form, {@code PRIVATE+KEY+<name>+<hash>+<base64>}. Immutable and thread-safe;
 * {@link #toString} shows the public half only.
 */
public final class NoteKey implements NoteSigner {
    private static final String PREFIX = "PRIVATE+KEY+";
    private static final int MAX_FILE_BYTES = 4096;
    private static final String OWNER_ONLY = "rw-------";
    private final Ed25519PrivateKeyParameters secret;
    private final VerifierKey verifierKey;

    private NoteKey(String name, byte[] seed) {
        secret = new Ed25519PrivateKeyParameters(seed, 0);
        verifierKey = new VerifierKey(name, secret.generatePublicKey().getEncoded());
    }

    /**
     * Makes a new key.
     *
     * @param name the log's origin, such as {@code rent.example.org/audit}: no whitespace, no plus sign
     */
    public static NoteKey generate(String name) {
        byte[] seed = new byte[VerifierKey.KEY_BYTES];
        new SecureRandom().nextBytes(seed);
        return new NoteKey(name, seed);
    }

    /**
     * Loads the key of a file, or makes one and saves it there if there is no such file.
     *
     * @param file the key's file
     * @param name the name that the key must have
     * @throws AuditLogException if the file can't be read or written, others may read it, or it has another key
     */
    public static NoteKey loadOrGenerate(Path file, String name) {
        if (!Files.exists(file)) {
            NoteKey key = generate(name);
            key.save(file);
            return key;
        }
        NoteKey key = load(file);
        if (!key.name().equals(name)) {
            throw new AuditLogException(
                    "note key %s is named %s, not %s: name the log after its key, or use another file"
                            .formatted(file, Note.quote(key.name()), Note.quote(name)),
                    null);
        }
        return key;
    }

    /**
     * Loads a key.
     *
     * @throws AuditLogException if the file can't be read, holds no key, or others may read it
     */
    public static NoteKey load(Path file) {
        try {
            Set<?> permissions = Files.getPosixFilePermissions(file);
            if (!PosixFilePermissions.fromString(OWNER_ONLY).containsAll(permissions)) {
                throw new AuditLogException(
                        "note key %s may be read by others than its owner: chmod 600 it, or make a new key"
                                .formatted(file),
                        null);
            }
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new IllegalArgumentException("it is too large");
            }
            return parse(Files.readString(file, UTF_8).strip());
        } catch (IOException | UnsupportedOperationException e) {
            throw new AuditLogException("note key %s can't be read: %s".formatted(file, e), e);
        } catch (IllegalArgumentException e) {
            throw new AuditLogException("note key %s is not a note key: restore it from a copy".formatted(file), null);
        }
    }

    private static NoteKey parse(String text) {
        String[] parts =
                text.startsWith(PREFIX) ? text.substring(PREFIX.length()).split("\\+", 3) : new String[0];
        if (parts.length != 3) {
            throw new IllegalArgumentException("no key");
        }
        byte[] typed = Note.base64(parts[2]);
        if (typed.length != VerifierKey.KEY_BYTES + 1 || typed[0] != VerifierKey.ED25519) {
            throw new IllegalArgumentException("no Ed25519 key");
        }
        NoteKey key = new NoteKey(parts[0], Arrays.copyOfRange(typed, 1, typed.length));
        if (!HexFormat.of().formatHex(key.verifierKey.id()).equals(parts[1])) {
            throw new IllegalArgumentException("the hash does not fit");
        }
        return key;
    }

    /**
     * Saves the key durably into a new file with mode 0600.
     *
     * @throws AuditLogException if the file exists or can't be written
     */
    public void save(Path file) {
        String text = PREFIX + name() + "+" + HexFormat.of().formatHex(verifierKey.id()) + "+"
                + Note.base64(VerifierKey.ED25519, secret.getEncoded()) + "\n";
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY)))) {
            ByteBuffer bytes = UTF_8.encode(text);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        } catch (IOException | UnsupportedOperationException e) {
            throw new AuditLogException("note key %s can't be saved: %s".formatted(file, e), e);
        }
    }

    @Override
    public String name() {
        return verifierKey.name();
    }

    @Override
    public byte[] publicKey() {
        return verifierKey.key();
    }

    @Override
    public VerifierKey verifierKey() {
        return verifierKey;
    }

    @Override
    public byte[] sign(byte[] message) {
        Ed25519Signer signer = new Ed25519Signer();
        signer.init(true, secret);
        signer.update(message, 0, message.length);
        return signer.generateSignature();
    }

    /** Returns the public half's text form. */
    @Override
    public String toString() {
        return verifierKey.toString();
    }
}
