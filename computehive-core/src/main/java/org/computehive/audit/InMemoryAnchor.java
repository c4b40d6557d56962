package org.computehive.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Anchors that last as long as their process: for tests and trials. Thread-safe. */
public final class InMemoryAnchor implements Anchor {
    private final List<Anchored> recorded = new ArrayList<>();

    /** Creates one that remembers nothing yet. */
    public InMemoryAnchor() {}

    @Override
    public synchronized void anchor(Anchored anchored) {
        List<Anchored> before = anchors(anchored.originHash());
        if (before.isEmpty() || anchored.size() > before.getLast().size()) {
            recorded.add(anchored);
        } else if (!anchored.equals(before.getLast())) {
            throw new IllegalArgumentException(
                    "%s can't be anchored after %s: sizes only grow; the log was rewritten or cut, keep it as it is and look into it"
                            .formatted(anchored, before.getLast()));
        }
    }

    @Override
    public synchronized List<Anchored> anchors(byte[] originHash) {
        return recorded.stream()
                .filter(known -> Arrays.equals(known.originHash(), originHash))
                .toList();
    }
}
