package org.computehive.server.crash;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.computehive.server.crash.DatabaseCheck.Event;
import org.computehive.server.crash.DatabaseCheck.History;
import org.web3j.crypto.Hash;

/** Reads the contract's logs and balances from the node, without the engine's client, and checks the money. */
final class ChainCheck {
    private static final String OPENED = Hash.sha3String("Opened(bytes32,address,address,"
            + "(address,uint64,uint64,address,address,address,uint96,uint40,uint32,uint32,uint32,uint40,bytes32))");
    private static final String SETTLED =
            Hash.sha3String("Settled(bytes32,address,address,uint256,uint256,uint32,uint8)");
    private static final String BALANCE_OF = "0x70a08231000000000000000000000000";
    private static final int RATE_WORD = 6;
    private static final int DURATION_WORD = 8;

    private final Stage stage;
    private final URI node;
    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, List<JsonNode>> opened = new HashMap<>();
    private final Map<String, List<JsonNode>> settled = new HashMap<>();

    ChainCheck(Stage stage) throws IOException, InterruptedException {
        this.stage = stage;
        this.node = stage.chain.settings().nodes().getFirst();
        JsonNode logs = call(
                "eth_getLogs",
                Map.of(
                        "address", stage.chain.settings().contract().address(),
                        "fromBlock", "0x0",
                        "toBlock", "latest"));
        for (JsonNode log : logs) {
            String topic = log.path("topics").path(0).asText();
            String offer = log.path("topics").path(1).asText();
            if (topic.equals(OPENED)) {
                opened.computeIfAbsent(offer, key -> new ArrayList<>()).add(log);
            } else if (topic.equals(SETTLED)) {
                settled.computeIfAbsent(offer, key -> new ArrayList<>()).add(log);
            }
        }
    }

    private JsonNode call(String method, Object... parameters) throws IOException, InterruptedException {
        byte[] body = json.writeValueAsBytes(
                Map.of("jsonrpc", "2.0", "id", 1, "method", method, "params", List.of(parameters)));
        try (HttpClient client = HttpClient.newHttpClient()) {
            JsonNode answer = json.readTree(client.send(
                            HttpRequest.newBuilder(node)
                                    .header("Content-Type", "application/json")
                                    .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                                    .build(),
                            BodyHandlers.ofByteArray())
                    .body());
            if (!answer.has("result")) {
                throw new IOException(method + " failed: " + answer);
            }
            return answer.get("result");
        }
    }

    void check(Checks checks, Map<String, History> histories) throws IOException, InterruptedException {
        for (History history : histories.values()) {
            for (Event event : history.events()) {
                if (event.kind().equals("offer-written") || event.kind().equals("extension-offer-written")) {
                    check(
                            checks,
                            history,
                            event.leg(),
                            event.payload().path("offer").path("digest"));
                }
            }
        }
        BigInteger paid = BigInteger.ZERO;
        for (List<JsonNode> logs : settled.values()) {
            paid = paid.add(word(logs.getFirst(), 0));
        }
        BigInteger owed = stage.lender
                .ledgerBalance()
                .units()
                .add(stage.renter.ledgerBalance().units());
        BigInteger held = new BigInteger(
                call(
                                "eth_call",
                                Map.of(
                                        "to",
                                        stage.chain
                                                .settings()
                                                .token()
                                                .contract()
                                                .address(),
                                        "data",
                                        BALANCE_OF
                                                + stage.chain
                                                        .settings()
                                                        .contract()
                                                        .address()
                                                        .substring(2)),
                                "latest")
                        .asText()
                        .substring(2),
                16);
        checks.that("the contract holds what it owes", held.equals(owed), "holds %d, owes %d".formatted(held, owed));
        checks.that(
                "the lender got what the settlements say",
                stage.lender.ledgerBalance().units().equals(paid),
                "got %s, settlements say %d".formatted(stage.lender.ledgerBalance(), paid));
    }

    private void check(Checks checks, History history, int leg, JsonNode digest) {
        String offer = digest.isTextual() ? digest.asText() : digest.path("hex").asText();
        List<JsonNode> opens = opened.getOrDefault(offer, List.of());
        List<JsonNode> settles = settled.getOrDefault(offer, List.of());
        boolean funded = history.ofLeg("funded", leg).isPresent();
        checks.that(
                "an escrow is opened once, and the engine knows it",
                opens.size() == (funded ? 1 : 0),
                "%d times for %s".formatted(opens.size(), history.line()));
        checks.that(
                "an escrow is settled once",
                settles.size() == (funded ? 1 : 0),
                "%d times for %s".formatted(settles.size(), history.line()));
        if (opens.size() == 1 && settles.size() == 1) {
            BigInteger deposit = word(opens.getFirst(), RATE_WORD).multiply(word(opens.getFirst(), DURATION_WORD));
            BigInteger paid = word(settles.getFirst(), 0);
            BigInteger refunded = word(settles.getFirst(), 1);
            checks.that(
                    "paid and refunded are the deposit",
                    paid.add(refunded).equals(deposit),
                    "%d + %d is not %d for %s".formatted(paid, refunded, deposit, history.line()));
            JsonNode event = history.ofLeg("settled", leg).map(Event::payload).orElse(json.nullNode());
            checks.that(
                    "the engine knows what the chain paid",
                    amount(event.path("paid")).equals(paid)
                            && amount(event.path("refunded")).equals(refunded),
                    "chain paid %d and refunded %d, the engine says %s for %s"
                            .formatted(paid, refunded, event, history.line()));
        }
    }

    private static BigInteger amount(JsonNode node) {
        String text = node.isObject() ? node.path("units").asText() : node.asText();
        return text.isEmpty() ? BigInteger.ONE.negate() : new BigInteger(text);
    }

    private static BigInteger word(JsonNode log, int index) {
        String data = log.path("data").asText();
        return new BigInteger(data.substring(2 + 64 * index, 2 + 64 * (index + 1)), 16);
    }
}
