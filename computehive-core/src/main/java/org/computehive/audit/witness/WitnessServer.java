package org.computehive.audit.witness;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.computehive.audit.AuditLogException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small HTTP server for a {@link Witness}: {@code POST /add-checkpoint} (C2SP tlog-witness).
 *
 * <p>It speaks plain HTTP and has four threads: on the open network put it behind a proxy that speaks TLS and limits slow
 * clients. Thread-safe.
 */
public final class WitnessServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WitnessServer.class);
    private static final int THREADS = 4;
    private static final int MAX_BODY = 64 * 1024;
    private static final int BACKLOG = 64;

    private final HttpServer server;
    private final ExecutorService threads;
    private final Witness witness;

    private WitnessServer(HttpServer server, ExecutorService threads, Witness witness) {
        this.server = server;
        this.threads = threads;
        this.witness = witness;
    }

    /**
     * Starts listening.
     *
     * @param bind where; port 0 takes a free one
     * @throws IOException if it can't listen there
     */
    public static WitnessServer start(Witness witness, InetSocketAddress bind) throws IOException {
        HttpServer server = HttpServer.create(bind, BACKLOG);
        ExecutorService threads = Executors.newFixedThreadPool(
                THREADS,
                Thread.ofPlatform().daemon().name("computehive-witness-", 0).factory());
        var started = new WitnessServer(server, threads, witness);
        server.createContext("/add-checkpoint", started::handle);
        server.setExecutor(threads);
        server.start();
        return started;
    }

    /** Returns where it listens, with the true port. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Witness.Answer answer;
            if (!exchange.getRequestMethod().equals("POST")
                    || !exchange.getRequestURI().getPath().equals("/add-checkpoint")) {
                answer = new Witness.Answer(404, "there is POST /add-checkpoint alone\n");
            } else {
                byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
                answer = body.length > MAX_BODY
                        ? new Witness.Answer(400, "the request has more than %d bytes\n".formatted(MAX_BODY))
                        : answer(new String(body, UTF_8));
            }
            exchange.getResponseHeaders()
                    .set(
                            "Content-Type",
                            answer.status() == Witness.Answer.CONFLICT ? "text/x.tlog.size" : "text/plain");
            byte[] body = answer.body().getBytes(UTF_8);
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private Witness.Answer answer(String body) {
        try {
            return witness.addCheckpoint(body);
        } catch (AuditLogException e) {
            LOG.error("a checkpoint was not cosigned", e);
            return new Witness.Answer(500, "the witness can't remember what it cosigns\n");
        }
    }

    /** Stops listening. */
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
