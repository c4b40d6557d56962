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
        return verify(folder, earlierCheckpoints, entries, List.of(), Quorum.NONE);
    }

    /**
     * Checks a folder, that it continues earlier checkpoints and anchors, holds some entries, and was cosigned.
     *
     * @param folder the log's folder, or a copy of {@code checkpoint} and {@code tile/}
     * @param earlierCheckpoints signed checkpoints of the same log that were kept from before
     * @param entries entries that must be in the log
     * @param anchors what was anchored of the log elsewhere
     * @param quorum the witnesses who must have cosigned what the log was, in {@code checkpoint.cosigned}
     */
    public VerificationReport verify(
            Path folder, List<String> earlierCheckpoints, List<byte[]> entries, List<Anchored> anchors, Quorum quorum) {
        FolderCheck check = new FolderCheck(folder, key);
        check.checkpoint().ifPresent(checkpoint -> {
            check.entriesAndTiles(checkpoint);
            earlierCheckpoints.forEach(earlier -> check.continues(checkpoint, earlier));
            anchors.forEach(anchored -> check.continues(checkpoint, anchored));
            entries.forEach(entry -> check.contains(checkpoint, entry));
            check.cosigned(checkpoint, quorum);
        });
        return check.report();
    }

    /**
     * Checks that an entry is in the log, by a proof alone.
     *
     * @param checkpoint the signed checkpoint that the proof leads to
     * @param entry the leaf's bytes
     * @param index its index
     * @param proof what {@link AuditLog#inclusionProof} gave for the checkpoint's size
     * @throws IllegalArgumentException if the checkpoint is malformed or not signed by the key
     */
    public boolean includes(String checkpoint, byte[] entry, long index, List<byte[]> proof) {
        Checkpoint signed = Checkpoint.open(checkpoint, key);
        return Proofs.provesInclusion(Proofs.leafHash(entry), index, signed.size(), signed.root(), proof);
    }

    /**
     * Checks that a log continues what it signed before, by a proof alone.
     *
     * @param earlier the earlier signed checkpoint, of at least one entry
     * @param later the later one
     * @param proof what {@link AuditLog#consistencyProof} gave for both sizes
     * @throws IllegalArgumentException if a checkpoint is malformed or not signed by the key
     */
    public boolean continues(String earlier, String later, List<byte[]> proof) {
        Checkpoint first = Checkpoint.open(earlier, key);
        Checkpoint second = Checkpoint.open(later, key);
        return Proofs.provesConsistency(first.size(), second.size(), first.root(), second.root(), proof);
    }

    /**
     * Checks a proof file (C2SP tlog-proof) for an entry.
     *
     * @return the checkpoint that it leads to
     * @throws IllegalArgumentException if it is malformed, not signed by the key and the quorum, or does not prove it; the
     *     message says which
     */
    public Checkpoint verifyProof(String proof, byte[] entry, Quorum quorum) {
        ProofFile read = ProofFile.parse(proof);
        Checkpoint signed = Checkpoint.open(read.checkpoint(), key);
        quorum.check(read.checkpoint());
        if (!includes(read.checkpoint(), entry, read.index(), read.hashes())) {
            throw new IllegalArgumentException(
                    "the proof does not lead from this entry at index %d to the signed root".formatted(read.index()));
        }
        return signed;
    }
}
