package org.computehive.audit.witness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditLog;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.Checkpoint;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.InMemoryAnchor;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.ProofFile;
import org.computehive.audit.Quorum;
import org.computehive.audit.VerificationReport;
import org.computehive.audit.Verifier;
import org.computehive.audit.WitnessKey;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WitnessTest {
    private static final Instant NOW = Instant.parse("2030-01-01T12:00:00Z");

    private final NoteKey logKey = NoteKey.generate("log.example");
    private final List<AutoCloseable> open = new ArrayList<>();

    @TempDir
    private Path folder;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private Witness witness(String name) throws Exception {
        Path own = Files.createDirectories(folder.resolve(name));
        NoteKey key = NoteKey.loadOrGenerate(folder.resolve(name + ".key"), name + ".example");
        return new Witness(key, List.of(logKey.verifierKey()), own, InstantSource.fixed(NOW));
    }

    private WitnessClient client(Witness witness) throws Exception {
        var server = WitnessServer.start(witness, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        open.add(server);
        return new WitnessClient(
                witness.witnessKey(),
                URI.create("http://127.0.0.1:" + server.address().getPort()),
                Duration.ofSeconds(10));
    }

    private static void append(AuditLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(("entry " + i).getBytes(UTF_8));
        }
    }

    private String request(AuditLog log, long old) {
        var body = new StringBuilder("old " + old + "\n");
        if (old > 0 && old < log.size()) {
            log.consistencyProof(old, log.size())
                    .forEach(hash -> body.append(Base64.getEncoder().encodeToString(hash))
                            .append('\n'));
        }
        return body + "\n" + log.checkpoint();
    }

    @Test
    void addCheckpoint_thatContinuesTheLast_isCosignedWithTheTime() throws Exception {
        Witness witness = witness("w1");
        try (var log = new InMemoryAuditLog(logKey)) {
            append(log, 0, 5);
            assertEquals(200, witness.addCheckpoint(request(log, 0)).status());
            append(log, 5, 13);
            Witness.Answer answer = witness.addCheckpoint(request(log, 5));
            assertEquals(200, answer.status());
            assertEquals(
                    NOW,
                    witness.witnessKey()
                            .cosigned(log.checkpoint() + answer.body())
                            .orElseThrow());
            assertEquals(200, witness.addCheckpoint(request(log, 13)).status()); // again
        }
    }

    @Test
    void addCheckpoint_thatDoesNot_isRefusedAsTheSpecificationSays() throws Exception {
        Witness witness = witness("w1");
        try (var log = new InMemoryAuditLog(logKey);
                var rewritten = new InMemoryAuditLog(logKey);
                var other = new InMemoryAuditLog(NoteKey.generate("other.example"));
                var forged = new InMemoryAuditLog(NoteKey.generate("log.example"))) {
            append(log, 0, 8);
            append(rewritten, 1, 9);
            append(other, 0, 1);
            append(forged, 0, 1);
            assertEquals(400, witness.addCheckpoint("").status());
            assertEquals(404, witness.addCheckpoint(request(other, 0)).status());
            assertEquals(403, witness.addCheckpoint(request(forged, 0)).status());
            assertEquals(400, witness.addCheckpoint(request(log, 9)).status());
            assertEquals(new Witness.Answer(409, "0\n"), witness.addCheckpoint(request(log, 4)));
            assertEquals(200, witness.addCheckpoint(request(log, 0)).status());
            assertEquals(new Witness.Answer(409, "8\n"), witness.addCheckpoint(request(log, 0)));
            assertEquals(409, witness.addCheckpoint(request(rewritten, 8)).status());
            append(rewritten, 9, 12);
            assertEquals(422, witness.addCheckpoint(request(rewritten, 8)).status());
            append(log, 8, 12);
            assertEquals(200, witness("w1").addCheckpoint(request(log, 8)).status()); // after a restart
        }
    }

    @Test
    void cosign_byTwoOfThree_isVerified_andARewrittenHistoryIsNot() throws Exception {
        Path at = folder.resolve("log");
        var down = new WitnessClient(
                new WitnessKey("down.example", NoteKey.generate("down.example").publicKey()),
                URI.create("http://127.0.0.1:1"),
                Duration.ofSeconds(1));
        var clients = List.of(client(witness("w1")), client(witness("w2")), down);
        Quorum quorum;
        byte[] entry = "entry 3".getBytes(UTF_8);
        var anchor = new InMemoryAnchor();
        try (var log = FileAuditLog.open(at, logKey)) {
            append(log, 0, 5);
            var cosigning = new Cosigning(log, logKey.verifierKey(), clients, 2);
            quorum = cosigning.quorum();
            cosigning.cosign();
            append(log, 5, 300);
            String cosigned = cosigning.cosign();
            log.publishCosigned(cosigned);
            anchor.anchor(Anchored.of(Checkpoint.open(cosigned, logKey.verifierKey())));
            String proof = ProofFile.of(log, 3, cosigned).text();
            assertEquals(
                    300,
                    new Verifier(logKey.verifierKey())
                            .verifyProof(proof, entry, quorum)
                            .size());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Verifier(logKey.verifierKey()).verifyProof(proof, "x".getBytes(UTF_8), quorum));
            append(log, 300, 310);
            assertThrows(AuditLogException.class, () -> new Cosigning(log, logKey.verifierKey(), clients, 3).cosign());
        }
        List<Anchored> anchors = anchor.anchors(Anchored.originHash("log.example"));
        assertTrue(
                verify(at, anchors, quorum).holds(), verify(at, anchors, quorum).toString());

        // The operator begins anew with one entry changed, under the same key.
        Path forged = folder.resolve("forged");
        try (var log = FileAuditLog.open(forged, logKey)) {
            append(log, 0, 3);
            log.append("another".getBytes(UTF_8));
            append(log, 4, 320);
            var message = assertThrows(
                            AuditLogException.class,
                            () -> new Cosigning(log, logKey.verifierKey(), clients, 2).cosign())
                    .getMessage();
            assertTrue(message.contains("0 of 2 needed witnesses"), message);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> log.publishCosigned(Files.readString(at.resolve("checkpoint.cosigned"))));
        }
        Files.copy(at.resolve("checkpoint.cosigned"), forged.resolve("checkpoint.cosigned"));
        VerificationReport report = verify(forged, anchors, quorum);
        assertFalse(report.holds());
        assertEquals(2, report.failures().size(), report.toString()); // the anchor and the cosigned checkpoint
        assertTrue(new Verifier(logKey.verifierKey()).verify(forged).holds()); // by itself it looks good
    }

    private VerificationReport verify(Path log, List<Anchored> anchors, Quorum quorum) {
        return new Verifier(logKey.verifierKey()).verify(log, List.of(), List.of(), anchors, quorum);
    }

    @Test
    void witnessKey_text_isReadBack_andOneOfALogIsRefused() {
        var key = new WitnessKey("w.example", logKey.publicKey());
        assertEquals(key, WitnessKey.parse(key.toString()));
        assertThrows(IllegalArgumentException.class, () -> WitnessKey.parse(logKey.toString()));
    }
}
