package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import org.computehive.rental.RentalId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which VMs ended in a way that their host's lender must not be blamed for, and when: one small file each, kept on the disk.
 * Thread-safe for different rentals.
 */
final class EndedVms {
    private static final Logger LOG = LoggerFactory.getLogger(EndedVms.class);
    private static final int LONGEST = 40;

    private final Path folder;

    EndedVms(Path folder) {
        this.folder = folder;
    }

    /** Notes that a VM is about to be ended: whole or not at all, and on the disk when this returns. */
    void note(RentalId id, Instant at) throws IOException {
        Files.createDirectories(folder);
        Path fresh = folder.resolve(id.value() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(at.toString().getBytes(StandardCharsets.US_ASCII)));
            channel.force(true);
        }
        Files.move(fresh, folder.resolve(id.value()), StandardCopyOption.ATOMIC_MOVE);
        force(folder);
        force(folder.resolve(".."));
    }

    /** Returns when a rental's VM was ended; empty where it was not, or where the note is damaged. */
    Optional<Instant> of(RentalId id) throws IOException {
        Path file = folder.resolve(id.value());
        try {
            if (Files.size(file) > LONGEST) {
                throw new DateTimeException("too long");
            }
            return Optional.of(Instant.parse(Files.readString(file, StandardCharsets.ISO_8859_1)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (DateTimeException e) {
            LOG.warn("note of an ended VM can't be read: file={}", file);
            return Optional.empty();
        }
    }

    /** Forgets a rental, and the folder with the last one. */
    void forget(RentalId id) throws IOException {
        Files.deleteIfExists(folder.resolve(id.value() + ".new"));
        if (Files.deleteIfExists(folder.resolve(id.value()))) {
            force(folder);
            try {
                Files.deleteIfExists(folder);
            } catch (DirectoryNotEmptyException e) {
                LOG.debug("others are still noted in {}", folder);
            }
        }
    }

    private static void force(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
