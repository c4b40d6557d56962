package org.computehive.audit;

import java.nio.file.Path;
import java.util.List;

/**
 * Checks a log from its published files alone, without the server that wrote them.
 *
 * <h2>Guarantees</h2>
 * If the report holds, then the key signed exactly the entries in the folder, in their order; every tile belongs to them;
 * no entry that an earlier checkpoint covers was changed, removed or moved; and the entries asked for are among them. It
 * does not say that nobody else was shown another history: compare checkpoints with others for that.
 *
 * <p>Immutable and thread-safe. Keeps 64 bytes of heap per entry while it works.
 */
public final class Verifier {
    private final VerifierKey key;

    /**
     * Creates one.
     *
     * @param key the log's key, from a place that the log can't change
     */
    public Verifier(VerifierKey key) {
        this.key = key;
    }

    /**
     * Checks the checkpoint's signature, every entry and every tile of a folder.
     *
     * @param folder the log's folder, or a copy of {@code checkpoint} and {@code tile/}
     */
    public VerificationReport verify(Path folder) {
        return verify(folder, List.of(), List.of());
    }

    /**
     * Checks a folder, and that it continues earlier checkpoints and holds some entries.
     *
     * @param folder the log's folder, or a copy of {@code checkpoint} and {@code tile/}
     * @param earlierCheckpoints signed checkpoints of the same log that were kept from before
     * @param entries entries that must be in the log
     */
    public VerificationReport verify(Path folder, List<String> earlierCheckpoints, List<byte[]> entries) {
        FolderCheck check = new FolderCheck(folder, key);
        check.checkpoint().ifPresent(checkpoint -> {
            check.entriesAndTiles(checkpoint);
            earlierCheckpoints.forEach(earlier -> check.continues(checkpoint, earlier));
            entries.forEach(entry -> check.contains(checkpoint, entry));
        });
        return check.report();
    }
}
