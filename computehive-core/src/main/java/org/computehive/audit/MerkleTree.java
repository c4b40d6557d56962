package org.computehive.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * An RFC 6962 Merkle tree of leaf hashes in memory: every complete subtree's hash, 64 bytes per entry.
 *
 * <p>Thread-safe. Sizes and indices that are out of range throw {@link IllegalArgumentException}.
 */
final class MerkleTree {
    /** What one byte array per level can hold. */
    static final long MAX_SIZE = 60_000_000;

    private static final int FIRST_LEAVES = 64;
    private final List<byte[]> levels = new ArrayList<>();
    private long size;

    synchronized long size() {
        return size;
    }

    /** Appends leaf hashes. */
    synchronized void appendAll(Collection<byte[]> leafHashes) {
        if (size + leafHashes.size() > MAX_SIZE) {
            throw new AuditLogException(
                    "the log has %d of at most %d entries: start a new log".formatted(size, MAX_SIZE), null);
        }
        Hasher hasher = new Hasher();
        for (byte[] leaf : leafHashes) {
            append(leaf, hasher);
        }
    }

    private void append(byte[] leaf, Hasher hasher) {
        byte[] hash = leaf;
        long index = size;
        int level = 0;
        put(level, index, hash);
        while ((index & 1) == 1) {
            hash = hasher.node(node(level, index - 1), hash);
            index >>= 1;
            level++;
            put(level, index, hash);
        }
        size++;
    }

    /** Forgets the leaves from an index on. */
    synchronized void truncate(long newSize) {
        check(newSize <= size && newSize >= 0, "size", newSize, size);
        size = newSize;
    }

    /** Returns the hash of the complete subtree over leaves {@code [index << level, (index + 1) << level)}. */
    synchronized byte[] node(int level, long index) {
        int at = Math.toIntExact(index * Hasher.BYTES);
        return Arrays.copyOfRange(levels.get(level), at, at + Hasher.BYTES);
    }

    /** Returns the hashes {@code [from, to)} of a level's complete subtrees, one after the other. */
    synchronized byte[] row(int level, long from, long to) {
        return Arrays.copyOfRange(
                levels.get(level), Math.toIntExact(from * Hasher.BYTES), Math.toIntExact(to * Hasher.BYTES));
    }

    private void put(int level, long index, byte[] hash) {
        if (level == levels.size()) {
            levels.add(new byte[FIRST_LEAVES * Hasher.BYTES]);
        }
        int at = Math.toIntExact(index * Hasher.BYTES);
        byte[] row = levels.get(level);
        if (at == row.length) {
            row = Arrays.copyOf(row, Math.toIntExact(Math.min(2L * row.length, MAX_SIZE * Hasher.BYTES)));
            levels.set(level, row);
        }
        System.arraycopy(hash, 0, row, at, Hasher.BYTES);
    }

    /** Returns the root of the first {@code treeSize} leaves. */
    synchronized byte[] root(long treeSize) {
        check(treeSize >= 0 && treeSize <= size, "size", treeSize, size);
        Hasher hasher = new Hasher();
        return treeSize == 0 ? hasher.empty() : subtree(0, treeSize, hasher);
    }

    /** Returns PATH(index, D[treeSize]) of RFC 6962 section 2.1.1. */
    synchronized List<byte[]> inclusionProof(long index, long treeSize) {
        check(treeSize >= 1 && treeSize <= size, "tree size", treeSize, size);
        check(index >= 0 && index < treeSize, "index", index, treeSize - 1);
        List<byte[]> proof = new ArrayList<>();
        path(index, 0, treeSize, proof, new Hasher());
        return List.copyOf(proof);
    }

    private void path(long index, long from, long to, List<byte[]> proof, Hasher hasher) {
        if (to - from == 1) {
            return;
        }
        long middle = from + largestPowerOfTwoBelow(to - from);
        if (index < middle) {
            path(index, from, middle, proof, hasher);
            proof.add(subtree(middle, to, hasher));
        } else {
            path(index, middle, to, proof, hasher);
            proof.add(subtree(from, middle, hasher));
        }
    }

    /** Returns PROOF(first, D[second]) of RFC 6962 section 2.1.2; empty where both are equal. */
    synchronized List<byte[]> consistencyProof(long first, long second) {
        check(second >= 1 && second <= size, "second size", second, size);
        check(first >= 1 && first <= second, "first size", first, second);
        List<byte[]> proof = new ArrayList<>();
        subproof(first, 0, second, true, proof, new Hasher());
        return List.copyOf(proof);
    }

    private void subproof(long first, long from, long to, boolean known, List<byte[]> proof, Hasher hasher) {
        if (first == to) {
            if (!known) {
                proof.add(subtree(from, to, hasher));
            }
            return;
        }
        long middle = from + largestPowerOfTwoBelow(to - from);
        if (first <= middle) {
            subproof(first, from, middle, known, proof, hasher);
            proof.add(subtree(middle, to, hasher));
        } else {
            subproof(first, middle, to, false, proof, hasher);
            proof.add(subtree(from, middle, hasher));
        }
    }

    /** MTH(D[from:to]); {@code from} is a multiple of a power of two that is no smaller than {@code to - from}. */
    private byte[] subtree(long from, long to, Hasher hasher) {
        long count = to - from;
        if (Long.bitCount(count) == 1) {
            int level = Long.numberOfTrailingZeros(count);
            return node(level, from >> level);
        }
        long middle = from + largestPowerOfTwoBelow(count);
        return hasher.node(subtree(from, middle, hasher), subtree(middle, to, hasher));
    }

    private static long largestPowerOfTwoBelow(long count) {
        return Long.highestOneBit(count - 1);
    }

    private static void check(boolean holds, String what, long value, long limit) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "%s %d is out of range: the largest is %d".formatted(what, value, limit));
        }
    }
}
