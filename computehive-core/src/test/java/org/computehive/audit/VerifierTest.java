package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.computehive.audit.VerificationReport.Finding;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifierTest {
    private static final int SMALL = 260;
    private final NoteKey key = NoteKey.generate("verify.example");
    private final Verifier verifier = new Verifier(key.verifierKey());
    private String earlier = "";

    @TempDir
    private Path folder;

    private Path log;

    @BeforeEach
    void writeLog() {
        log = folder.resolve("log");
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            for (int i = 0; i < SMALL; i++) {
                opened.append(entry(i));
                if (i == 99) {
                    earlier = opened.checkpoint();
                }
                if (i == 258) {
                    opened.publish(); // as a slow machine does by itself: a partial tile that a wider one replaces
                    // stays
                }
            }
        }
    }

    private static byte[] entry(int i) {
        return ("e" + i).getBytes(UTF_8);
    }

    private static List<Path> published(Path log) throws IOException {
        try (Stream<Path> files = Files.walk(log)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.startsWith(log.resolve("private")))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void verify_ofASoundLog_holds() {
        VerificationReport report = verifier.verify(log, List.of(earlier), List.of(entry(0), entry(259)));
        assertEquals(List.of(), report.failures());
        assertTrue(report.holds());
        assertEquals(SMALL, report.checkpoint().orElseThrow().size());
        assertTrue(report.findings().contains(new Finding.Holds("the entry asked for is entry 259")));
        assertTrue(report.findings()
                .contains(new Finding.Holds("the first 100 entries are those of the earlier checkpoint")));
    }

    private void assertEveryChangeIsCaught(Path changedLog, int step) throws IOException {
        for (Path file : published(changedLog)) {
            byte[] whole = Files.readAllBytes(file);
            for (int at = 0; at < whole.length; at += step) {
                byte[] changed = whole.clone();
                changed[at] ^= (byte) (1 << at % 8);
                Files.write(file, changed);
                assertFalse(verifier.verify(changedLog).holds(), file + " byte " + at);
            }
            Files.write(file, whole);
        }
        assertTrue(verifier.verify(changedLog).holds());
    }

    @Test
    void verify_withAnyByteOfAnyPublishedFileChanged_fails() throws Exception {
        Path small = folder.resolve("small");
        try (FileAuditLog opened = FileAuditLog.open(small, key)) {
            for (int i = 0; i < 21; i++) {
                opened.append(entry(i));
            }
        }
        assertEveryChangeIsCaught(small, 1);
    }

    @Test
    void verify_withAByteOfAFullTileChanged_fails() throws Exception {
        assertEveryChangeIsCaught(log, 97);
    }

    /** A partial tile beside a wider one: the checkpoint needs the wider one alone. */
    private static boolean isReplaced(Path file) throws IOException {
        Path partials = file.getParent();
        if (!partials.getFileName().toString().endsWith(".p")) {
            return false;
        }
        int width = Integer.parseInt(file.getFileName().toString());
        try (Stream<Path> all = Files.list(partials)) {
            return all.anyMatch(other -> Integer.parseInt(other.getFileName().toString()) > width);
        }
    }

    @Test
    void verify_withAnyNeededFileMissingOrAnyCut_fails() throws Exception {
        for (Path file : published(log)) {
            byte[] whole = Files.readAllBytes(file);
            Files.delete(file);
            assertEquals(isReplaced(file), verifier.verify(log).holds(), file + " missing");
            for (int length : new int[] {0, 1, whole.length / 2, whole.length - 1, whole.length + 1}) {
                Files.write(file, Arrays.copyOf(whole, length));
                assertFalse(verifier.verify(log).holds(), file + " cut to " + length);
            }
            Files.write(file, whole);
        }
    }

    @Test
    void verify_withOneEntryChanged_namesFileAndEntry() throws Exception {
        Path bundle = log.resolve("tile/entries/000");
        byte[] bytes = Files.readAllBytes(bundle);
        bytes[2 + 1] = '7';
        Files.write(bundle, bytes);
        assertTrue(verifier.verify(log).failures().stream()
                .anyMatch(fails ->
                        fails.file().equals("tile/0/000") && fails.index().equals(OptionalLong.of(0))));
    }

    @Test
    void verify_ofARewrittenHistory_failsAgainstTheEarlierCheckpoint() {
        Path other = folder.resolve("other");
        try (FileAuditLog opened = FileAuditLog.open(other, key)) {
            for (int i = 0; i < SMALL; i++) {
                opened.append(entry(i == 50 ? 51 : i));
            }
        }
        assertTrue(verifier.verify(other).holds());
        VerificationReport report = verifier.verify(other, List.of(earlier), List.of(entry(50)));
        assertEquals(2, report.failures().size());
        assertTrue(report.failures().getFirst().why().contains("history was rewritten"));
    }

    @Test
    void verify_ofALogThatShrank_fails() {
        Path other = folder.resolve("other");
        FileAuditLog.open(other, key).close();
        assertTrue(verifier.verify(other).holds());
        assertFalse(verifier.verify(other, List.of(earlier), List.of()).holds());
    }

    @Test
    void verify_withAFileThatDoesNotBelong_fails() throws Exception {
        for (String name : List.of("tile/0/xyz", "tile/7/000.p/1", "tile/0/000.p/256", "tile/0/1", "tile/0/x000/000")) {
            Path file = log.resolve(name);
            Files.createDirectories(file.getParent());
            Files.write(file, new byte[32]);
            VerificationReport report = verifier.verify(log);
            boolean unjudged = report.findings().stream()
                    .anyMatch(finding ->
                            finding instanceof Finding.Unjudged it && it.file().equals(name));
            assertTrue(unjudged || !report.holds(), name);
            Files.delete(file);
        }
    }

    @Test
    void verify_ofALogThatIsBeingWritten_judgesWhatTheCheckpointCovers() throws Exception {
        byte[] checkpoint = Files.readAllBytes(log.resolve("checkpoint"));
        try (FileAuditLog opened = FileAuditLog.open(log, key)) {
            for (int i = 0; i < 300; i++) {
                opened.append(entry(i));
            }
        }
        Files.write(log.resolve("checkpoint"), checkpoint);
        VerificationReport report = verifier.verify(log);
        assertEquals(List.of(), report.failures());
        assertEquals(SMALL, report.checkpoint().orElseThrow().size());
        assertTrue(report.findings().stream().anyMatch(Finding.Unjudged.class::isInstance));
    }

    private int run(String... args) {
        return run(new ByteArrayOutputStream(), args);
    }

    private static int run(ByteArrayOutputStream out, String... args) {
        PrintStream printed = new PrintStream(out, true, UTF_8);
        return new AuditVerify(printed, printed).run(List.of(args));
    }

    @Test
    void commandLine_givesZeroOneOrTwo() throws Exception {
        Path kept = Files.writeString(folder.resolve("kept"), earlier);
        Path entry = Files.write(folder.resolve("entry"), entry(7));
        String dir = log.toString();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertEquals(
                0, run(out, dir, "--key", key.toString(), "--since", kept.toString(), "--entry", entry.toString()));
        assertTrue(out.toString(UTF_8).endsWith("VERIFIED\n"), out.toString(UTF_8));
        assertEquals(2, run());
        assertEquals(2, run(dir));
        assertEquals(2, run(dir, "--key"));
        assertEquals(2, run(dir, "--key", "nonsense"));
        assertEquals(2, run(folder.resolve("missing").toString(), "--key", key.toString()));
        assertEquals(2, run(dir, "--key", key.toString(), "--since", "/missing"));
        assertEquals(1, run(dir, "--key", NoteKey.generate("verify.example").toString()));
        Files.delete(log.resolve("checkpoint"));
        assertEquals(1, run(dir, "--key", key.toString()));
    }

    @Test
    void commandLine_withAnAnchor_holdsTheLogAgainstIt() throws Exception {
        Anchored anchored = Anchored.of(Checkpoint.open(earlier, key.verifierKey()));
        String root = HexFormat.of().formatHex(anchored.root());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertEquals(0, run(out, log.toString(), "--key", key.toString(), "--anchor", "100:0x" + root));
        assertTrue(out.toString(UTF_8).contains("the first 100 entries are those that were anchored"));
        assertEquals(1, run(log.toString(), "--key", key.toString(), "--anchor", "101:" + root));
        assertEquals(1, run(log.toString(), "--key", key.toString(), "--anchor", "1000:" + root));
        for (String malformed : List.of("100", "0:" + root, "100:" + root.substring(1), "-1:" + root)) {
            assertEquals(2, run(log.toString(), "--key", key.toString(), "--anchor", malformed), malformed);
        }
    }

    @Test
    void commandLine_withAFileOfAnchors_findsAHistoryThatWasRewrittenAndSignedAnew() throws Exception {
        String right = HexFormat.of()
                .formatHex(Checkpoint.open(earlier, key.verifierKey()).root());
        String wrong = (right.startsWith("0") ? "1" : "0") + right.substring(1);
        Path anchors = Files.writeString(folder.resolve("anchors"), "100:" + right + "\n");
        String dir = log.toString();
        assertEquals(0, run(dir, "--key", key.toString(), "--anchors", anchors.toString()));
        Files.writeString(anchors, "100:%s\n100:%s\n".formatted(right, wrong));
        var out = new ByteArrayOutputStream();
        assertEquals(1, run(out, dir, "--key", key.toString(), "--anchors", anchors.toString()));
        assertTrue(out.toString(UTF_8).contains("history was rewritten"), out.toString(UTF_8));
        assertTrue(out.toString(UTF_8).endsWith("NOT VERIFIED\n"), out.toString(UTF_8));
        for (String useless : List.of("", "\n", "not an anchor\n")) {
            Files.writeString(anchors, useless);
            assertEquals(2, run(dir, "--key", key.toString(), "--anchors", anchors.toString()), useless);
        }
    }
}
