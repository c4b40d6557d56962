package org.computehive.server.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.computehive.chain.AnvilNode;

/** The demo in a process of its own, with places of its own, so that what it leaves can be seen. */
final class DemoProcess implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofMinutes(4);
    private static final String END = "\u0000";

    private final Places places;
    private final Process process;
    private final BlockingQueue<String> unread = new LinkedBlockingQueue<>();
    private final List<String> output = new ArrayList<>();

    /**
     * Where a demo works.
     *
     * @param base holds the others
     * @param mark is in the environment of all that it starts
     */
    record Places(Path base, String mark, int gatewayPort, int chainPort) {
        static Places make() throws IOException {
            Path base = Files.createTempDirectory("computehive-demo-it-");
            // Libvirt's own user passes through it.
            Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwx--x--x"));
            Files.createDirectory(base.resolve("tmp"));
            return new Places(base, UUID.randomUUID().toString(), freePort(), freePort());
        }

        Path state() {
            return base.resolve("state");
        }

        Path artefacts() {
            return base.resolve("artefacts");
        }

        Path temporary() {
            return base.resolve("tmp");
        }

        /** Asserts that of a demo only its artefacts are left. */
        void assertNothingLeft() throws IOException {
            assertEquals(List.of(), processes(), "processes left running");
            assertEquals(List.of(), listed(temporary()), "files left in " + temporary());
            assertTrue(Files.notExists(state()), () -> "left in the state folder: " + walked(state()));
            assertEquals(List.of(), memory(), "folders left in memory");
            assertFree(gatewayPort);
            assertFree(chainPort);
        }

        /** What was started for this demo and still runs: by its environment, its arguments or its folder. */
        List<String> processes() {
            long own = ProcessHandle.current().pid();
            return ProcessHandle.allProcesses()
                    .filter(process -> process.pid() != own)
                    .map(process -> Path.of("/proc", Long.toString(process.pid())))
                    .filter(proc -> read(proc.resolve("environ")).contains(mark)
                            || Stream.of(base.toString(), runtimeName())
                                    .anyMatch(text -> (read(proc.resolve("cmdline")) + folderOf(proc)).contains(text)))
                    .map(proc -> proc.getFileName() + " "
                            + read(proc.resolve("cmdline")).replace('\0', ' '))
                    .toList();
        }

        private static String read(Path file) {
            try {
                return Files.readString(file, StandardCharsets.ISO_8859_1);
            } catch (IOException e) {
                return "";
            }
        }

        private static String folderOf(Path proc) {
            try {
                return Files.readSymbolicLink(proc.resolve("cwd")).toString();
            } catch (IOException e) {
                return "";
            }
        }

        private List<Path> memory() {
            return Stream.of("/run/computehive", "/run", "/dev/shm", "/tmp")
                    .map(place -> Path.of(place, runtimeName()))
                    .filter(Files::exists)
                    .toList();
        }

        private String runtimeName() {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256")
                        .digest(state().resolve("demo/vms").toString().getBytes(StandardCharsets.UTF_8));
                return "ch-" + HexFormat.of().formatHex(digest, 0, 5);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }

        private static int freePort() throws IOException {
            try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            }
        }

        private static void assertFree(int port) throws IOException {
            new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
        }
    }

    private DemoProcess(Places places, Process process) {
        this.places = places;
        this.process = process;
        Thread.ofVirtual().start(this::readOutput);
    }

    static DemoProcess start(Places places, String... options) throws IOException {
        return start(places, List.of(), Map.of(), options);
    }

    /**
     * Starts one.
     *
     * @param wrapper words before {@code java}
     * @param environment what is added to the environment
     */
    static DemoProcess start(Places places, List<String> wrapper, Map<String, String> environment, String... options)
            throws IOException {
        var words = new ArrayList<>(wrapper);
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"));
        words.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Dstdout.encoding=UTF-8"));
        words.add("-Djava.io.tmpdir=" + places.temporary());
        words.add("-Dcomputehive.anvil="
                + AnvilNode.find(Path.of("..").toAbsolutePath().normalize()));
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), Demo.class.getName()));
        words.addAll(List.of("--folder", places.artefacts().toString()));
        words.addAll(List.of("--state", places.state().toString()));
        if (!List.of(options).contains("--gateway-port")) {
            words.addAll(List.of("--gateway-port", Integer.toString(places.gatewayPort())));
        }
        if (!List.of(options).contains("--chain-port")) {
            words.addAll(List.of("--chain-port", Integer.toString(places.chainPort())));
        }
        words.addAll(List.of(options));
        var builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().put("COMPUTEHIVE_DEMO_IT", places.mark());
        builder.environment().putAll(environment);
        return new DemoProcess(places, builder.start());
    }

    private void readOutput() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                unread.add(line);
            }
            unread.add(END);
        } catch (IOException e) {
            unread.add("(output ended: " + e + ")");
            unread.add(END);
        }
    }

    /** Waits for a line of output that has a text in it. */
    void awaitLine(String text) throws InterruptedException {
        for (String line = next(); !line.equals(END); line = next()) {
            output.add(line);
            if (line.contains(text)) {
                return;
            }
        }
        fail("ended without the line '" + text + "':\n" + output());
    }

    private String next() throws InterruptedException {
        String line = unread.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
        if (line == null) {
            fail("no output for " + LIMIT + " after:\n" + output());
            return END;
        }
        return line;
    }

    /** Waits for its end; returns its exit code. */
    int awaitExit() throws InterruptedException {
        for (String line = next(); !line.equals(END); line = next()) {
            output.add(line);
        }
        return process.waitFor();
    }

    /** Sends a signal to it alone, not to what it started. */
    void signal(String name) throws IOException, InterruptedException {
        var kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertEquals(0, kill.waitFor());
    }

    /** What it has printed and was read. */
    String output() {
        return String.join("\n", output);
    }

    static List<Path> walked(Path folder) {
        if (Files.notExists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> listed(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** Ends it if it still runs, in order first, so that a failed test leaves nothing either. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Places places() {
        return places;
    }
}
