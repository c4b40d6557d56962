package org.computehive.audit;

import java.util.ArrayList;
import java.util.List;

/**
 * The durable state: tree, checkpoint, and the entries that the tiles do not hold durably yet.
 *
 * <p>One thread commits; any thread reads.
 */
final class Committer {
    private final MerkleTree tree;
    private final NoteSigner key;
    private final WriteAheadLog wal;
    private final long segmentBytes;
    private List<byte[]> tail;
    private long tailStart;
    private Sized newest;
    private long sealed;

    /**
     * A size of the log and its checkpoint.
     *
     * @param size entries
     * @param note the signed checkpoint
     */
    record Sized(long size, String note) {}

    Committer(
            MerkleTree tree,
            NoteSigner key,
            WriteAheadLog wal,
            long segmentBytes,
            List<byte[]> tail,
            Sized newest,
            long sealed) {
        this.tree = tree;
        this.key = key;
        this.wal = wal;
        this.segmentBytes = segmentBytes;
        this.tail = tail;
        this.tailStart = newest.size() - tail.size();
        this.newest = newest;
        this.sealed = sealed;
    }

    /** Makes entries durable and returns the first one's index; after a throw none is in the log. */
    long commit(List<byte[]> entries) {
        long first = size();
        Hasher hasher = new Hasher();
        List<byte[]> leaves = new ArrayList<>(entries.size());
        entries.forEach(entry -> leaves.add(hasher.leaf(entry)));
        long size = first + entries.size();
        String note;
        try {
            tree.appendAll(leaves);
            note = new Checkpoint(key.name(), size, tree.root(size)).sign(key);
            wal.append(new Batch(first, entries, note));
        } catch (RuntimeException e) {
            tree.truncate(first);
            throw e;
        }
        Sized now = new Sized(size, note);
        synchronized (this) {
            tail.addAll(entries);
            newest = now;
        }
        if (wal.segmentBytes() > segmentBytes && wal.roll(size, note)) {
            synchronized (this) {
                sealed = size;
            }
        }
        return first;
    }

    MerkleTree tree() {
        return tree;
    }

    synchronized long size() {
        return newest.size();
    }

    synchronized String checkpoint() {
        return newest.note();
    }

    synchronized Sized newest() {
        return newest;
    }

    /** Returns where the newest write-ahead segment begins: what lies before may move to the tiles for good. */
    synchronized long sealed() {
        return sealed;
    }

    /** Returns the first index that is held here. */
    synchronized long tailStart() {
        return tailStart;
    }

    /** Returns entries that are held here. */
    synchronized List<byte[]> held(long from, long to) {
        int at = Math.toIntExact(from - tailStart);
        return List.copyOf(tail.subList(at, Math.toIntExact(to - tailStart)));
    }

    /** Lets go of the entries before an index. */
    synchronized void release(long index) {
        if (index > tailStart) {
            tail = new ArrayList<>(tail.subList(Math.toIntExact(index - tailStart), tail.size()));
            tailStart = index;
        }
    }
}
