package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/** Sends requests as each role of a server's first start, with the development chain's node as the parties' wallets. */
final class ApiClient {
    static final ObjectMapper MAPPER = new ObjectMapper();

    private final URI api;
    private final URI chain;
    private final Path tokens;
    private final HttpClient http = HttpClient.newHttpClient();

    /** What a rental is to be like. */
    interface Condition {
        boolean holds(JsonNode rental) throws Exception;
    }

    /**
     * Creates one.
     *
     * @param api where the server listens
     * @param chain where the development chain's node does
     * @param tokens the folder with the request headers
     */
    ApiClient(URI api, URI chain, Path tokens) {
        this.api = api;
        this.chain = chain;
        this.tokens = tokens;
    }

    static ApiClient of(Application server) {
        return new ApiClient(
                server.url(),
                server.platform().devNode().orElseThrow(),
                server.platform().folders().tokens());
    }

    /** Sends a request; as nobody where the role is empty, with an unknown token as {@code nobody}. */
    HttpResponse<String> send(String role, String method, String path, Optional<String> body, Optional<String> key)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(api + path))
                .method(method, body.map(BodyPublishers::ofString).orElse(BodyPublishers.noBody()))
                .header("Content-Type", "application/json");
        if (!role.isEmpty()) {
            request.header("Authorization", header(role));
        }
        key.ifPresent(value -> request.header("Idempotency-Key", value));
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private String header(String role) throws IOException {
        return role.equals("nobody")
                ? "Bearer abc"
                : Files.readString(tokens.resolve(role)).strip().substring("Authorization: ".length());
    }

    /** Has the operator make a token for an account, for later calls as that role. */
    void makeToken(String role, String account) throws Exception {
        String body = body("account", account, "role", role.toUpperCase(Locale.ROOT));
        String token =
                call(201, "operator", "POST", "/tokens", body).path("token").asText();
        Files.writeString(tokens.resolve(role), "Authorization: Bearer " + token + "\n");
    }

    /** Has the node send, as their wallets would, what the server gave somebody to send. */
    void sendAll(JsonNode transactions) throws Exception {
        for (JsonNode transaction : transactions) {
            rpc("eth_sendTransaction", MAPPER.createArrayNode().add(((ObjectNode) transaction).without("purpose")));
        }
    }

    JsonNode call(int status, String role, String method, String path, String body) throws Exception {
        return keyed(status, role, method, path, body, Optional.empty());
    }

    JsonNode keyed(int status, String role, String method, String path, String body, Optional<String> key)
            throws Exception {
        HttpResponse<String> answer =
                send(role, method, path, body.isEmpty() ? Optional.empty() : Optional.of(body), key);
        assertEquals(status, answer.statusCode(), () -> method + " " + path + " " + body + ": " + answer.body());
        return answer.body().isEmpty() ? MAPPER.nullNode() : MAPPER.readTree(answer.body());
    }

    JsonNode rpc(String method, ArrayNode params) throws Exception {
        ObjectNode call = MAPPER.createObjectNode().put("jsonrpc", "2.0").put("id", 1);
        call.put("method", method).set("params", params);
        HttpRequest request = HttpRequest.newBuilder(chain)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(call.toString()))
                .build();
        JsonNode answer =
                MAPPER.readTree(http.send(request, BodyHandlers.ofString()).body());
        assertTrue(answer.has("result"), answer::toString);
        return answer.path("result");
    }

    String signed(String role, JsonNode signable) throws Exception {
        String account = call(200, role, "GET", "/account", "").path("account").asText();
        return rpc("eth_signTypedData_v4", MAPPER.createArrayNode().add(account).add(signable.path("typedData")))
                .asText();
    }

    static String body(String... namesAndValues) {
        ObjectNode body = MAPPER.createObjectNode();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            body.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return body.toString();
    }

    /** Waits for the rental's next versions until it is as asked; each wait is the server's, of 30 seconds at most. */
    JsonNode await(String id, Condition condition) throws Exception {
        Instant end = Instant.now().plus(Duration.ofMinutes(2));
        JsonNode seen = call(200, "renter", "GET", "/rentals/" + id, "");
        while (!condition.holds(seen)) {
            assertTrue(Instant.now().isBefore(end), seen::toString);
            seen = call(
                    200,
                    "renter",
                    "GET",
                    "/rentals/%s?after=%d".formatted(id, seen.path("version").asLong()),
                    "");
        }
        return seen;
    }

    /** Sends a signed receipt of each leg, the renter's before the lender's, and waits for the settlement. */
    JsonNode settle(String id) throws Exception {
        for (String role : new String[] {"renter", "lender"}) {
            ArrayNode signatures = MAPPER.createArrayNode();
            for (JsonNode receipt : call(200, role, "GET", "/rentals/" + id + "/receipts", "")) {
                signatures.add(signed(role, receipt));
            }
            String body =
                    MAPPER.createObjectNode().set("signatures", signatures).toString();
            call(200, role, "PUT", "/rentals/" + id + "/receipts/signatures", body);
        }
        return await(id, "SETTLED");
    }

    JsonNode await(String id, String state) throws Exception {
        return await(id, rental -> rental.path("state").asText().equals(state));
    }

    // ---- what most walks begin with

    ObjectNode host() throws Exception {
        return (ObjectNode) call(200, "lender", "GET", "/hosts", "").get(0);
    }

    static String gpu(JsonNode host) {
        for (JsonNode gpu : host.path("gpus")) {
            if (gpu.path("unavailable").isNull() || gpu.path("unavailable").isMissingNode()) {
                return gpu.path("id").asText();
            }
        }
        throw new AssertionError("no gpu can be rented: " + host);
    }

    /** Returns a listing of the first gpu, whose rules may be changed, for {@code PUT /listings}. */
    ObjectNode listing() throws Exception {
        ObjectNode host = host();
        ObjectNode listing = MAPPER.createObjectNode();
        listing.put("host", host.path("id").asText())
                .put("price", "97")
                .put("floor", "1")
                .put("ceiling", "1000")
                .put("availability", "always")
                .put("assurance", "ISOLATED")
                .put("emulated", host.path("gpus").get(0).path("emulated").asBoolean());
        listing.putArray("gpus").add(gpu(host));
        listing.putObject("shape")
                .put("cpus", 1)
                .put("memoryMiB", 256)
                .put("diskMiB", 64)
                .put("image", "demo");
        listing.putObject("rules")
                .put("shortest", "PT1M")
                .put("longest", "PT24H")
                .put("turnover", "PT1M")
                .put("grace", "PT15M")
                .put("disputeWindow", "PT1H");
        return listing;
    }

    /** Quotes and reserves a window, and waits for its offer. */
    String reserve(String listing, Instant start, Duration length) throws Exception {
        String window = body(
                "listing",
                listing,
                "start",
                start.toString(),
                "end",
                start.plus(length).toString());
        String quote = call(201, "renter", "POST", "/quotes", window).path("id").asText();
        String id = call(201, "renter", "POST", "/rentals", body("quote", quote))
                .path("id")
                .asText();
        await(id, rental -> rental.path("offerWritten").asBoolean());
        return id;
    }

    /** The same, up to the funded escrow. */
    String book(String listing, Instant start, Duration length) throws Exception {
        String id = reserve(listing, start, length);
        fund(id, 0);
        return id;
    }

    /** The lender signs the offer that waits, the renter opens the escrow. */
    void fund(String id, int leg) throws Exception {
        JsonNode offer = call(200, "lender", "GET", "/rentals/" + id + "/offer", "");
        assertEquals(leg, offer.path("leg").asInt(), offer::toString);
        Optional<String> key = Optional.of("sign-" + id + leg);
        String signature = body("signature", signed("lender", offer));
        JsonNode once = keyed(200, "lender", "PUT", "/rentals/" + id + "/offer/signature", signature, key);
        assertEquals(once, keyed(200, "lender", "PUT", "/rentals/" + id + "/offer/signature", signature, key));
        sendAll(call(200, "renter", "GET", "/rentals/" + id + "/offer", "").path("open"));
        await(id, rental -> rental.path("legs").path(leg).path("funded").asBoolean());
    }
}
