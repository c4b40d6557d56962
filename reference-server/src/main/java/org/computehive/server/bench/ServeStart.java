package org.computehive.server.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.computehive.chain.AnvilNode;
import org.computehive.server.platform.FolderTree;

/**
 * The server from the start of its JVM to the first 200 of {@code GET /health}, on an empty data folder with a development
 * chain and a private libvirt: with the archive of classes that {@code ./computehive serve} leaves at its first run, and
 * without.
 */
final class ServeStart implements Benchmark {
    private static final int STARTS = 3;
    private static final long STOP_SECONDS = 60;
    /** What a start may take. */
    private static final double LIMIT_SECONDS = 5;

    private static final double TIME_GOAL = 0.8;
    private static final double CPU_GOAL = 0.75;

    @Override
    public String name() {
        return "serve";
    }

    @Override
    public String about() {
        return "the server's start with an archive of its classes, beside the same without and our limit";
    }

    /** One start: to the first answer, and what all its processes had used by then. */
    private record Start(double seconds, double cpu) {}

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        // Libvirt's own user passes through it.
        Path folder = Files.setPosixFilePermissions(
                Files.createTempDirectory("computehive-bench-"), PosixFilePermissions.fromString("rwx--x--x"));
        try {
            List<String> archive = List.of(
                    "-XX:SharedArchiveFile=" + folder.resolve("classes.jsa"),
                    "-XX:+AutoCreateSharedArchive",
                    "-Xlog:cds=off",
                    "-Xlog:cds+dynamic=off");
            progress.accept("the first run leaves the archive");
            start(folder, archive);
            var ours = new ArrayList<Start>();
            var peers = new ArrayList<Start>();
            Rounds.Medians times = Rounds.of(
                    0,
                    STARTS,
                    () -> started(folder, archive, ours, "with it", progress),
                    () -> started(folder, List.of(), peers, "without", progress));
            return List.of(
                    new Figure("serve/start-seconds", times.ours(), times.peer(), TIME_GOAL),
                    new Figure("serve/start-cpu-seconds", cpu(ours), cpu(peers), CPU_GOAL),
                    new Figure("serve/start-beside-limit-seconds", times.ours(), LIMIT_SECONDS, 1));
        } finally {
            FolderTree.delete(folder);
        }
    }

    private static double cpu(List<Start> starts) {
        return Rounds.median(starts.stream().mapToDouble(Start::cpu).toArray());
    }

    private static double started(
            Path folder, List<String> flags, List<Start> all, String how, Consumer<String> progress) throws Exception {
        Start start = start(folder, flags);
        progress.accept("%s: %.2f s, %.2f s of processor time".formatted(how, start.seconds(), start.cpu()));
        all.add(start);
        return start.seconds();
    }

    private static Start start(Path folder, List<String> flags) throws Exception {
        Path data = folder.resolve("data");
        var words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx1g",
                "--enable-native-access=ALL-UNNAMED"));
        words.addAll(flags);
        words.addAll(List.of(
                "-Dcomputehive.anvil=" + AnvilNode.find(Path.of("").toAbsolutePath()),
                "-cp",
                System.getProperty("java.class.path"),
                "org.computehive.server.Application",
                "--data=" + data,
                "--port=0",
                "--chain.port=0",
                "--gateway.port=0"));
        long begin = System.nanoTime();
        Process server = new ProcessBuilder(words).redirectErrorStream(true).start();
        try (BufferedReader out = server.inputReader(StandardCharsets.UTF_8)) {
            URI url = awaitReady(out);
            try (var http = HttpClient.newHttpClient()) {
                int status = http.send(
                                HttpRequest.newBuilder(url.resolve("/health")).build(), BodyHandlers.discarding())
                        .statusCode();
                if (status != 200) {
                    throw new IllegalStateException("the server answered %d to GET /health".formatted(status));
                }
            }
            return new Start((System.nanoTime() - begin) / 1e9, CpuTime.of(server.toHandle()));
        } finally {
            server.destroy();
            if (!server.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                server.destroyForcibly().waitFor();
            }
            FolderTree.delete(data);
        }
    }

    /** Returns where the API listens, once the server says that it is ready. */
    private static URI awaitReady(BufferedReader out) throws IOException {
        var said = new StringBuilder();
        String api = "";
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            said.append(line).append('\n');
            if (line.startsWith("API ")) {
                api = line.replaceAll("^API +(\\S+).*", "$1");
            } else if (line.startsWith("ready;")) {
                return URI.create(api);
            }
        }
        throw new IllegalStateException("the server did not start:\n" + said);
    }
}
