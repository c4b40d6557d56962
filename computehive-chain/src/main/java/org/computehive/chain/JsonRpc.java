package org.computehive.chain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import okhttp3.Call;
import okhttp3.EventListener;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSource;
import org.computehive.rental.EscrowException;
import org.jspecify.annotations.Nullable;

/**
 * JSON-RPC 2.0 over HTTP to one of several nodes of the same chain, with a time limit on every call.
 *
 * <p>A node that fails is left for the next one. A node is checked at each new connection to it, before the answer that
 * came over it is believed: another program may listen there now. Thread-safe.
 */
final class JsonRpc implements AutoCloseable {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final long LIMIT_BYTES = 32L << 20;

    private final JsonMapper json = JsonMapper.builder().build();
    private final OkHttpClient http;
    private final List<Node> nodes;
    private final Consumer<Caller> check;
    private final AtomicInteger preferred = new AtomicInteger();
    private final AtomicLong ids = new AtomicLong();

    /** Asks one node, without checking it. */
    interface Caller {
        JsonNode call(String method, Object... params);
    }

    /**
     * Prepares, but does not connect.
     *
     * @param urls at least one
     * @param timeout for a whole call, from name resolution to the last byte
     * @param check throws for a node that is not to be believed
     */
    JsonRpc(List<URI> urls, Duration timeout, Consumer<Caller> check) {
        if (urls.isEmpty()) {
            throw new IllegalArgumentException("no node is given: name at least one URL");
        }
        this.nodes = urls.stream().map(Node::new).toList();
        this.check = check;
        this.http = new OkHttpClient.Builder()
                .callTimeout(timeout)
                .connectTimeout(timeout)
                .readTimeout(timeout)
                .writeTimeout(timeout)
                .followRedirects(false)
                .eventListener(new Connections())
                .build();
        json.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(64)
                        .maxStringLength((int) LIMIT_BYTES)
                        .build());
    }

    /**
     * Calls a method.
     *
     * @return the result; a JSON null is a {@code NullNode}
     * @throws RpcError if the node answered with an error
     * @throws EscrowException.Unreachable if no node gave an answer
     */
    JsonNode call(String method, Object... params) {
        int first = preferred.get();
        EscrowException.@Nullable Unreachable last = null;
        for (int i = 0; i < nodes.size(); i++) {
            int index = (first + i) % nodes.size();
            Node node = nodes.get(index);
            try {
                JsonNode result = post(node, method, params);
                believe(node);
                preferred.set(index);
                return result;
            } catch (EscrowException.Unreachable e) {
                if (last != null) {
                    e.addSuppressed(last);
                }
                last = e;
            }
        }
        throw Objects.requireNonNull(last);
    }

    /** Checks a node unless it passed since the newest connection to it was made, by whichever thread. */
    private void believe(Node node) {
        long connection = node.connections().get();
        if (node.checked().get() != connection) {
            check.accept((method, params) -> post(node, method, params));
            node.checked().accumulateAndGet(connection, Math::max);
        }
    }

    /**
     * A node.
     *
     * @param connections how many connections to it were made
     * @param checked how many there were when it last passed the check
     */
    private record Node(URI url, AtomicLong connections, AtomicLong checked) {
        Node(URI url) {
            this(url, new AtomicLong(), new AtomicLong(-1));
        }
    }

    /** Counts connections to the node that a request is tagged with. */
    private static final class Connections extends EventListener {
        @Override
        public void connectEnd(Call call, InetSocketAddress address, Proxy proxy, @Nullable Protocol protocol) {
            Node node = call.request().tag(Node.class);
            if (node != null) {
                node.connections().incrementAndGet();
            }
        }
    }

    private JsonNode post(Node node, String method, Object... params) {
        URI url = node.url();
        JsonNode answer;
        long id = ids.incrementAndGet();
        try {
            byte[] body = json.writeValueAsBytes(json.createObjectNode()
                    .put("jsonrpc", "2.0")
                    .put("id", id)
                    .put("method", method)
                    .set("params", json.valueToTree(params)));
            var request = new Request.Builder()
                    .url(url.toString())
                    .tag(Node.class, node)
                    .post(RequestBody.create(body, JSON))
                    .build();
            try (Response response = http.newCall(request).execute()) {
                answer = parse(response);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            // Kotlin knows no checked exceptions: an interrupted call may throw InterruptedException undeclared.
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new EscrowException.Unreachable(
                    "the chain node at %s did not answer %s: %s; start it, or name another node"
                            .formatted(where(url), method, e.getMessage()),
                    e);
        }
        JsonNode error = answer.get("error");
        if (error != null && !error.isNull()) {
            throw new RpcError(
                    method,
                    error.path("code").asInt(),
                    shortened(error.path("message").asText()),
                    revertData(error.path("data")));
        }
        JsonNode result = answer.get("result");
        if (result == null || answer.path("id").asLong(-1) != id) {
            throw new EscrowException.Unreachable(
                    "the chain node at %s answered %s with something that is no JSON-RPC answer"
                            .formatted(where(url), method),
                    null);
        }
        return result;
    }

    private JsonNode parse(Response response) throws IOException {
        BufferedSource source = response.body().source();
        if (source.request(LIMIT_BYTES + 1)) {
            throw new IOException("its answer is over %d bytes".formatted(LIMIT_BYTES));
        }
        try {
            JsonNode answer = json.readTree(source.readByteArray());
            if (answer != null && answer.isObject()) {
                return answer;
            }
        } catch (JsonProcessingException e) {
            throw new IOException("HTTP status %d and no JSON".formatted(response.code()), e);
        }
        throw new IOException("HTTP status %d and no JSON object".formatted(response.code()));
    }

    private static @Nullable String revertData(JsonNode data) {
        JsonNode text = data.isObject() ? data.path("data") : data;
        return text.isTextual() && text.asText().matches("0x([0-9a-fA-F]{2})*") ? text.asText() : null;
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\p{Cntrl}", " ");
        return line.length() > 300 ? line.substring(0, 300) + "…" : line;
    }

    /** Leaves out what may hold a provider's key: user info, path and query. */
    private static String where(URI url) {
        return url.getScheme() + "://" + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort());
    }

    @Override
    public void close() {
        http.dispatcher().cancelAll();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }
}
