package org.computehive.server.bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** The peers: programs that a person would run by hand. */
final class Programs {
    private static final long LIMIT_SECONDS = 60;

    private Programs() {}

    /**
     * Returns a program of PATH or the system's own folders.
     *
     * @param debianPackage what to install if it is missing
     */
    static String find(String name, String debianPackage) {
        String path = System.getenv().getOrDefault("PATH", "") + ":/usr/bin:/usr/sbin:/bin:/sbin";
        return Stream.of(path.split(":"))
                .filter(folder -> folder.startsWith("/"))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "%s is not installed: run apt-get install %s".formatted(name, debianPackage)));
    }

    /** Runs a program to its end with its output thrown away, as a script would. */
    static void run(Path folder, List<String> command) throws IOException, InterruptedException {
        Path errors = Files.createTempFile(folder, "errors", ".txt");
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(errors.toFile())
                    .start();
            try {
                if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException("%s did not end in %d s".formatted(command.getFirst(), LIMIT_SECONDS));
                }
            } finally {
                process.destroyForcibly();
            }
            if (process.exitValue() != 0) {
                throw new IOException("%s ended with code %d: %s"
                        .formatted(
                                command.getFirst(),
                                process.exitValue(),
                                Files.readString(errors).strip()));
            }
        } finally {
            Files.deleteIfExists(errors);
        }
    }

    /**
     * Reads a program's output on a thread of its own, to its end, and says when a line holds a mark.
     *
     * @param reader the output
     * @param mark what to look for
     */
    static CompletableFuture<String> line(BufferedReader reader, String mark) {
        var found = new CompletableFuture<String>();
        Thread.ofPlatform().daemon().name("bench-reader").start(() -> {
            String last = "it printed nothing";
            try (reader) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    last = line;
                    if (line.contains(mark)) {
                        found.complete(line);
                    }
                }
            } catch (IOException e) {
                last = e.toString();
            }
            found.completeExceptionally(new IOException("no \"%s\"; the last line: %s".formatted(mark, last)));
        });
        return found;
    }

    /** Waits for a mark. */
    static void await(CompletableFuture<String> mark) throws IOException, InterruptedException {
        try {
            mark.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("a program did not get ready: " + e.getMessage(), e);
        }
    }

    /** Ends a program and what it started, and waits until it is gone. */
    static void kill(Process process) throws InterruptedException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
    }
}
