package org.computehive.audit;

import java.util.List;

/**
 * An append-only log whose history can't be rewritten unseen: an RFC 6962 Merkle tree.
 *
 * <p>Implementations are thread-safe; appends from many threads share a disk flush.
 */
public interface AuditLog extends AutoCloseable {
    /** The largest entry in bytes (C2SP tlog-tiles). */
    int MAX_ENTRY_BYTES = 65_535;

    /**
     * Appends an entry and returns once it is durable.
     *
     * @param entry the leaf's bytes, 1 to {@value #MAX_ENTRY_BYTES}
     * @return its index, from 0
     * @throws IllegalArgumentException if the entry is empty or too large
     * @throws AuditLogException if it could not be made durable; it is not in the log then, or only an unacknowledged tail
     */
    long append(byte[] entry);

    /**
     * Appends entries in order, one right behind the other, and returns once all are durable.
     *
     * @param entries the leaves' bytes, each as for {@link #append(byte[])}; none changes nothing
     * @return the first one's index
     * @throws IllegalArgumentException if an entry is empty or too large; none is in the log then
     * @throws AuditLogException if they could not be made durable; they are not in the log then, or only an unacknowledged
     *     tail
     */
    long append(List<byte[]> entries);

    /** Returns the log's name, which its checkpoints bear: no two logs have the same. */
    String origin();

    /** Returns how many entries are durable. */
    long size();

    /**
     * Returns entries in order.
     *
     * @param from the first index
     * @param to the index after the last, at most {@link #size()}
     */
    List<byte[]> entries(long from, long to);

    /** Returns the newest signed checkpoint (C2SP tlog-checkpoint), which covers every acknowledged entry. */
    String checkpoint();

    /**
     * Returns the RFC 6962 inclusion proof of an entry.
     *
     * @param index the entry
     * @param treeSize the tree it is to be proved in, at most {@link #size()}
     */
    List<byte[]> inclusionProof(long index, long treeSize);

    /**
     * Returns the RFC 6962 consistency proof between two sizes.
     *
     * @param first the smaller size, at least 1
     * @param second the larger size, at most {@link #size()}
     */
    List<byte[]> consistencyProof(long first, long second);

    /** Closes the log; everything acknowledged is durable. */
    @Override
    void close();
}
