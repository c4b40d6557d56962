package org.computehive.access;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.util.OpenSSHPrivateKeyUtil;
import org.jspecify.annotations.Nullable;

/** Ed25519 keys in OpenSSH's private key format (PROTOCOL.key), encrypted where there is a passphrase. */
final class PrivateKeyFile {
    private static final String BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
    private static final String END = "-----END OPENSSH PRIVATE KEY-----";
    private static final int SIZE_LIMIT = 16 * 1024;
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private PrivateKeyFile() {}

    static String encode(Ed25519PrivateKeyParameters key) {
        try {
            byte[] body = OpenSSHPrivateKeyUtil.encodePrivateKey(key);
            return BEGIN + "\n" + Base64.getMimeEncoder(70, new byte[] {'\n'}).encodeToString(body) + "\n" + END + "\n";
        } catch (IOException e) {
            throw new IllegalStateException("an Ed25519 key could not be encoded", e);
        }
    }

    static Ed25519PrivateKeyParameters read(Path file) {
        return decode(file, text(file));
    }

    static Ed25519PrivateKeyParameters read(Path file, @Nullable String passphrase) {
        if (passphrase == null) {
            return read(file);
        }
        String text = text(file);
        if (isPlain(text)) {
            throw new AccessException.KeyFile(
                    "private key file %s is not encrypted, but a passphrase was given: encrypt it with ssh-keygen -p -f %s, or give none"
                            .formatted(file, file),
                    null);
        }
        try {
            return decode(file, SealedKey.open(text, passphrase).strip());
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            // The parser's message may quote the file, so it goes no further.
            throw new AccessException.KeyFile(
                    "private key file %s can't be decrypted: give its passphrase, and check that it holds an Ed25519 key"
                            .formatted(file),
                    null);
        }
    }

    private static boolean isPlain(String text) {
        try {
            return OpenSSHPrivateKeyUtil.parsePrivateKeyBlob(body(text)) != null;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private static byte[] body(String text) {
        return Base64.getMimeDecoder().decode(text.substring(BEGIN.length(), text.length() - END.length()));
    }

    private static String text(Path file) {
        String text;
        try {
            Set<PosixFilePermission> open = Files.getPosixFilePermissions(file);
            if (!OWNER_ONLY.containsAll(open)) {
                throw new AccessException.KeyFile(
                        "private key file %s has mode %s, only its owner may read it: chmod 600 it, and replace the key if others had access"
                                .formatted(file, PosixFilePermissions.toString(open)),
                        null);
            }
            if (Files.size(file) > SIZE_LIMIT) {
                throw new AccessException.KeyFile(
                        "private key file %s has %d bytes, at most %d are expected: name an Ed25519 key file"
                                .formatted(file, Files.size(file), SIZE_LIMIT),
                        null);
            }
            text = Files.readString(file, US_ASCII);
        } catch (IOException e) {
            throw new AccessException.KeyFile(
                    "private key file %s can't be read (%s): check that it exists and belongs to this user"
                            .formatted(file, e.getClass().getSimpleName()),
                    e);
        }
        return text.strip();
    }

    private static Ed25519PrivateKeyParameters decode(Path file, String text) {
        if (text.startsWith(BEGIN) && text.endsWith(END)) {
            try {
                if (OpenSSHPrivateKeyUtil.parsePrivateKeyBlob(body(text)) instanceof Ed25519PrivateKeyParameters key) {
                    return key;
                }
            } catch (RuntimeException e) {
                // The parser's message may quote the file, so it goes no further.
            }
        }
        throw new AccessException.KeyFile(
                "file %s holds no unencrypted Ed25519 key in OpenSSH's format: make one with ssh-keygen -t ed25519 -N '', or give its passphrase"
                        .formatted(file),
                null);
    }

    static Ed25519PrivateKeyParameters readOrCreate(Path file) {
        return readOrCreate(file, null);
    }

    static Ed25519PrivateKeyParameters readOrCreate(Path file, @Nullable String passphrase) {
        if (!Files.exists(file)) {
            var key = new Ed25519PrivateKeyParameters(new SecureRandom());
            try {
                write(file, key, passphrase);
                return key;
            } catch (FileAlreadyExistsException e) {
                // Another process was faster; its key counts.
            } catch (IOException e) {
                throw notWritten(file, e);
            }
        }
        return read(file, passphrase);
    }

    static void create(Path file, Ed25519PrivateKeyParameters key) {
        create(file, key, null);
    }

    static void create(Path file, Ed25519PrivateKeyParameters key, @Nullable String passphrase) {
        try {
            write(file, key, passphrase);
        } catch (FileAlreadyExistsException e) {
            throw new AccessException.KeyFile(
                    "private key file %s exists and is never overwritten: move it away or choose another name"
                            .formatted(file),
                    e);
        } catch (IOException e) {
            throw notWritten(file, e);
        }
    }

    /** A hard link, not a rename, puts the complete file in place, because it never replaces a key that is there. */
    private static void write(Path file, Ed25519PrivateKeyParameters key, @Nullable String passphrase)
            throws IOException {
        String content = passphrase == null ? encode(key) : SealedKey.seal(encode(key), passphrase);
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        Path draft = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
        var mode = PosixFilePermissions.asFileAttribute(OWNER_ONLY);
        try {
            try (var channel = FileChannel.open(draft, Set.of(CREATE_NEW, WRITE), mode)) {
                ByteBuffer text = ByteBuffer.wrap(content.getBytes(US_ASCII));
                while (text.hasRemaining()) {
                    channel.write(text);
                }
                channel.force(true);
            }
            Files.createLink(target, draft);
        } finally {
            Files.deleteIfExists(draft);
        }
        if (folder != null) {
            try (var channel = FileChannel.open(folder, READ)) {
                channel.force(true);
            }
        }
    }

    private static AccessException.KeyFile notWritten(Path file, IOException e) {
        return new AccessException.KeyFile(
                "private key file %s can't be written (%s): check the folder's owner, mode and free space"
                        .formatted(file, e.getClass().getSimpleName()),
                e);
    }
}
