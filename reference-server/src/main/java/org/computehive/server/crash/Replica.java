package org.computehive.server.crash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * An engine with an audit log of its own, one life after the other, each a process. Started and killed by one thread;
 * otherwise thread-safe.
 */
final class Replica implements AutoCloseable {
    private static final int SHOWN_LOG = 12;

    private final String name;
    private final Stage stage;
    private final Evidence evidence;
    private final boolean keepsLogs;
    private final Path settings;
    private volatile Optional<EngineProcess> life = Optional.empty();
    private volatile boolean ready;
    private CompletableFuture<EngineProcess> starting =
            CompletableFuture.failedFuture(new IOException("never started"));
    private int lives;
    private boolean closed;

    /**
     * Creates one that does not live yet.
     *
     * @param name the name of its audit log
     * @param keepsLogs whether what its lives printed is kept
     */
    Replica(String name, Stage stage, Evidence evidence, boolean keepsLogs) throws IOException {
        this.name = name;
        this.stage = stage;
        this.evidence = evidence;
        this.keepsLogs = keepsLogs;
        this.settings = stage.folder.resolve("engine-%s.properties".formatted(name));
        stage.settings.of(name).write(settings);
    }

    /** Starts the next life, and goes on at once. */
    void begin() {
        lives++;
        starting = CompletableFuture.supplyAsync(this::start);
    }

    private EngineProcess start() {
        Instant asked = Instant.now();
        try {
            stage.calm.starting();
            try {
                EngineProcess next = launch();
                if (!next.awaitReady()) {
                    throw new IllegalStateException("engine %s did not start: %s".formatted(name, tail(next)));
                }
                evidence.started(Duration.between(asked, Instant.now()).toMillis());
                ready = true;
                return next;
            } finally {
                stage.calm.started();
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("engine %s did not start".formatted(name), e);
        }
    }

    private synchronized EngineProcess launch() throws IOException {
        if (closed) {
            throw new IOException("the test is over");
        }
        EngineProcess next = EngineProcess.start(
                EngineProcess.command(
                        stage.folder.resolve("classes.jsa"),
                        List.of(settings.toString(), stage.lender.account().address())),
                stage.folder,
                "%s-%d".formatted(name, lives),
                new EngineProcess.Listener(evidence::crossed, evidence::violation));
        life = Optional.of(next);
        return next;
    }

    /** Returns the life that was started last, once it carries rentals out. */
    EngineProcess await() throws IOException, InterruptedException {
        try {
            return starting.get();
        } catch (ExecutionException e) {
            throw new IOException(Optional.ofNullable(e.getCause()).orElse(e).getMessage(), e);
        }
    }

    /** Returns the engine if it can be asked now. */
    Optional<EngineProcess> engine() {
        return ready ? life : Optional.empty();
    }

    int lives() {
        return lives;
    }

    /** Lets it live for a while. */
    void stay(long millis) throws IOException, InterruptedException {
        EngineProcess now = await();
        if (now.endsWithin(Duration.ofMillis(millis))) {
            throw new IOException("engine %s ended by itself: %s".formatted(name, tail(now)));
        }
    }

    /** Kills it. */
    void kill(String where) throws IOException, InterruptedException {
        EngineProcess now = await();
        ready = false;
        evidence.killed(where);
        now.kill();
        if (evidence.violations().isEmpty() && !keepsLogs) {
            Files.deleteIfExists(now.log());
        }
    }

    /** Ends it in order. */
    void stop() throws IOException, InterruptedException {
        EngineProcess now = await();
        ready = false;
        now.stop();
    }

    private static String tail(EngineProcess process) throws IOException {
        List<String> lines = Files.readAllLines(process.log());
        return String.join("\n", lines.subList(Math.max(0, lines.size() - SHOWN_LOG), lines.size()));
    }

    /** Ends whatever lives; no other life begins. */
    @Override
    public synchronized void close() {
        closed = true;
        ready = false;
        life.filter(EngineProcess::alive).ifPresent(EngineProcess::discard);
    }
}
