package org.computehive.audit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class MerkleTreeTest {
    private static final int EXHAUSTIVE = 40;

    /** The leaves and roots that the certificate-transparency project's own tests publish. */
    private static final List<String> LEAVES =
            List.of("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f");

    private static final List<String> ROOTS = List.of(
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

    /** RFC 6962 section 2.1, word by word. */
    private static byte[] mth(List<byte[]> entries) throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        if (entries.isEmpty()) {
            return sha256.digest();
        }
        if (entries.size() == 1) {
            sha256.update((byte) 0);
            return sha256.digest(entries.getFirst());
        }
        int k = 1;
        while (k * 2 < entries.size()) {
            k *= 2;
        }
        sha256.update((byte) 1);
        sha256.update(mth(entries.subList(0, k)));
        return sha256.digest(mth(entries.subList(k, entries.size())));
    }

    private static List<byte[]> entries(int count) {
        List<byte[]> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(("entry " + i).getBytes(StandardCharsets.UTF_8));
        }
        return entries;
    }

    private static MerkleTree tree(List<byte[]> entries) {
        MerkleTree tree = new MerkleTree();
        tree.appendAll(entries.stream().map(Proofs::leafHash).toList());
        return tree;
    }

    @Test
    void root_ofNothing_isTheHashOfNothing() {
        assertEquals(
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                HexFormat.of().formatHex(new MerkleTree().root(0)));
    }

    @Test
    void root_ofThePublishedLeaves_isAsPublished() throws Exception {
        List<byte[]> leaves = LEAVES.stream().map(HexFormat.of()::parseHex).toList();
        MerkleTree tree = tree(leaves);
        for (int size = 1; size <= leaves.size(); size++) {
            assertEquals(ROOTS.get(size - 1), HexFormat.of().formatHex(tree.root(size)));
            assertArrayEquals(mth(leaves.subList(0, size)), tree.root(size));
        }
    }

    @Test
    void root_ofEverySmallSize_isTheRecursiveDefinitions() throws Exception {
        List<byte[]> entries = entries(600);
        MerkleTree tree = tree(entries);
        for (int size = 0; size <= entries.size(); size++) {
            assertArrayEquals(mth(entries.subList(0, size)), tree.root(size), "size " + size);
        }
    }

    @Test
    void inclusionProof_ofEveryEntryInEverySmallTree_provesItAndNothingElse() {
        List<byte[]> entries = entries(EXHAUSTIVE);
        MerkleTree tree = tree(entries);
        for (int size = 1; size <= EXHAUSTIVE; size++) {
            byte[] root = tree.root(size);
            for (int index = 0; index < size; index++) {
                List<byte[]> proof = tree.inclusionProof(index, size);
                byte[] leaf = Proofs.leafHash(entries.get(index));
                assertTrue(Proofs.provesInclusion(leaf, index, size, root, proof));
                for (int other = 0; other < size; other++) {
                    assertEquals(
                            other == index,
                            Proofs.provesInclusion(Proofs.leafHash(entries.get(other)), index, size, root, proof));
                    assertEquals(other == index, Proofs.provesInclusion(leaf, other, size, root, proof));
                }
                assertFalse(Proofs.provesInclusion(leaf, index, size, root, longer(proof)));
                for (int i = 0; i < proof.size(); i++) {
                    assertFalse(Proofs.provesInclusion(leaf, index, size, root, damaged(proof, i)));
                    assertFalse(Proofs.provesInclusion(leaf, index, size, root, proof.subList(0, i)));
                }
            }
        }
    }

    @Test
    void consistencyProof_ofEveryPairOfSmallTrees_provesItAndNothingElse() {
        MerkleTree tree = tree(entries(EXHAUSTIVE));
        for (int second = 1; second <= EXHAUSTIVE; second++) {
            for (int first = 1; first <= second; first++) {
                List<byte[]> proof = tree.consistencyProof(first, second);
                byte[] before = tree.root(first);
                byte[] after = tree.root(second);
                assertTrue(Proofs.provesConsistency(first, second, before, after, proof), first + " to " + second);
                assertFalse(Proofs.provesConsistency(first, second, flipped(before), after, proof));
                assertFalse(Proofs.provesConsistency(first, second, before, flipped(after), proof));
                assertFalse(Proofs.provesConsistency(first, second, before, after, longer(proof)));
                for (int i = 0; i < proof.size(); i++) {
                    assertFalse(Proofs.provesConsistency(first, second, before, after, damaged(proof, i)));
                    assertFalse(Proofs.provesConsistency(first, second, before, after, proof.subList(0, i)));
                }
            }
        }
    }

    @Test
    void consistencyProof_ofTheRfcsExample_hasItsNodes() {
        // RFC 6962 section 2.1.3: PROOF(3, D[7]) = [c, d, g, l], PROOF(4, D[7]) = [l], PROOF(6, D[7]) = [i, j, k].
        MerkleTree tree = tree(entries(7));
        assertHashes(tree.consistencyProof(3, 7), tree.node(0, 2), tree.node(0, 3), tree.node(1, 0), l(tree));
        assertHashes(tree.consistencyProof(4, 7), l(tree));
        assertHashes(tree.consistencyProof(6, 7), tree.node(1, 2), tree.node(0, 6), tree.node(2, 0));
    }

    private static byte[] l(MerkleTree tree) {
        return new Hasher().node(tree.node(1, 2), tree.node(0, 6));
    }

    private static void assertHashes(List<byte[]> actual, byte[]... expected) {
        assertEquals(
                Arrays.stream(expected).map(HexFormat.of()::formatHex).toList(),
                actual.stream().map(HexFormat.of()::formatHex).toList());
    }

    @Test
    void truncate_thenAppend_givesTheSameTreeAsNeverAppended() {
        List<byte[]> entries = entries(100);
        MerkleTree tree = tree(entries);
        tree.truncate(37);
        tree.appendAll(entries.subList(37, 61).stream().map(Proofs::leafHash).toList());
        assertArrayEquals(tree(entries.subList(0, 61)).root(61), tree.root(61));
    }

    @Test
    void proofs_outOfRange_areRefused() {
        MerkleTree tree = tree(entries(5));
        assertThrows(IllegalArgumentException.class, () -> tree.inclusionProof(5, 5));
        assertThrows(IllegalArgumentException.class, () -> tree.inclusionProof(-1, 5));
        assertThrows(IllegalArgumentException.class, () -> tree.inclusionProof(0, 6));
        assertThrows(IllegalArgumentException.class, () -> tree.consistencyProof(0, 5));
        assertThrows(IllegalArgumentException.class, () -> tree.consistencyProof(5, 4));
        assertThrows(IllegalArgumentException.class, () -> tree.root(6));
    }

    private static byte[] flipped(byte[] hash) {
        byte[] copy = hash.clone();
        copy[0] ^= 1;
        return copy;
    }

    private static List<byte[]> damaged(List<byte[]> proof, int at) {
        List<byte[]> copy = new ArrayList<>(proof);
        copy.set(at, flipped(proof.get(at)));
        return copy;
    }

    private static List<byte[]> longer(List<byte[]> proof) {
        List<byte[]> copy = new ArrayList<>(proof);
        copy.add(new byte[32]);
        return copy;
    }
}
