package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AnchoringTest {
    private final NoteKey key = NoteKey.generate("log.example");
    private final InMemoryAnchor anchors = new InMemoryAnchor();

    private InMemoryAuditLog log(int from, int to) {
        var log = new InMemoryAuditLog(key);
        append(log, from, to);
        return log;
    }

    private static void append(AuditLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(("entry " + i).getBytes(UTF_8));
        }
    }

    private Anchoring anchoring(AuditLog log) {
        return new Anchoring(log, key.verifierKey(), anchors);
    }

    @Test
    void anchor_ofALogThatGrows_recordsEachSizeOnce() {
        try (var log = log(0, 0)) {
            Anchoring anchoring = anchoring(log);
            assertEquals(Optional.empty(), anchoring.anchor());
            append(log, 0, 5);
            assertEquals(5, anchoring.anchor().orElseThrow().size());
            anchoring.anchor();
            append(log, 5, 300);
            anchoring.anchor();
            assertEquals(
                    List.of(5L, 300L),
                    anchors.anchors(Anchored.originHash("log.example")).stream()
                            .map(Anchored::size)
                            .toList());
            append(log, 300, 301);
            anchoring.check();
        }
    }

    @Test
    void check_ofALogThatWasRewrittenOrCut_namesTheAnchor() {
        try (var log = log(0, 8);
                var rewritten = log(1, 20);
                var cut = log(0, 7)) {
            anchoring(log).anchor();
            for (AuditLog other : List.of(rewritten, cut)) {
                Anchoring anchoring = anchoring(other);
                var refusal = assertThrows(IllegalStateException.class, anchoring::check);
                assertTrue(refusal.getMessage().contains("at 8 entries"), refusal.getMessage());
                assertThrows(IllegalStateException.class, anchoring::anchor);
            }
            assertEquals(1, anchors.anchors(Anchored.originHash("log.example")).size());
            anchoring(log).check();
        }
    }
}
