package org.computehive.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What every {@link Anchor} does; extend it for another. */
public abstract class AnchorContract {
    /** Returns an anchor that remembers nothing of the logs that these tests make up. */
    protected abstract Anchor anchor();

    private static Anchored anchored(String origin, long size, int root) {
        byte[] hash = new byte[32];
        hash[0] = (byte) root;
        return new Anchored(Anchored.originHash(origin), size, hash);
    }

    @Test
    void anchor_growingSizes_areAllShownInOrder() {
        Anchor anchor = anchor();
        anchor.anchor(anchored("contract.example/a", 3, 1));
        anchor.anchor(anchored("contract.example/other", 9, 9));
        anchor.anchor(anchored("contract.example/a", 8, 2));
        assertEquals(
                List.of(anchored("contract.example/a", 3, 1), anchored("contract.example/a", 8, 2)),
                anchor.anchors(Anchored.originHash("contract.example/a")));
    }

    @Test
    void anchor_theSameAgain_changesNothing() {
        Anchor anchor = anchor();
        anchor.anchor(anchored("contract.example/b", 3, 1));
        anchor.anchor(anchored("contract.example/b", 3, 1));
        assertEquals(
                1, anchor.anchors(Anchored.originHash("contract.example/b")).size());
    }

    @Test
    void anchor_smallerOrOtherOfTheSameSize_isRefused() {
        Anchor anchor = anchor();
        anchor.anchor(anchored("contract.example/c", 3, 1));
        assertThrows(IllegalArgumentException.class, () -> anchor.anchor(anchored("contract.example/c", 3, 2)));
        assertThrows(IllegalArgumentException.class, () -> anchor.anchor(anchored("contract.example/c", 2, 1)));
        assertEquals(
                1, anchor.anchors(Anchored.originHash("contract.example/c")).size());
    }
}
