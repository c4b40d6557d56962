package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an attacker may put into a proof beside hashes that are merely wrong. */
class ProofsTest {
    private static final int SIZE = 7;
    private static final int EARLIER = 5;

    private final NoteKey key = NoteKey.generate("proofs.example");
    private final InMemoryAuditLog log = new InMemoryAuditLog(key);
    private final byte[] leaf = Proofs.leafHash("e3".getBytes(UTF_8));
    private final byte[] earlierRoot;
    private final byte[] root;

    ProofsTest() {
        for (int i = 0; i < EARLIER; i++) {
            log.append(("e" + i).getBytes(UTF_8));
        }
        earlierRoot = Checkpoint.open(log.checkpoint(), key.verifierKey()).root();
        for (int i = EARLIER; i < SIZE; i++) {
            log.append(("e" + i).getBytes(UTF_8));
        }
        root = Checkpoint.open(log.checkpoint(), key.verifierKey()).root();
    }

    private static List<byte[]> longer(List<byte[]> proof) {
        var more = new ArrayList<>(proof);
        more.add(new byte[32]);
        return more;
    }

    private static List<byte[]> withHashOf(List<byte[]> proof, int bytes) {
        var other = new ArrayList<>(proof);
        other.set(0, new byte[bytes]);
        return other;
    }

    @Test
    void provesInclusion_otherPlaceSizeOrShape_isNoProof() {
        List<byte[]> proof = log.inclusionProof(3, SIZE);
        assertTrue(Proofs.provesInclusion(leaf, 3, SIZE, root, proof));
        assertFalse(Proofs.provesInclusion(leaf, -1, SIZE, root, proof));
        assertFalse(Proofs.provesInclusion(leaf, SIZE, SIZE, root, proof));
        assertFalse(Proofs.provesInclusion(leaf, 2, SIZE, root, proof));
        assertFalse(Proofs.provesInclusion(leaf, 3, 0, root, proof));
        assertFalse(Proofs.provesInclusion(new byte[31], 3, SIZE, root, proof));
        assertFalse(Proofs.provesInclusion(leaf, 3, SIZE, new byte[0], proof));
        assertFalse(Proofs.provesInclusion(leaf, 3, SIZE, root, longer(proof)));
        assertFalse(Proofs.provesInclusion(leaf, 3, SIZE, root, proof.subList(0, proof.size() - 1)));
        assertFalse(Proofs.provesInclusion(leaf, 3, SIZE, root, withHashOf(proof, 33)));
        assertFalse(Proofs.provesInclusion(leaf, 3, SIZE, root, Collections.nCopies(129, new byte[32])));
    }

    @Test
    void provesConsistency_otherSizesOrShape_isNoProof() {
        List<byte[]> proof = log.consistencyProof(EARLIER, SIZE);
        assertTrue(Proofs.provesConsistency(EARLIER, SIZE, earlierRoot, root, proof));
        assertTrue(Proofs.provesConsistency(SIZE, SIZE, root, root, List.of()));
        assertFalse(Proofs.provesConsistency(SIZE, SIZE, earlierRoot, root, List.of()));
        assertFalse(Proofs.provesConsistency(SIZE, SIZE, root, root, proof));
        assertFalse(Proofs.provesConsistency(0, SIZE, earlierRoot, root, proof));
        assertFalse(Proofs.provesConsistency(SIZE, EARLIER, root, earlierRoot, proof));
        assertFalse(Proofs.provesConsistency(EARLIER, SIZE, earlierRoot, root, List.of()));
        assertFalse(Proofs.provesConsistency(EARLIER, SIZE, earlierRoot, root, longer(proof)));
        assertFalse(Proofs.provesConsistency(EARLIER, SIZE, earlierRoot, root, withHashOf(proof, 31)));
        assertFalse(Proofs.provesConsistency(EARLIER, SIZE, earlierRoot, root, Collections.nCopies(129, new byte[32])));
    }

    @Test
    void quorum_thatCannotBeMet_isRefused() {
        assertEquals(List.of(), Quorum.NONE.check(log.checkpoint()));
        assertThrows(IllegalArgumentException.class, () -> new Quorum(-1, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new Quorum(1, List.of()));
    }
}
