package org.computehive.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import org.computehive.rental.Notifier;

/**
 * Writes each calendar message to a file of its own, named by rental, recipient and sequence; the same message again
 * replaces itself.
 *
 * <p>Thread-safe.
 */
public final class CalendarFolder implements Notifier {
    private final Path folder;

    /** Creates one that writes into a folder, which is made if it is missing. */
    public CalendarFolder(Path folder) {
        this.folder = folder;
    }

    /** Returns the file of a message. */
    public Path fileOf(Notice notice) {
        return folder.resolve("%s-%s-%d-%s.ics"
                .formatted(
                        notice.rental(),
                        notice.recipient().address().substring(2, 10),
                        notice.sequence(),
                        notice.method().toLowerCase(Locale.ROOT)));
    }

    @Override
    public void deliver(Notice notice) {
        Path file = fileOf(notice);
        try {
            Files.createDirectories(folder);
            Path temporary = Files.createTempFile(folder, "notice", ".tmp");
            Files.writeString(temporary, notice.calendar(), StandardCharsets.UTF_8);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("the calendar message could not be written to " + file, e);
        }
    }
}
