package org.computehive.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.computehive.market.Account;
import org.computehive.rental.Notifier;
import org.computehive.rental.RentalId;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes each calendar message to a file of its own, named by rental, recipient and sequence; the same message again
 * replaces itself.
 *
 * <p>Thread-safe.
 */
public final class CalendarFolder implements Notifier {
    private static final Logger LOG = LoggerFactory.getLogger(CalendarFolder.class);

    private final Path folder;

    /** Creates one that writes into a folder, which is made if it is missing. */
    public CalendarFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Returns the file of a message.
     *
     * @param method its iTIP method
     */
    public Path fileOf(RentalId rental, Account recipient, int sequence, String method) {
        // The whole address: a shorter one could be another's too.
        return folder.resolve(
                "%s-%s-%d-%s.ics".formatted(rental, recipient.address(), sequence, method.toLowerCase(Locale.ROOT)));
    }

    @Override
    public void deliver(Notice notice) {
        Path file = fileOf(
                notice.rental(),
                notice.recipient(),
                notice.sequence(),
                notice.method().name());
        Path temporary = null;
        try {
            Files.createDirectories(folder);
            temporary = Files.createTempFile(folder, "notice", ".tmp");
            Files.writeString(temporary, notice.calendar(), StandardOpenOption.WRITE, StandardOpenOption.SYNC);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            remove(temporary);
            throw new UncheckedIOException("the calendar message could not be written to " + file, e);
        }
    }

    private static void remove(@Nullable Path temporary) {
        if (temporary != null) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                // It is named as what it is, and harms nobody.
                LOG.debug("{} is left over", temporary, e);
            }
        }
    }
}
