package org.computehive.audit;

import java.security.MessageDigest;
import java.util.List;

/**
 * Checks Merkle proofs without the log: the client's side of RFC 6962, by the algorithms of RFC 9162 sections 2.1.3.2
 * and 2.1.4.2.
 *
 * <p>Stateless. Anything malformed is simply not a proof: the answer is {@code false}, never an exception.
 */
public final class Proofs {
    private Proofs() {}

    /** Returns an entry's leaf hash, {@code SHA-256(0x00 || entry)}. */
    public static byte[] leafHash(byte[] entry) {
        return new Hasher().leaf(entry);
    }

    /**
     * Returns whether a proof shows that a leaf lies at an index of a tree.
     *
     * @param leafHash {@link #leafHash} of the entry
     * @param index the entry's index, from 0
     * @param treeSize how many entries the tree has
     * @param root the tree's root, from a checkpoint whose signature was checked
     * @param proof what {@link AuditLog#inclusionProof} gave
     */
    public static boolean provesInclusion(byte[] leafHash, long index, long treeSize, byte[] root, List<byte[]> proof) {
        if (index < 0 || index >= treeSize || badHashes(proof) || leafHash.length != Hasher.BYTES) {
            return false;
        }
        Hasher hasher = new Hasher();
        long node = index;
        long last = treeSize - 1;
        byte[] hash = leafHash;
        for (byte[] sibling : proof) {
            if (last == 0) {
                return false;
            }
            if ((node & 1) == 1 || node == last) {
                hash = hasher.node(sibling, hash);
                while ((node & 1) == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = hasher.node(hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && MessageDigest.isEqual(hash, root);
    }

    /**
     * Returns whether a proof shows that a tree extends an earlier one: that no entry of the earlier was changed or
     * removed.
     *
     * @param first the earlier size, at least 1
     * @param second the later size
     * @param firstRoot the earlier root
     * @param secondRoot the later root
     * @param proof what {@link AuditLog#consistencyProof} gave
     */
    public static boolean provesConsistency(
            long first, long second, byte[] firstRoot, byte[] secondRoot, List<byte[]> proof) {
        if (first < 1 || first > second || badHashes(proof)) {
            return false;
        }
        if (first == second) {
            return proof.isEmpty() && MessageDigest.isEqual(firstRoot, secondRoot);
        }
        boolean complete = Long.bitCount(first) == 1;
        if (!complete && proof.isEmpty()) {
            return false;
        }
        int skip = Long.numberOfTrailingZeros(first);
        long node = (first - 1) >> skip;
        long last = (second - 1) >> skip;
        Hasher hasher = new Hasher();
        byte[] earlier = complete ? firstRoot : proof.get(0);
        byte[] later = earlier;
        for (byte[] sibling : complete ? proof : proof.subList(1, proof.size())) {
            if (last == 0) {
                return false;
            }
            if ((node & 1) == 1 || node == last) {
                earlier = hasher.node(sibling, earlier);
                later = hasher.node(sibling, later);
                while ((node & 1) == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                later = hasher.node(later, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && MessageDigest.isEqual(earlier, firstRoot) && MessageDigest.isEqual(later, secondRoot);
    }

    private static boolean badHashes(List<byte[]> proof) {
        return proof.size() > 2 * Long.SIZE || proof.stream().anyMatch(hash -> hash.length != Hasher.BYTES);
    }
}
