package org.computehive.audit;

import java.util.List;
import java.util.Optional;

/**
 * Anchors a log, and holds it against what was anchored of it: so the log's own operator sees a history that was rewritten
 * or cut, as any auditor with the entries does. Thread-safe.
 */
public final class Anchoring {
    private final AuditLog log;
    private final VerifierKey key;
    private final Anchor anchor;

    /**
     * Creates one.
     *
     * @param log the log
     * @param key its key
     * @param anchor where it is anchored
     */
    public Anchoring(AuditLog log, VerifierKey key, Anchor anchor) {
        this.log = log;
        this.key = key;
        this.anchor = anchor;
    }

    /**
     * Checks that the log continues everything that was anchored of it.
     *
     * @throws IllegalStateException if it does not; the message names the anchor
     * @throws AuditLogException if the anchors can't be read now
     */
    public void check() {
        check(Checkpoint.open(log.checkpoint(), key));
    }

    private void check(Checkpoint now) {
        for (Anchored known : anchor.anchors(Anchored.originHash(now.origin()))) {
            if (!continues(now, known)) {
                throw new IllegalStateException(
                        "audit log %s does not continue what was anchored of it at %d entries: it has %d now, and was rewritten or cut. Keep it as it is for whoever looks into it, and put the whole true log back"
                                .formatted(now.origin(), known.size(), now.size()));
            }
        }
    }

    private boolean continues(Checkpoint now, Anchored known) {
        if (known.size() > now.size()) {
            return false;
        }
        List<byte[]> proof = known.size() == now.size() ? List.of() : log.consistencyProof(known.size(), now.size());
        return Proofs.provesConsistency(known.size(), now.size(), known.root(), now.root(), proof);
    }

    /**
     * Checks, then anchors what the log is now.
     *
     * @return what is anchored now; empty where the log has no entry yet
     * @throws IllegalStateException if the log does not continue what was anchored; nothing is anchored then
     * @throws AuditLogException if it could not be anchored, or not for sure: try again
     * @throws IllegalArgumentException if something larger was anchored meanwhile, such as by another process
     */
    public Optional<Anchored> anchor() {
        Checkpoint now = Checkpoint.open(log.checkpoint(), key);
        check(now);
        if (now.size() == 0) {
            return Optional.empty();
        }
        Anchored anchored = Anchored.of(now);
        anchor.anchor(anchored);
        return Optional.of(anchored);
    }
}
