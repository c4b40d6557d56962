package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Go's own sumdb packages accept the log. Not among the default tests, since Go is large: {@code ./mvnw -pl computehive-core
 * verify -Pgo -Dit.test=SumdbGoIT} with the Debian packages golang-go and golang-golang-x-mod-dev.
 */
class SumdbGoIT {
    @TempDir
    private Path folder;

    private record Result(int exit, String out) {}

    private Result go(String... arguments) throws Exception {
        Path sources = Path.of("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog");
        if (!Files.exists(sources) || !Files.isExecutable(Path.of("/usr/bin/go"))) {
            throw new AssertionError(
                    "Go or its module package is not installed: run apt-get install golang-go golang-golang-x-mod-dev");
        }
        var command = new ArrayList<>(List.of("/usr/bin/go"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("GO111MODULE", "off");
        builder.environment().put("GOPATH", "/usr/share/gocode");
        builder.environment().put("GOCACHE", folder.resolve("cache").toString());
        builder.environment().put("GOFLAGS", "");
        Process process = builder.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Result(process.waitFor(), out);
    }

    private static void append(AuditLog log, int from, int to) {
        List<byte[]> entries = new ArrayList<>();
        for (int i = from; i < to; i++) {
            entries.add(("entry " + i).getBytes(UTF_8));
        }
        log.append(entries);
    }

    @Test
    void log_isAcceptedByGosPackages_andATamperedOneIsNot() throws Exception {
        NoteKey key = NoteKey.generate("go.example/audit");
        Path log = folder.resolve("log");
        Path earlier = folder.resolve("earlier");
        try (var opened = FileAuditLog.open(log, key)) {
            append(opened, 0, 257);
            Files.writeString(earlier, opened.checkpoint());
            append(opened, 257, 70_000); // so many that a tile of the third level is partial
        }
        String program = folder.resolve("verify").toString();
        Result built = go(
                "build",
                "-o",
                program,
                Path.of("src/test/go/verify.go").toAbsolutePath().toString());
        assertEquals(0, built.exit(), built.out());
        String[] command = {program, log.toString(), key.verifierKey().toString(), earlier.toString()};
        Process good = new ProcessBuilder(command).start();
        assertEquals("VERIFIED 70000\n", new String(good.getInputStream().readAllBytes(), UTF_8));

        Path tile = log.resolve("tile/entries/100");
        byte[] bytes = Files.readAllBytes(tile);
        bytes[500] ^= 1;
        Files.write(tile, bytes);
        Process tampered = new ProcessBuilder(command).start();
        String said = new String(tampered.getInputStream().readAllBytes(), UTF_8);
        assertTrue(said.startsWith("FAILS"), said);
    }
}
