package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Predicate;
import org.computehive.manifest.Manifest;

/** A rental's commands over HTTP, with the development chain's node as both wallets. Its windows are hours ahead. */
final class RouteWalk {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Application server;
    private final Headers headers;
    private final HttpClient http = HttpClient.newHttpClient();

    /** Gives the {@code Authorization} header of a role. */
    interface Headers {
        String of(String role) throws Exception;
    }

    RouteWalk(Application server, Headers headers) {
        this.server = server;
        this.headers = headers;
    }

    // ---- what is sent

    HttpResponse<String> send(String role, String method, String path, Optional<String> body, Optional<String> key)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path))
                .method(method, body.map(BodyPublishers::ofString).orElse(BodyPublishers.noBody()))
                .header("Content-Type", "application/json")
                .header("Authorization", headers.of(role));
        key.ifPresent(value -> request.header("Idempotency-Key", value));
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private JsonNode call(int status, String role, String method, String path, String body) throws Exception {
        return keyed(status, role, method, path, body, Optional.empty());
    }

    private JsonNode keyed(int status, String role, String method, String path, String body, Optional<String> key)
            throws Exception {
        HttpResponse<String> answer =
                send(role, method, path, body.isEmpty() ? Optional.empty() : Optional.of(body), key);
        assertEquals(status, answer.statusCode(), () -> method + " " + path + " " + body + ": " + answer.body());
        return answer.body().isEmpty() ? MAPPER.nullNode() : MAPPER.readTree(answer.body());
    }

    private JsonNode rpc(String method, ArrayNode params) throws Exception {
        ObjectNode call = MAPPER.createObjectNode().put("jsonrpc", "2.0").put("id", 1);
        call.put("method", method).set("params", params);
        HttpRequest request = HttpRequest.newBuilder(server.platform().devNode().orElseThrow())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(call.toString()))
                .build();
        JsonNode answer =
                MAPPER.readTree(http.send(request, BodyHandlers.ofString()).body());
        assertTrue(answer.has("result"), answer::toString);
        return answer.path("result");
    }

    private String signed(String role, JsonNode signable) throws Exception {
        String account = call(200, role, "GET", "/account", "").path("account").asText();
        return rpc("eth_signTypedData_v4", MAPPER.createArrayNode().add(account).add(signable.path("typedData")))
                .asText();
    }

    private static String body(String... namesAndValues) {
        ObjectNode body = MAPPER.createObjectNode();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            body.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return body.toString();
    }

    /** Waits for the rental's next versions until it is as asked; each wait is the server's, of 30 seconds at most. */
    private JsonNode await(String id, Predicate<JsonNode> condition) throws Exception {
        Instant end = Instant.now().plus(Duration.ofMinutes(2));
        JsonNode seen = call(200, "renter", "GET", "/rentals/" + id, "");
        while (!condition.test(seen)) {
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

    // ---- what is tried

    private ObjectNode host() throws Exception {
        return (ObjectNode) call(200, "lender", "GET", "/hosts", "").get(0);
    }

    private static String gpu(JsonNode host) {
        for (JsonNode gpu : host.path("gpus")) {
            if (gpu.path("unavailable").isNull() || gpu.path("unavailable").isMissingNode()) {
                return gpu.path("id").asText();
            }
        }
        throw new AssertionError("no gpu can be rented: " + host);
    }

    /** Lists a gpu under a name; asked twice under one key, it is listed once. */
    String list(String name) throws Exception {
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
        Optional<String> key = Optional.of("list-" + name);
        JsonNode made = keyed(200, "lender", "PUT", "/listings/" + name, listing.toString(), key);
        assertEquals(made, keyed(200, "lender", "PUT", "/listings/" + name, listing.toString(), key));
        listing.put("price", "98");
        keyed(422, "lender", "PUT", "/listings/" + name, listing.toString(), key);
        return name;
    }

    /** Books a window some hours ahead, every command twice under a key, up to the funded escrow. */
    String book(String listing, Instant start) throws Exception {
        String request = body(
                "listing",
                listing,
                "start",
                start.toString(),
                "end",
                start.plusSeconds(3600).toString());
        JsonNode problem = keyed(400, "renter", "POST", "/quotes", request, Optional.of("k".repeat(200)));
        assertEquals("Idempotency-Key", problem.path("field").asText());
        Optional<String> key = Optional.of("\"quote-" + start + "\"");
        String quote =
                keyed(201, "renter", "POST", "/quotes", request, key).path("id").asText();
        assertEquals(
                quote,
                keyed(201, "renter", "POST", "/quotes", request, key).path("id").asText());
        assertNotEquals(
                quote,
                call(201, "renter", "POST", "/quotes", request).path("id").asText());
        JsonNode other = keyed(
                422,
                "renter",
                "POST",
                "/quotes",
                body(
                        "listing",
                        listing,
                        "start",
                        start.toString(),
                        "end",
                        start.plusSeconds(60).toString()),
                key);
        assertTrue(other.path("detail").asText().contains("key"), other::toString);

        JsonNode held = keyed(201, "renter", "POST", "/rentals", body("quote", quote), Optional.of("r" + start));
        String id = held.path("id").asText();
        await(id, rental -> rental.path("offerWritten").asBoolean());
        assertEquals(
                held,
                keyed(201, "renter", "POST", "/rentals", body("quote", quote), Optional.of("r" + start)),
                "the first answer comes again");
        fund(id, 0);
        return id;
    }

    /** The lender signs the offer that waits, the renter opens the escrow. */
    private void fund(String id, int leg) throws Exception {
        JsonNode offer = call(200, "lender", "GET", "/rentals/" + id + "/offer", "");
        assertEquals(leg, offer.path("leg").asInt(), offer::toString);
        Optional<String> key = Optional.of("sign-" + id + leg);
        String signature = body("signature", signed("lender", offer));
        JsonNode once = keyed(200, "lender", "PUT", "/rentals/" + id + "/offer/signature", signature, key);
        assertEquals(once, keyed(200, "lender", "PUT", "/rentals/" + id + "/offer/signature", signature, key));
        for (JsonNode transaction :
                call(200, "renter", "GET", "/rentals/" + id + "/offer", "").path("open")) {
            rpc("eth_sendTransaction", MAPPER.createArrayNode().add(((ObjectNode) transaction).without("purpose")));
        }
        await(id, rental -> rental.path("legs").path(leg).path("funded").asBoolean());
    }

    /** More time for a rental by a second escrow. */
    void extend(String id, Instant newEnd) throws Exception {
        String path = "/rentals/" + id + "/extensions";
        call(403, "lender", "POST", path + "/quotes", body("end", newEnd.toString()));
        assertEquals(
                "end",
                call(400, "renter", "POST", path + "/quotes", body("end", "later"))
                        .path("field")
                        .asText());
        call(422, "renter", "POST", path + "/quotes", body("end", "2001-01-01T00:00:00Z"));
        call(404, "renter", "POST", path, body("quote", "0".repeat(26)));

        Optional<String> key = Optional.of("more-" + id);
        JsonNode quote = keyed(201, "renter", "POST", path + "/quotes", body("end", newEnd.toString()), key);
        assertEquals(quote, keyed(201, "renter", "POST", path + "/quotes", body("end", newEnd.toString()), key));
        Instant oldEnd = Instant.parse(quote.path("window").path("start").asText());
        assertEquals(newEnd.toString(), quote.path("window").path("end").asText());
        call(201, "renter", "POST", path, body("quote", quote.path("id").asText()));
        await(id, rental -> rental.path("legs").path(1).path("offerWritten").asBoolean());
        assertEquals(
                oldEnd.toString(),
                call(200, "renter", "GET", "/rentals/" + id, "")
                        .path("window")
                        .path("end")
                        .asText(),
                "what is not funded changes nothing");
        fund(id, 1);
        JsonNode longer = call(200, "renter", "GET", "/rentals/" + id, "");
        assertEquals(newEnd.toString(), longer.path("window").path("end").asText());
        assertEquals(
                2, call(200, "renter", "GET", "/rentals/" + id + "/offers", "").size());
    }

    /** The lender gives notice; once. */
    void reclaim(String id, Instant at) throws Exception {
        String path = "/rentals/" + id + "/reclaim";
        call(403, "renter", "POST", path, body("at", at.toString()));
        assertEquals("at", call(400, "lender", "POST", path, "{}").path("field").asText());
        call(422, "lender", "POST", path, body("at", "2001-01-01T00:00:00Z"));
        JsonNode rental = call(200, "lender", "POST", path, body("at", at.toString()));
        assertEquals(at.toString(), rental.path("reclaimedAt").asText());
        assertEquals(
                rental.path("version"),
                call(200, "lender", "POST", path, body("at", at.toString())).path("version"));
        call(409, "lender", "POST", path, body("at", at.plusSeconds(1).toString()));
    }

    /** What parties and operators may not do to a rental that has not begun. */
    void refuseBeforeTheStart(String id) throws Exception {
        String path = "/rentals/" + id;
        call(409, "lender", "POST", path + "/end", "");
        call(409, "renter", "GET", path + "/receipts", "");
        call(404, "renter", "GET", path + "/manifest", "");
        call(409, "operator", "POST", "/operations" + path + "/end", body("blame", "PLATFORM", "why", "a test"));
        call(409, "operator", "POST", "/operations" + path + "/resume", body("note", "looked at it"));
        assertEquals(
                0, call(200, "operator", "GET", "/operations/rentals/stuck", "").size());
    }

    /** The lender gives both deposits back. */
    void release(String id) throws Exception {
        String path = "/rentals/" + id + "/releases";
        call(409, "lender", "GET", "/rentals/" + id + "/release", "");
        JsonNode releases = call(200, "lender", "GET", path, "");
        assertEquals(2, releases.size(), releases::toString);
        ArrayNode signatures = MAPPER.createArrayNode();
        signatures.add(signed("lender", releases.get(0)));
        String one = MAPPER.createObjectNode().set("signatures", signatures).toString();
        call(422, "lender", "PUT", path + "/signatures", one);
        signatures.add(signed("lender", releases.get(1)));
        String both = MAPPER.createObjectNode().set("signatures", signatures).toString();
        call(200, "lender", "PUT", path + "/signatures", both);
        JsonNode settled = await(id, rental -> rental.path("state").asText().equals("SETTLED"));
        assertEquals(settled.path("deposit"), settled.path("settlement").path("refunded"), settled::toString);
        assertEquals("0", settled.path("settlement").path("paid").asText());
    }

    /** A lender keeps its gpu for itself for a while. */
    void maintain(String listing, Instant booked) throws Exception {
        ObjectNode host = host();
        String path = "/hosts/" + host.path("id").asText() + "/maintenance";
        Instant start = booked.plus(12, ChronoUnit.HOURS);
        ObjectNode block = MAPPER.createObjectNode().put("name", "new-fan").put("why", "a new fan");
        block.put("start", start.toString()).put("end", start.plusSeconds(3600).toString());
        block.putArray("gpus").add(gpu(host));
        call(403, "renter", "POST", path, block.toString());
        assertEquals(
                "gpus",
                call(
                                400,
                                "lender",
                                "POST",
                                path,
                                block.deepCopy().without("gpus").toString())
                        .path("field")
                        .asText());
        ObjectNode taken = block.deepCopy().put("name", "taken");
        taken.put("start", booked.toString()).put("end", booked.plusSeconds(60).toString());
        call(409, "lender", "POST", path, taken.toString());

        JsonNode made = call(201, "lender", "POST", path, block.toString());
        assertEquals(made, call(201, "lender", "POST", path, block.toString()));
        JsonNode all = call(200, "lender", "GET", path, "");
        assertEquals(1, all.size());
        assertEquals(made, all.get(0));
        String window = body(
                "listing",
                listing,
                "start",
                start.toString(),
                "end",
                start.plusSeconds(60).toString());
        String quote = call(201, "renter", "POST", "/quotes", window).path("id").asText();
        call(409, "renter", "POST", "/rentals", body("quote", quote));
        call(204, "lender", "DELETE", path + "/new-fan", "");
        call(404, "lender", "DELETE", path + "/new-fan", "");
        String held = call(201, "renter", "POST", "/rentals", body("quote", quote))
                .path("id")
                .asText();
        Optional<String> key = Optional.of("off-" + held);
        JsonNode off = keyed(200, "renter", "POST", "/rentals/" + held + "/cancellation", "", key);
        assertEquals("CANCELLED", off.path("state").asText());
        assertEquals(off, keyed(200, "renter", "POST", "/rentals/" + held + "/cancellation", "", key));
    }

    /** What a settled rental leaves behind. */
    void records() throws Exception {
        JsonNode settled = MAPPER.nullNode();
        for (JsonNode rental : call(200, "renter", "GET", "/rentals", "")) {
            if (rental.path("state").asText().equals("SETTLED") && rental.has("machine")) {
                settled = rental;
            }
        }
        String id = settled.path("id").asText();
        HttpResponse<String> manifest =
                send("lender", "GET", "/rentals/" + id + "/manifest", Optional.empty(), Optional.empty());
        assertEquals(200, manifest.statusCode(), manifest.body());
        assertEquals(manifest.body(), Manifest.parse(manifest.body()).json());
        assertEquals(
                id,
                MAPPER.readTree(manifest.body()).path("terms").path("rental").asText());

        String month = YearMonth.now(ZoneOffset.UTC).toString();
        for (String role : new String[] {"lender", "renter"}) {
            JsonNode invoice = call(200, role, "GET", "/invoices/" + month, "");
            JsonNode line = MAPPER.nullNode();
            for (JsonNode each : invoice.path("lines")) {
                line = each.path("rental").asText().equals(id) ? each : line;
            }
            assertEquals(settled.path("settlement").path("paid"), line.path("paid"), invoice::toString);
            HttpResponse<String> csv =
                    send(role, "GET", "/invoices/" + month + "?format=csv", Optional.empty(), Optional.empty());
            assertEquals(
                    "text/csv; charset=utf-8",
                    csv.headers().firstValue("Content-Type").orElseThrow());
            assertTrue(csv.body().contains(id), csv.body());
            HttpResponse<String> html =
                    send(role, "GET", "/invoices/" + month + "?format=html", Optional.empty(), Optional.empty());
            assertTrue(html.body().contains("<html") && html.body().contains(id), html.body());
        }
        String lender = settled.path("lender").asText();
        JsonNode reputation = call(200, "renter", "GET", "/accounts/" + lender + "/reputation", "");
        assertTrue(reputation.path("asLender").path("evidence").asDouble() > 0, reputation::toString);
        assertTrue(reputation.path("asRenter").path("unknown").asBoolean(), reputation::toString);
    }
}
