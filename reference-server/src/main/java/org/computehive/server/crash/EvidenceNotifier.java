package org.computehive.server.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import org.computehive.rental.Notifier;

/**
 * Writes each calendar message to a file named by what makes it the same message and by its content, so that two messages
 * of one name that differ are both kept. Thread-safe.
 */
final class EvidenceNotifier implements Notifier {
    private final Path folder;
    private final Set<Fault> faults;

    EvidenceNotifier(Path folder, Set<Fault> faults) {
        this.folder = folder;
        this.faults = faults;
    }

    @Override
    public void deliver(Notice notice) {
        write(notice, notice.calendar());
        if (faults.contains(Fault.CHANGED_CALENDAR)) {
            write(notice, notice.calendar().replace("SUMMARY:", "SUMMARY:Again "));
        }
    }

    private void write(Notice notice, String calendar) {
        byte[] text = calendar.getBytes(StandardCharsets.UTF_8);
        // When the message was made is not what it says: a repeated one is newer (RFC 5546, section 2.1.5).
        byte[] content =
                calendar.replaceAll("(?m)^(DTSTAMP|LAST-MODIFIED):.*$", "").getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("%s_%s_%d_%s.ics"
                .formatted(notice.rental(), notice.recipient().address(), notice.sequence(), digest(content)));
        try {
            Path part = Files.createTempFile(folder, "notice", ".part");
            Files.write(part, text);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("the calendar message could not be written to " + file, e);
        }
    }

    private static String digest(byte[] text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
