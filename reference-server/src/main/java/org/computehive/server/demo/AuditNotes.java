package org.computehive.server.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;

/**
 * Opens what the audit log holds of the gateway's decisions: the engine's own log has each one's words and salt, the audit
 * log a commitment to them. Stateless.
 */
final class AuditNotes {
    private static final Pattern NOTE = Pattern.compile(
            "audit note type=\"([a-z.-]+)\" auditIndex=\"(\\d+)\" salt=\"([0-9a-f]+)\" payload=\"(.*)\"$");

    private final Path words;
    private final AuditLog log;

    /** A note whose words the audit log has committed to. */
    record Opened(long index, String type, String words) {}

    /**
     * Creates one.
     *
     * @param words the engine's own log
     * @param log the audit log
     */
    AuditNotes(Path words, AuditLog log) {
        this.words = words;
        this.log = log;
    }

    /** Returns the last note of a type with a text in it; empty where none is, or the audit log committed to other words. */
    Optional<Opened> last(String type, String text) throws IOException {
        try (Stream<String> lines = Files.lines(words, StandardCharsets.UTF_8)) {
            return lines.map(NOTE::matcher)
                    .filter(note -> note.find()
                            && note.group(1).equals(type)
                            && note.group(4).contains(text))
                    .reduce((earlier, later) -> later)
                    .filter(note -> isCommitted(Long.parseLong(note.group(2)), note.group(3), note.group(4)))
                    .map(note -> new Opened(Long.parseLong(note.group(2)), type, note.group(4)));
        }
    }

    private boolean isCommitted(long index, String salt, String payload) {
        byte[] entry = log.entries(index, index + 1).getFirst();
        return AuditEntry.parse(entry)
                .matches(
                        payload.getBytes(StandardCharsets.UTF_8), HexFormat.of().parseHex(salt));
    }
}
