package org.computehive.audit;

import java.util.List;

/**
 * A place outside of the log's reach that remembers what the log was: a chain, a newspaper.
 *
 * <h2>Guarantees</h2>
 * What is recorded stays and is shown to everybody alike, in order; for one log the sizes only grow. Whether one anchor
 * continues another is not checked there: a {@link Verifier} does, against the entries.
 *
 * <p>Implementations are thread-safe.
 */
public interface Anchor {
    /**
     * Records what a log is now. The same as the newest changes nothing.
     *
     * @throws AuditLogException if it could not be recorded, or not for sure: try again
     * @throws IllegalArgumentException if the log was anchored at this size with another root, or at a larger size: its
     *     history was rewritten or cut
     */
    void anchor(Anchored anchored);

    /**
     * Returns what was recorded of a log, the smallest size first.
     *
     * @param originHash the SHA-256 of its origin
     * @throws AuditLogException if that can't be read now
     */
    List<Anchored> anchors(byte[] originHash);
}
