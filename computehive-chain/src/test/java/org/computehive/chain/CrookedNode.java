package org.computehive.chain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A node that hands on what it is asked to a real one, and lies, refuses or falls silent as a test wants it. */
final class CrookedNode implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient http = HttpClient.newHttpClient();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Map<String, AtomicInteger> calls = new ConcurrentHashMap<>();
    private volatile Crook crook = (call, honest) -> honest.ask(call);
    private volatile URI target;

    /** How the node answers a call. */
    interface Crook {
        /**
         * Answers.
         *
         * @param call a JSON-RPC request
         * @param honest asks the real node
         * @return the whole JSON-RPC answer; null to never answer
         */
        JsonNode answer(JsonNode call, Honest honest) throws Exception;
    }

    interface Honest {
        JsonNode ask(JsonNode call) throws Exception;
    }

    CrookedNode(URI target) {
        this.target = target;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Behaves so from now on. */
    void be(Crook next) {
        crook = next;
    }

    void beHonest() {
        be((call, honest) -> honest.ask(call));
    }

    /** Returns how often a method was called. */
    int calls(String method) {
        return calls.computeIfAbsent(method, name -> new AtomicInteger()).get();
    }

    /** Changes the results of one method. */
    static Crook changing(String method, UnaryOperator<JsonNode> change) {
        return (call, honest) -> {
            JsonNode answer = honest.ask(call);
            if (is(call, method) && answer.has("result")) {
                ((ObjectNode) answer).set("result", change.apply(answer.get("result")));
            }
            return answer;
        };
    }

    static boolean is(JsonNode call, String method) {
        return call.path("method").asText().equals(method);
    }

    static JsonNode error(JsonNode call, int code, String message) {
        ObjectNode answer = JSON.createObjectNode().put("jsonrpc", "2.0");
        answer.set("id", call.get("id"));
        answer.putObject("error").put("code", code).put("message", message);
        return answer;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            JsonNode call = JSON.readTree(exchange.getRequestBody().readAllBytes());
            calls.computeIfAbsent(call.path("method").asText(), name -> new AtomicInteger())
                    .incrementAndGet();
            JsonNode answer = crook.answer(call, this::ask);
            if (answer == null) {
                closed.await();
                return;
            }
            byte[] body = JSON.writeValueAsBytes(answer);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private JsonNode ask(JsonNode call) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(target)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(call)))
                .build();
        return JSON.readTree(
                http.send(request, HttpResponse.BodyHandlers.ofByteArray()).body());
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
        http.shutdownNow();
    }
}
