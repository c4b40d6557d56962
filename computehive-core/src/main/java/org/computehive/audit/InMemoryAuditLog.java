package org.computehive.audit;

import java.util.ArrayList;
import java.util.List;

/**
 * An audit log that lasts as long as its process: for tests and trials.
 *
 * <p>Obeys the contract of {@link AuditLog} but for durability. Thread-safe.
 */
public final class InMemoryAuditLog implements AuditLog {
    private final MerkleTree tree = new MerkleTree();
    private final List<byte[]> entries = new ArrayList<>();
    private final NoteSigner key;
    private boolean closed;

    /**
     * Creates an empty log.
     *
     * @param key signs the checkpoints; its name is the log's origin
     */
    public InMemoryAuditLog(NoteSigner key) {
        this.key = key;
    }

    @Override
    public long append(byte[] entry) {
        return append(List.of(entry));
    }

    @Override
    public synchronized long append(List<byte[]> added) {
        List<byte[]> copies =
                added.stream().map(entry -> LogRanges.entry(entry).clone()).toList();
        if (closed) {
            throw new AuditLogException("the audit log is closed: make a new one", null);
        }
        tree.appendAll(copies.stream().map(Proofs::leafHash).toList());
        entries.addAll(copies);
        return (long) entries.size() - copies.size();
    }

    @Override
    public String origin() {
        return key.name();
    }

    @Override
    public synchronized long size() {
        return entries.size();
    }

    @Override
    public synchronized List<byte[]> entries(long from, long to) {
        LogRanges.range(from, to, size());
        return entries.subList((int) from, (int) to).stream().map(byte[]::clone).toList();
    }

    @Override
    public synchronized String checkpoint() {
        return new Checkpoint(key.name(), size(), tree.root(size())).sign(key);
    }

    @Override
    public synchronized List<byte[]> inclusionProof(long index, long treeSize) {
        return tree.inclusionProof(index, treeSize);
    }

    @Override
    public synchronized List<byte[]> consistencyProof(long first, long second) {
        return tree.consistencyProof(first, second);
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}
