package org.computehive.server.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A chain node's JSON-RPC as somebody with curl would use it: no retries, no simulation, no fees of one's own. */
final class JsonRpc implements AutoCloseable {
    private static final Duration LOOK_EVERY = Duration.ofMillis(50);
    private static final int LOOKS = 1_200;

    private final ObjectMapper mapper = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI node;

    JsonRpc(URI node) {
        this.node = node;
    }

    /** Calls a method and returns its result. */
    JsonNode call(String method, Object... parameters) throws IOException, InterruptedException {
        String body = mapper.writeValueAsString(
                Map.of("jsonrpc", "2.0", "id", 1, "method", method, "params", List.of(parameters)));
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(node)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        JsonNode json = mapper.readTree(answer.body());
        if (json.has("error")) {
            throw new IOException("%s was answered with %s".formatted(method, json.get("error")));
        }
        return json.get("result");
    }

    /** Has the node send a transaction from an account that it may speak for, and looks until a block has it. */
    long send(String from, String to, String data) throws IOException, InterruptedException {
        return Long.decode(receipt(Map.of("from", from, "to", to, "data", data))
                .get("blockNumber")
                .asText());
    }

    /** Has the node send a transaction, as {@code eth_sendTransaction} wants it, and returns its receipt. */
    JsonNode receipt(Map<String, String> transaction) throws IOException, InterruptedException {
        String hash = call("eth_sendTransaction", transaction).asText();
        for (int look = 0; look < LOOKS; look++) {
            JsonNode receipt = call("eth_getTransactionReceipt", hash);
            if (receipt != null && !receipt.isNull()) {
                if (!receipt.get("status").asText().equals("0x1")) {
                    throw new IOException("transaction %s failed".formatted(hash));
                }
                return receipt;
            }
            Thread.sleep(LOOK_EVERY);
        }
        throw new IOException("no block took transaction " + hash);
    }

    /** Looks until the chain's head is at a block or beyond. */
    void reach(long block) throws IOException, InterruptedException {
        for (int look = 0; look < LOOKS; look++) {
            if (Long.decode(call("eth_blockNumber").asText()) >= block) {
                return;
            }
            Thread.sleep(LOOK_EVERY);
        }
        throw new IOException("the chain never reached block " + block);
    }

    /** Returns what a transaction said to the contract. */
    String input(String hash) throws IOException, InterruptedException {
        return call("eth_getTransactionByHash", hash).get("input").asText();
    }

    @Override
    public void close() {
        http.close();
    }
}
