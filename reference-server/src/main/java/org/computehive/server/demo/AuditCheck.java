package org.computehive.server.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditVerify;
import org.computehive.audit.WitnessKey;
import org.computehive.server.platform.FolderTree;

/** Runs the stand-alone verifier in a process of its own, as an auditor would who has nothing but the files and the key. */
final class AuditCheck {
    private static final int SHOWN_LINES = 6;
    private static final int SHOWN_WIDTH = 110;

    private final Path log;
    private final String key;
    private final List<String> witnesses;
    private final List<String> anchor;

    /** What the verifier said. */
    record Verdict(boolean holds, List<String> said) {
        String lastLine() {
            return said.getLast();
        }

        boolean says(String text) {
            return said.stream().anyMatch(line -> line.contains(text));
        }

        /** The first lines of those that matter, each cut to what fits. */
        List<String> shown() {
            return said.stream()
                    .filter(line -> line.startsWith(holds ? "holds" : "FAILS"))
                    .limit(SHOWN_LINES)
                    .map(line -> line.length() > SHOWN_WIDTH ? line.substring(0, SHOWN_WIDTH - 1) + "…" : line)
                    .toList();
        }
    }

    /**
     * Creates one.
     *
     * @param log the log's folder
     * @param key its key
     * @param witnesses the keys of those of whom {@link Witnesses#NEEDED} must have cosigned
     * @param anchored what the chain holds of it
     */
    AuditCheck(Path log, String key, List<WitnessKey> witnesses, Anchored anchored) {
        this.log = log;
        this.key = key;
        this.witnesses = Stream.concat(
                        witnesses.stream().flatMap(witness -> Stream.of("--witness", witness.toString())),
                        Stream.of("--quorum", Integer.toString(Witnesses.NEEDED)))
                .toList();
        this.anchor = List.of(
                "--anchor", "%d:%s".formatted(anchored.size(), HexFormat.of().formatHex(anchored.root())));
    }

    /** Returns what an auditor gives the verifier beside the log and its key, a word to a line. */
    List<String> trust() {
        return Stream.concat(witnesses.stream(), anchor.stream()).toList();
    }

    Verdict verify() throws IOException, InterruptedException {
        return verify(log, trust());
    }

    /** As somebody would who asks neither witnesses nor the chain. */
    Verdict verifyByKeyAlone(Path other) throws IOException, InterruptedException {
        return verify(other, List.of());
    }

    /** As somebody would who asks the chain. */
    Verdict verifyAgainstAnchor(Path other) throws IOException, InterruptedException {
        return verify(other, anchor);
    }

    /** Verifies a copy in which one byte of an entry was changed. */
    Verdict verifyTampered() throws IOException, InterruptedException {
        Path copy = Files.createTempDirectory("computehive-tampered-");
        try {
            copyTo(copy);
            flipOneByte(copy);
            return verify(copy, trust());
        } finally {
            FolderTree.delete(copy);
        }
    }

    private void copyTo(Path copy) throws IOException {
        Files.walkFileTree(log, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                if (folder.getFileName().toString().equals("private")) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(copy.resolve(log.relativize(folder).toString()));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, copy.resolve(log.relativize(file).toString()));
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void flipOneByte(Path copy) throws IOException {
        Path entries;
        try (Stream<Path> files = Files.walk(copy.resolve("tile/entries"))) {
            entries = files.filter(Files::isRegularFile).sorted().findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(entries);
        bytes[bytes.length / 2] ^= 1;
        Files.write(entries, bytes);
    }

    private Verdict verify(Path folder, List<String> trust) throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var words = new ArrayList<>(List.of(
                java,
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                AuditVerify.class.getName(),
                folder.toString(),
                "--key",
                key));
        words.addAll(trust);
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        int exit = process.waitFor();
        List<String> said = output.lines().toList();
        String last = said.isEmpty() ? "" : said.getLast();
        // A verifier that could not run has caught nothing.
        if (!(exit == 0 && last.equals("VERIFIED")) && !(exit == 1 && last.equals("NOT VERIFIED"))) {
            throw new IOException("the verifier could not run (exit code %d): %s".formatted(exit, output));
        }
        return new Verdict(exit == 0, said);
    }
}
