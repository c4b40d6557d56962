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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * JSON-RPC 2.0 over HTTP to one of several nodes of the same chain, with a time limit on every call.
 *
 * <p>A node that fails is left for the next one; readings that must fit together come from one node. A node is checked at each new connection to it, before the answer that
 * came over it is believed: another program may listen there now. Thread-safe.
 */
final class JsonRpc implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JsonRpc.class);
    private static final MediaType JSON = MediaType.get("application/json");
    private static final Duration SILENCE = Duration.ofSeconds(30);
    private static final long LIMIT_BYTES = 32L << 20;

    private final JsonMapper json = JsonMapper.builder().build();
    private final OkHttpClient http;
    private final List<Node> nodes;
    private final Consumer<Caller> check;
    private final AtomicInteger preferred = new AtomicInteger();
    private final ThreadLocal<@Nullable Node> pinned = new ThreadLocal<>();
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
     * Calls a method: within {@link #onOneNode} of that node, else of the first that answers.
     *
     * @return the result; a JSON null is a {@code NullNode}
     * @throws RpcError if the node answered with an error
     * @throws EscrowException.Unreachable if no node gave an answer
     * @throws EscrowException.Refused if none gave an answer to be believed, by the check
     */
    JsonNode call(String method, Object... params) {
        return onOneNode(() -> {
            Node node = Objects.requireNonNull(pinned.get());
            JsonNode result = post(node, method, params);
            believe(node);
            return result;
        });
    }

    /**
     * Reads several things of one and the same node, so that they fit together; where it falls silent, contradicts itself
     * or is in trouble, everything is read anew of the next one.
     *
     * @param reading throws {@link EscrowException.Unreachable} for what another node may know better
     */
    <T> T onOneNode(Supplier<T> reading) {
        if (pinned.get() != null) {
            return reading.get();
        }
        int first = preferred.get();
        @Nullable RuntimeException failure = null;
        for (int i = 0; i < nodes.size(); i++) {
            int index = (first + i) % nodes.size();
            try {
                T result = on(nodes.get(index), reading);
                preferred.compareAndSet(first, index);
                return result;
            } catch (Disbelieved e) {
                failure = worse(failure, e.reason());
            } catch (EscrowException.Unreachable e) {
                failure = worse(failure, e);
            } catch (RpcError e) {
                if (!e.saysTheNodeIsInTrouble()) {
                    throw e;
                }
                failure = worse(failure, e);
            }
        }
        throw Objects.requireNonNull(failure);
    }

    /** Has every node but the preferred one read the same, side by side; those that can't, or were silent lately, give nothing. */
    <T> List<T> onOtherNodes(Supplier<T> reading) {
        Node first = nodes.get(preferred.get());
        var results = new ConcurrentLinkedQueue<T>();
        var threads = new ArrayList<Thread>();
        for (Node node : nodes) {
            if (!node.equals(first) && !node.wasSilentLately()) {
                threads.add(Thread.ofVirtual().start(() -> {
                    try {
                        results.add(on(node, reading));
                    } catch (Disbelieved | EscrowException.Unreachable | RpcError e) {
                        node.fallSilent();
                        LOG.debug("the chain node at {} can't say: {}", where(node.url()), e.getMessage());
                    }
                }));
            }
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EscrowException.Unreachable("interrupted while other nodes were asked", e);
        }
        return List.copyOf(results);
    }

    /** Goes over to the node for which a measure is highest, where that is more than some way ahead of the present one. */
    void preferFurthest(ToLongFunction<Caller> measure, long slack) {
        int present = preferred.get();
        int best = present;
        long most = measureOf(nodes.get(present), measure) + slack;
        for (int i = 0; i < nodes.size(); i++) {
            long value = i == present ? Long.MIN_VALUE : measureOf(nodes.get(i), measure);
            if (value > most) {
                most = value;
                best = i;
            }
        }
        if (best != present && preferred.compareAndSet(present, best)) {
            LOG.warn(
                    "the chain node at {} lags behind, going over to {}",
                    where(nodes.get(present).url()),
                    where(nodes.get(best).url()));
        }
    }

    private long measureOf(Node node, ToLongFunction<Caller> measure) {
        try {
            return on(node, () -> measure.applyAsLong(this::call));
        } catch (Disbelieved | EscrowException.Unreachable | RpcError e) {
            LOG.debug("the chain node at {} can't say: {}", where(node.url()), e.getMessage());
            return -1;
        }
    }

    private <T> T on(Node node, Supplier<T> reading) {
        Node outer = pinned.get();
        pinned.set(node);
        try {
            return reading.get();
        } finally {
            if (outer == null) {
                pinned.remove();
            } else {
                pinned.set(outer);
            }
        }
    }

    int nodes() {
        return nodes.size();
    }

    /** Of two failures the one that the caller can do more about: a wrong address rather than silence. */
    private static RuntimeException worse(@Nullable RuntimeException one, RuntimeException other) {
        if (one == null) {
            return other;
        }
        boolean keep = one instanceof EscrowException.Refused;
        RuntimeException chosen = keep ? one : other;
        chosen.addSuppressed(keep ? other : one);
        return chosen;
    }

    /** A node failed the check; another may pass. */
    private static final class Disbelieved extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient EscrowException reason;

        Disbelieved(EscrowException reason) {
            super(reason.getMessage(), reason, false, false);
            this.reason = reason;
        }

        EscrowException reason() {
            return reason;
        }
    }

    /** Checks a node unless it passed since the newest connection to it was made, by whichever thread. */
    private void believe(Node node) {
        long connection = node.connections().get();
        if (node.checked().get() != connection) {
            try {
                check.accept((method, params) -> post(node, method, params));
            } catch (EscrowException e) {
                throw new Disbelieved(e);
            }
            node.checked().accumulateAndGet(connection, Math::max);
        }
    }

    /**
     * A node.
     *
     * @param connections how many connections to it were made
     * @param checked how many there were when it last passed the check
     * @param silentUntil until when it need not be asked beside others, by the monotonic clock
     */
    private record Node(URI url, AtomicLong connections, AtomicLong checked, AtomicReference<Deadline> silentUntil) {
        Node(URI url) {
            this(url, new AtomicLong(), new AtomicLong(-1), new AtomicReference<>(Deadline.in(Duration.ZERO)));
        }

        boolean wasSilentLately() {
            return !silentUntil.get().isOver();
        }

        void fallSilent() {
            silentUntil.set(Deadline.in(SILENCE));
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
