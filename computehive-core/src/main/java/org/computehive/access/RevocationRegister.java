package org.computehive.access;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What was revoked, kept in a file: for whoever runs a gateway without the rental engine.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>A revocation is on the disk before {@link #revokeSerial} or {@link #revokeKeyId} returns the list that has it, and
 * nothing takes one back; a crash at any byte loses none that was returned. Hand the list to {@link
 * Gateway#revocations} and to the VMs ({@link KeyRevocationList#encode}).
 *
 * <p>One line for each, {@code serial N} or {@code key-id TEXT}; a last line without an end was never acknowledged. The
 * list's version is the number of lines. Thread-safe; one register has a file at a time.
 */
public final class RevocationRegister implements AutoCloseable {
    private static final String SERIAL = "serial ";
    private static final String KEY_ID = "key-id ";
    private static final int SIZE_LIMIT = 64 << 20;

    private final Path file;
    private final FileChannel channel;
    private final List<SshPublicKey> authorities;
    private final InstantSource clock;
    private final Set<Long> serials = new TreeSet<>();
    private final Set<String> keyIds = new TreeSet<>();
    private long end;
    private boolean broken;

    private RevocationRegister(Path file, FileChannel channel, List<SshPublicKey> authorities, InstantSource clock) {
        this.file = file;
        this.channel = channel;
        this.authorities = List.copyOf(authorities);
        this.clock = clock;
    }

    /**
     * Opens a register, or begins one if there is no such file.
     *
     * @param file its file; made for this user alone
     * @param authorities whose certificates are revoked, all that are trusted
     * @param clock the time
     * @throws AccessException.KeyFile if it can't be read or written, is damaged, or another register has it
     */
    public static RevocationRegister open(Path file, List<SshPublicKey> authorities, InstantSource clock) {
        FileChannel channel = null;
        boolean ready = false;
        try {
            channel = FileChannel.open(
                    file,
                    Set.of(CREATE, READ, WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            var register = new RevocationRegister(file, channel, authorities, clock);
            register.lock();
            register.read();
            ready = true;
            return register;
        } catch (IOException e) {
            throw failed(file, e.toString(), e);
        } finally {
            if (!ready && channel != null) {
                closeQuietly(channel);
            }
        }
    }

    private void lock() throws IOException {
        FileLock held;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            held = null;
        }
        if (held == null) {
            throw new IOException("another register has it open");
        }
    }

    private void read() throws IOException {
        if (channel.size() > SIZE_LIMIT) {
            throw new IOException("it has %d bytes, at most %d are expected".formatted(channel.size(), SIZE_LIMIT));
        }
        String text = new String(Files.readAllBytes(file), US_ASCII);
        int whole = text.lastIndexOf('\n') + 1;
        parse(text.substring(0, whole), serials, keyIds);
        end = whole;
        // What a crash left unsynced is counted from here on, so it has to be durable.
        channel.truncate(end);
        channel.force(true);
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            try (var directory = FileChannel.open(folder, READ)) {
                directory.force(true);
            }
        }
    }

    /** Reads whole lines. */
    static void parse(String lines, Set<Long> serials, Set<String> keyIds) throws IOException {
        for (String line : lines.lines().toList()) {
            try {
                if (line.startsWith(SERIAL)) {
                    serials.add(Long.parseLong(line.substring(SERIAL.length())));
                } else if (line.startsWith(KEY_ID)) {
                    keyIds.add(Names.keyId(line.substring(KEY_ID.length())));
                } else {
                    throw new IllegalArgumentException("neither serial nor key id");
                }
            } catch (IllegalArgumentException e) {
                throw new IOException(
                        "line \"%s\" is damaged: restore the file from a copy".formatted(Names.shown(line)));
            }
        }
    }

    /**
     * Revokes one certificate for good. Safe to repeat.
     *
     * @param serial its serial; positive
     * @return the list with it
     * @throws AccessException.KeyFile if it could not be made durable; nothing was revoked then
     */
    public synchronized KeyRevocationList revokeSerial(long serial) {
        if (serial <= 0) {
            throw new IllegalArgumentException("serial %d can't be revoked: it must be positive".formatted(serial));
        }
        if (!serials.contains(serial)) {
            append(SERIAL + serial);
            serials.add(serial);
        }
        return list();
    }

    /**
     * Revokes every certificate with a key id for good. Safe to repeat.
     *
     * @return the list with it
     * @throws AccessException.KeyFile if it could not be made durable; nothing was revoked then
     */
    public synchronized KeyRevocationList revokeKeyId(String keyId) {
        if (!keyIds.contains(Names.keyId(keyId))) {
            append(KEY_ID + keyId);
            keyIds.add(keyId);
        }
        return list();
    }

    /** Returns the list as of now; hand it on again and again, so that gateways know that they miss nothing. */
    public synchronized KeyRevocationList list() {
        if (broken) {
            throw failed(file, "writing it failed before", null);
        }
        return new KeyRevocationList(
                authorities, serials.size() + (long) keyIds.size(), clock.instant(), serials, keyIds);
    }

    private void append(String line) {
        if (broken) {
            throw failed(file, "writing it failed before", null);
        }
        byte[] bytes = (line + "\n").getBytes(US_ASCII);
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer, end + buffer.position());
            }
            channel.force(false);
            end += bytes.length;
        } catch (IOException e) {
            broken = true; // what the disk has now is known only once it was read again
            throw failed(file, e.toString(), e);
        }
    }

    private static AccessException.KeyFile failed(Path file, String why, @Nullable Throwable cause) {
        return new AccessException.KeyFile(
                "revocation register %s can't be used: %s. Check space, rights and the disk, then open it again"
                        .formatted(file, why),
                cause);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing was written.
        }
    }

    /** Frees the file. */
    @Override
    public synchronized void close() {
        broken = true;
        closeQuietly(channel);
    }
}
