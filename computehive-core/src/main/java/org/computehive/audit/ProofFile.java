package org.computehive.audit;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A proof that an entry is in a log, to be kept and checked without the log (C2SP tlog-proof). Immutable.
 *
 * @param index the entry's index
 * @param hashes the inclusion proof, from the leaf's sibling upwards
 * @param checkpoint the signed checkpoint, cosignatures included
 */
public record ProofFile(long index, List<byte[]> hashes, String checkpoint) {
    private static final String HEADER = "c2sp.org/tlog-proof@v1";
    private static final Pattern INDEX = Pattern.compile("index (0|[1-9][0-9]{0,17})");
    private static final int MAX_HASHES = 63;

    /** Copies the hashes. */
    public ProofFile {
        hashes = List.copyOf(hashes);
    }

    /**
     * Makes the proof of an entry.
     *
     * @param log the log
     * @param index the entry
     * @param checkpoint a signed checkpoint of the log's that covers it, such as its newest with cosignatures
     * @throws IllegalArgumentException if the checkpoint does not cover the entry
     */
    public static ProofFile of(AuditLog log, long index, String checkpoint) {
        long size = Checkpoint.read(Note.text(checkpoint)).size();
        return new ProofFile(index, log.inclusionProof(index, size), checkpoint);
    }

    /**
     * Reads a proof; extra data is skipped.
     *
     * @throws IllegalArgumentException if it is malformed
     */
    public static ProofFile parse(String text) {
        int gap = text.indexOf("\n\n");
        if (gap < 0 || text.length() > 2 * Note.MAX_CHARS) {
            throw Note.malformed("it is no proof of C2SP tlog-proof");
        }
        List<String> lines = new ArrayList<>(text.substring(0, gap).lines().toList());
        if (!lines.removeFirst().equals(HEADER)) {
            throw Note.malformed("a proof begins with the line " + HEADER);
        }
        if (!lines.isEmpty() && lines.getFirst().startsWith("extra ")) {
            lines.removeFirst();
        }
        if (lines.isEmpty() || !INDEX.matcher(lines.getFirst()).matches() || lines.size() > 1 + MAX_HASHES) {
            throw Note.malformed("a proof has an index and at most %d hashes".formatted(MAX_HASHES));
        }
        long index = Long.parseLong(lines.removeFirst().substring("index ".length()));
        return new ProofFile(index, lines.stream().map(Note::base64).toList(), text.substring(gap + 2));
    }

    /** Returns the file's text. */
    public String text() {
        var text = new StringBuilder(HEADER + "\nindex " + index + "\n");
        hashes.forEach(
                hash -> text.append(Base64.getEncoder().encodeToString(hash)).append('\n'));
        return text.append('\n').append(checkpoint).toString();
    }
}
