package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which large files were hashed, so that a base disk of many GiB is not read in full before each start. Thread-safe.
 *
 * <p>As an attacker sees it, who wants a changed disk to pass for the one that was hashed:
 *
 * <ul>
 *   <li>Forge the mark: it is in this process's memory alone. There is no file of marks that somebody could write; the price is
 *       one full hash per disk after each start of this program.
 *   <li>Change the file and set its times back: the time of the last change (ctime) counts, which the kernel sets at every
 *       write, truncation and change of attributes, and which no call sets back. Who can (the clock, the raw disk, a module)
 *       is root on this host, who can read the guest's memory anyway.
 *   <li>Put another file in its place: device and inode are part of the mark, and an inode that is used again has a new ctime.
 *   <li>Change it twice within one tick of the kernel's clock, the second time after the hash: a mark is only kept of a file that
 *       had not changed for two seconds when its hashing began, and did not while it was hashed.
 *   <li>Change it without the kernel's notice, as on a failing disk: a mark is good for a day.
 *   <li>Change it after the check, while QEMU has it open: neither a mark nor a full hash before the start helps there. Guests have
 *       another user where this process is root, and the file is not theirs to write.
 * </ul>
 */
final class VerifiedFiles {
    private static final Logger LOG = LoggerFactory.getLogger(VerifiedFiles.class);
    /** Coarser than the clock of any file system that Linux writes. */
    private static final Duration SETTLED = Duration.ofSeconds(2);

    private static final Duration GOOD_FOR = Duration.ofDays(1);

    private final InstantSource clock;
    private final Hash hash;
    private final Map<Path, Mark> marks = new ConcurrentHashMap<>();

    /** Reads a file in full and returns its SHA-256, in hexadecimal. */
    interface Hash {
        String of(Path file) throws IOException;
    }

    VerifiedFiles(InstantSource clock, Hash hash) {
        this.clock = clock;
        this.hash = hash;
    }

    /** What the kernel says of a file. */
    private record Look(long device, long inode, long size, FileTime modified, FileTime changed) {}

    private record Mark(Look look, String sha256, Instant hashed) {}

    /**
     * Returns the SHA-256 of a file, in hexadecimal: of its bytes now, or as they were when they were last hashed, if nothing
     * has changed since.
     */
    String sha256(Path file) throws IOException {
        Path real = file.toRealPath();
        Instant now = clock.instant();
        Optional<Look> before = look(real);
        Mark known = marks.get(real);
        if (known != null
                && before.equals(Optional.of(known.look()))
                && now.isBefore(known.hashed().plus(GOOD_FOR))) {
            return known.sha256();
        }
        String digest = hash.of(real);
        boolean settled = before.isPresent()
                && before.get().changed().toInstant().plus(SETTLED).isBefore(now);
        if (settled && look(real).equals(before)) {
            marks.put(real, new Mark(before.get(), digest, now));
        } else {
            marks.remove(real);
        }
        return digest;
    }

    /** Empty on a file system that doesn't tell all of it: then every look is a hash. */
    private static Optional<Look> look(Path file) throws IOException {
        try {
            Map<String, Object> all = Files.readAttributes(file, "unix:dev,ino,size,lastModifiedTime,ctime");
            if (all.get("dev") instanceof Long device
                    && all.get("ino") instanceof Long inode
                    && all.get("size") instanceof Long size
                    && all.get("lastModifiedTime") instanceof FileTime modified
                    && all.get("ctime") instanceof FileTime changed) {
                return Optional.of(new Look(device, inode, size, modified, changed));
            }
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            LOG.debug("{} is hashed each time: {}", file, e.getMessage());
        }
        return Optional.empty();
    }
}
