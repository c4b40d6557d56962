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
    private static final String OPENED =
            Hash.sha3String("Opened(bytes32,address,address,(uint256,uint256,uint256,uint256,uint256,bytes32))");
    private static final String SETTLED = Hash.sha3String("Settled(uint256,uint256)");
    private static final String BALANCE_OF = "0x70a08231000000000000000000000000";
    /** Lender, lane and sequence: what a settlement is named by. */
    private static final int RENTAL_WORD = 0;

    private static final int RATE_WORD = 1;
    private static final int RATE_BITS = 96;
    private static final int CLAUSES_WORD = 4;
    private static final int DURATION_SHIFT = 184;
    private static final int USED_SHIFT = 216;
    private static final int SECONDS_BITS = 32;

    private final Stage stage;
    private final URI node;
    private final ObjectMapper json = new ObjectMapper();
    /** By the offer's digest. */
    private final Map<String, List<JsonNode>> opened = new HashMap<>();
    /** By the rental's word. */
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
            String name = log.path("topics").path(1).asText();
            if (topic.equals(OPENED)) {
                opened.computeIfAbsent(name, key -> new ArrayList<>()).add(log);
            } else if (topic.equals(SETTLED)) {
                settled.computeIfAbsent(name, key -> new ArrayList<>()).add(log);
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
        BigInteger paid = opened.values().stream()
                .map(List::getFirst)
                .flatMap(open -> settlements(open).stream().limit(1).map(settle -> paid(open, settle)))
                .reduce(BigInteger.ZERO, BigInteger::add);
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
        List<JsonNode> settles =
                opens.stream().findFirst().map(this::settlements).orElse(List.of());
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
            BigInteger paid = paid(opens.getFirst(), settles.getFirst());
            BigInteger refunded = deposit(opens.getFirst()).subtract(paid);
            checks.that(
                    "no more is paid than was deposited",
                    refunded.signum() >= 0,
                    "%d of %d for %s".formatted(paid, deposit(opens.getFirst()), history.line()));
            JsonNode event = history.ofLeg("settled", leg).map(Event::payload).orElse(json.nullNode());
            checks.that(
                    "the engine knows what the chain paid",
                    amount(event.path("paid")).equals(paid)
                            && amount(event.path("refunded")).equals(refunded),
                    "chain paid %d and refunded %d, the engine says %s for %s"
                            .formatted(paid, refunded, event, history.line()));
        }
    }

    private List<JsonNode> settlements(JsonNode open) {
        return settled.getOrDefault("0x" + words(open, RENTAL_WORD), List.of());
    }

    private static BigInteger deposit(JsonNode open) {
        return rate(open).multiply(bits(word(open, CLAUSES_WORD), DURATION_SHIFT, SECONDS_BITS));
    }

    private static BigInteger paid(JsonNode open, JsonNode settle) {
        return rate(open).multiply(bits(word(settle, 0), USED_SHIFT, SECONDS_BITS));
    }

    private static BigInteger rate(JsonNode open) {
        return bits(word(open, RATE_WORD), 0, RATE_BITS);
    }

    private static BigInteger bits(BigInteger word, int shift, int count) {
        return word.shiftRight(shift).and(BigInteger.ONE.shiftLeft(count).subtract(BigInteger.ONE));
    }

    private static BigInteger amount(JsonNode node) {
        String text = node.isObject() ? node.path("units").asText() : node.asText();
        return text.isEmpty() ? BigInteger.ONE.negate() : new BigInteger(text);
    }

    private static BigInteger word(JsonNode log, int index) {
        return new BigInteger(words(log, index), 16);
    }

    private static String words(JsonNode log, int index) {
        return log.path("data").asText().substring(2 + 64 * index, 2 + 64 * (index + 1));
    }
}
