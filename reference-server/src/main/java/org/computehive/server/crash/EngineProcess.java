package org.computehive.server.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** One life of an engine: a process that is asked by lines and killed. Thread-safe. */
final class EngineProcess {
    private static final int SIGKILLED = 128 + 9;
    private static final int AOT_CACHE_SINCE = 25;
    private static final Duration READY_LIMIT = Duration.ofMinutes(3);
    private static final Duration STOP_LIMIT = Duration.ofMinutes(4);

    private final Process process;
    private final Writer in;
    private final Path log;
    private final AtomicLong numbers = new AtomicLong();
    private final Map<Long, CompletableFuture<Reply>> open = new ConcurrentHashMap<>();
    private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
    private final CompletableFuture<String> point = new CompletableFuture<>();
    private final Thread reader;
    private volatile int port;

    /** What came of a command. */
    sealed interface Reply {
        /** It was acknowledged. */
        record Acknowledged(List<String> words) implements Reply {}

        /** It was refused or failed; nothing was promised. */
        record Denied(String why) implements Reply {}

        /** The engine was killed before it answered. */
        record Lost() implements Reply {}
    }

    /**
     * What a life tells of.
     *
     * @param crossed hears the name of each point that was crossed
     * @param violation hears of each violation that the engine's own boundaries saw
     */
    record Listener(Consumer<String> crossed, Consumer<String> violation) {}

    private EngineProcess(Process process, Path log, Listener listener) {
        this.process = process;
        this.log = log;
        this.in = process.outputWriter(StandardCharsets.US_ASCII);
        this.reader = Thread.ofPlatform().daemon().name("engine-lines").start(() -> read(listener));
    }

    static EngineProcess start(List<String> command, Path folder, String name, Listener listener) throws IOException {
        Path log = folder.resolve("engine-%s.log".formatted(name));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectError(log.toFile())
                .start();
        return new EngineProcess(process, log, listener);
    }

    private void read(Listener listener) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int blank = line.indexOf(' ');
                String word = blank < 0 ? line : line.substring(0, blank);
                String rest = blank < 0 ? "" : line.substring(blank + 1);
                switch (word) {
                    case "crossed" -> listener.crossed().accept(rest);
                    case "violation" -> listener.violation().accept(rest);
                    case "point" -> point.complete(rest);
                    case "ready" -> {
                        port = Integer.parseInt(rest);
                        ready.complete(true);
                    }
                    case "ok" -> answer(rest, words -> new Reply.Acknowledged(words));
                    case "refused", "failed" -> answer(rest, words -> new Reply.Denied(String.join(" ", words)));
                    default -> {}
                }
            }
        } catch (IOException e) {
            // The pipe of a killed process ends so.
            ready.complete(false);
        } finally {
            ready.complete(false);
            open.values().forEach(waiting -> waiting.complete(new Reply.Lost()));
        }
    }

    private interface Make {
        Reply of(List<String> words);
    }

    private void answer(String rest, Make make) {
        List<String> words = List.of(rest.split(" "));
        CompletableFuture<Reply> waiting = open.remove(Long.parseLong(words.getFirst()));
        if (waiting != null) {
            waiting.complete(make.of(words.subList(1, words.size())));
        }
    }

    /** Waits until it carries rentals out; false if it ended before. */
    boolean awaitReady() throws InterruptedException {
        try {
            return ready.get(READY_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return false;
        }
    }

    /** Returns the loopback port of its gateway, once it is ready. */
    int port() {
        return port;
    }

    /** Sends a command. */
    CompletableFuture<Reply> send(String command) {
        long number = numbers.incrementAndGet();
        var reply = new CompletableFuture<Reply>();
        open.put(number, reply);
        try {
            synchronized (in) {
                in.write(number + " " + command + "\n");
                in.flush();
            }
        } catch (IOException e) {
            reply.complete(new Reply.Lost());
        }
        if (!reader.isAlive()) {
            reply.complete(new Reply.Lost());
        }
        return reply;
    }

    /** From now on it stops at any of these points. */
    void arm(Set<String> points) {
        send("arm " + String.join(" ", points));
    }

    /** Completes with the armed point at which it stands. */
    CompletableFuture<String> point() {
        return point.copy();
    }

    /** Says that it stands at a point that is seen from outside. */
    void standsAt(String name) {
        point.complete(name);
    }

    /** Waits for its end; true if it ended by itself. */
    boolean endsWithin(Duration time) throws InterruptedException {
        return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * Kills it with SIGKILL. What it wrote before is read to the end.
     *
     * @throws IllegalStateException if it ended in another way
     */
    void kill() throws InterruptedException {
        // By the handle: Process would close the stream, and what was written before is to be read.
        process.toHandle().destroyForcibly();
        int exit = process.waitFor();
        reader.join();
        if (exit != SIGKILLED) {
            throw new IllegalStateException("the engine ended by itself with %d; its log is %s".formatted(exit, log));
        }
    }

    /** Ends it in order. */
    void stop() throws InterruptedException {
        send("stop");
        if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new IllegalStateException(
                    "the engine did not stop within %s; its log is %s".formatted(STOP_LIMIT, log));
        }
        reader.join();
    }

    /** Ends it, whatever it does, when nobody needs it any more. */
    void discard() {
        process.toHandle().destroyForcibly();
        awaitEnd();
    }

    /** Waits until it has ended. */
    void awaitEnd() {
        process.onExit().join();
    }

    boolean alive() {
        return process.isAlive();
    }

    Path log() {
        return log;
    }

    /** Returns the words before the settings' file that start a life. */
    static List<String> command(Path archive, List<String> arguments) {
        var words = new ArrayList<String>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of(
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                EngineMain.class.getName()));
        words.addAll(1, classCache(archive));
        words.addAll(arguments);
        return words;
    }

    /** The first life that ends in order leaves its loaded classes for the later ones, by the means that its JDK has. */
    private static List<String> classCache(Path archive) {
        if (Runtime.version().feature() < AOT_CACHE_SINCE) {
            return List.of("-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=" + archive);
        }
        return Files.exists(archive) ? List.of("-XX:AOTCache=" + archive) : List.of("-XX:AOTCacheOutput=" + archive);
    }
}
