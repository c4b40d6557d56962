package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.computehive.chain.AnvilNode;

/** {@code serve} in a process of its own, so that it can be stopped, and killed. */
final class ServeProcess implements AutoCloseable {
    private static final long START_SECONDS = 120;
    private static final long STOP_SECONDS = 60;

    private final Process process;
    private final CompletableFuture<Map<String, String>> described = new CompletableFuture<>();
    private final StringBuffer said = new StringBuffer();
    private final Path data;

    private ServeProcess(Process process, Path data) {
        this.process = process;
        this.data = data;
        Thread.ofVirtual().start(this::read);
    }

    /**
     * Starts one, and returns once it is ready.
     *
     * @param temporary where it and its children put temporary files
     */
    static ServeProcess start(Path data, Path temporary, List<String> options) throws Exception {
        var words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + temporary,
                "-Dcomputehive.anvil="
                        + AnvilNode.find(Path.of("..").toAbsolutePath().normalize()),
                "-cp",
                System.getProperty("java.class.path"),
                Application.class.getName()));
        words.addAll(options);
        var server = new ServeProcess(
                new ProcessBuilder(words).redirectErrorStream(true).start(), data);
        try {
            server.described.get(START_SECONDS, TimeUnit.SECONDS);
            return server;
        } catch (ExecutionException | TimeoutException e) {
            server.close();
            throw new AssertionError("it did not get ready:\n" + server.said, e);
        }
    }

    private void read() {
        var lines = new HashMap<String, String>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                said.append(line).append('\n');
                if (line.startsWith("ready;")) {
                    described.complete(lines);
                } else if (!described.isDone() && line.length() > 13) {
                    lines.putIfAbsent(line.substring(0, 12).strip(), line.substring(13));
                }
            }
        } catch (IOException e) {
            said.append(e);
        }
        described.completeExceptionally(new IOException("its output ended"));
    }

    /** Returns a client of it. */
    ApiClient client() {
        Map<String, String> lines = described.join();
        return new ApiClient(address(lines, "API"), address(lines, "chain"), data.resolve("tokens"));
    }

    private static URI address(Map<String, String> lines, String name) {
        String line = lines.get(name);
        assertNotNull(line, name);
        return URI.create(line.split("[ ,]", 2)[0]);
    }

    /** Sends it SIGTERM and waits for its end. */
    void stop() throws Exception {
        process.destroy();
        assertTrue(process.waitFor(STOP_SECONDS, TimeUnit.SECONDS), said::toString);
    }

    /** Sends it, and nothing that it started, SIGKILL. */
    void kill() throws Exception {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws Exception {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            kill();
        }
    }
}
