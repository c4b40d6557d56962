package org.computehive.feed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secrets that sign feeds' tokens (HMAC-SHA256). The last one signs; the ones before it still verify, so that a key can
 * be changed without breaking every subscription, and be dropped later.
 *
 * <p>Immutable and thread-safe. {@link #toString} shows no secret.
 */
public final class FeedKeys {
    private static final int SECRET_BYTES = 32;
    private static final String ALGORITHM = "HmacSHA256";
    private static final Pattern LINE = Pattern.compile("computehive-feed-key-1 ([0-9]{1,9}) ([0-9a-f]{64})");
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private final Map<Integer, SecretKey> keys;
    private final int current;

    private FeedKeys(Map<Integer, SecretKey> keys, int current) {
        this.keys = Map.copyOf(keys);
        this.current = current;
    }

    /** Returns a fresh key that is kept nowhere. */
    public static FeedKeys generate() {
        return new FeedKeys(Map.of(1, key(freshSecret())), 1);
    }

    /**
     * Reads the keys of a file, which is made with a fresh one if it is missing: a line {@code computehive-feed-key-1 ID
     * SECRET} for each, the secret in 64 hexadecimal digits, the newest last.
     *
     * @param file on POSIX, its owner's alone
     * @throws IllegalArgumentException if others may read it, or it is not such a file
     */
    public static FeedKeys loadOrGenerate(Path file) {
        try {
            if (Files.notExists(file)) {
                create(file);
            }
            if (!OWNER_ONLY.containsAll(Files.getPosixFilePermissions(file))) {
                throw new IllegalArgumentException("others may read the feed keys in %s: chmod 600 it".formatted(file));
            }
            return parse(file, Files.readString(file, StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("the feed keys in %s can't be read".formatted(file), e);
        }
    }

    private static void create(Path file) throws IOException {
        Path part = Files.createTempFile(
                file.toAbsolutePath().getParent(),
                file.getFileName().toString(),
                ".part",
                PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            Files.writeString(
                    part,
                    "computehive-feed-key-1 1 %s%n".formatted(HexFormat.of().formatHex(freshSecret())),
                    StandardOpenOption.WRITE,
                    StandardOpenOption.SYNC);
            // A link and not a move: of two that start together the first one's key holds.
            Files.createLink(file, part);
        } catch (FileAlreadyExistsException e) {
            // Then that is read.
            return;
        } finally {
            Files.delete(part);
        }
    }

    private static FeedKeys parse(Path file, String text) {
        var keys = new HashMap<Integer, SecretKey>();
        int last = 0;
        for (String line : text.lines().toList()) {
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches() || keys.containsKey(Integer.parseInt(matcher.group(1)))) {
                throw new IllegalArgumentException(
                        "%s is not a file of feed keys: each line is computehive-feed-key-1, a number of its own, and 64 hexadecimal digits"
                                .formatted(file));
            }
            last = Integer.parseInt(matcher.group(1));
            keys.put(last, key(HexFormat.of().parseHex(matcher.group(2))));
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("%s has no feed key: remove it for a fresh one".formatted(file));
        }
        return new FeedKeys(keys, last);
    }

    private static byte[] freshSecret() {
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        return secret;
    }

    private static SecretKey key(byte[] secret) {
        return new SecretKeySpec(secret, ALGORITHM);
    }

    int current() {
        return current;
    }

    /** Returns a message's 32-byte code; empty if there is no such key. */
    Optional<byte[]> sign(int id, byte[] message) {
        return Optional.ofNullable(keys.get(id)).map(key -> mac(key, message));
    }

    private static byte[] mac(SecretKey key, byte[] message) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }

    @Override
    public String toString() {
        return "feed keys " + keys.keySet().stream().sorted().toList();
    }
}
