package org.computehive.server.crash;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Stands between the engine and its chain node: it can be cut, and names the points before a transaction reaches the node
 * and before the answer reaches the engine. Thread-safe.
 */
final class ChainRelay implements AutoCloseable {
    /** What the names of its points begin with. */
    static final String POINTS = "rpc.";

    private static final String SEND = "eth_sendRawTransaction";

    private final URI node;
    private final Consumer<String> points;
    private final HttpServer server;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient client = HttpClient.newBuilder().executor(workers).build();
    /** How many want it cut now. */
    private final AtomicInteger cuts = new AtomicInteger();

    private ChainRelay(URI node, Consumer<String> points) throws IOException {
        this.node = node;
        this.points = points;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(workers);
        server.createContext("/", this::pass);
        server.start();
    }

    /**
     * Starts one.
     *
     * @param node the chain node
     * @param points hears of each point and returns when the engine may go on
     */
    static ChainRelay start(URI node, Consumer<String> points) throws IOException {
        return new ChainRelay(node, points);
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Cuts it, until {@link #mend} was called as often. */
    void cut() {
        cuts.incrementAndGet();
    }

    void mend() {
        cuts.decrementAndGet();
    }

    private void pass(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] question = exchange.getRequestBody().readAllBytes();
            if (cuts.get() > 0) {
                return;
            }
            boolean sends = new String(question, StandardCharsets.UTF_8).contains(SEND);
            if (sends) {
                points.accept(POINTS + SEND + "/before");
            }
            HttpResponse<byte[]> answer = client.send(
                    HttpRequest.newBuilder(node)
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofByteArray(question))
                            .build(),
                    BodyHandlers.ofByteArray());
            if (sends) {
                points.accept(POINTS + SEND + "/after");
            }
            if (cuts.get() > 0) {
                return;
            }
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(answer.statusCode(), answer.body().length);
            exchange.getResponseBody().write(answer.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        server.stop(0);
        client.shutdownNow();
        workers.shutdownNow();
    }
}
