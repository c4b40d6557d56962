package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.computehive.access.HostKeyPair;
import org.computehive.manifest.Manifest;

/** A rental's commands over HTTP, with the development chain's node as both wallets. Its windows are hours ahead. */
final class RouteWalk {
    private static final String ARBITER = "0x" + "ab".repeat(20);

    private final ApiClient api;

    RouteWalk(ApiClient api) {
        this.api = api;
    }

    /** Lists a gpu under a name; asked twice under one key, it is listed once. */
    String list(String name) throws Exception {
        ObjectNode listing = api.listing();
        ((ObjectNode) listing.path("rules"))
                .put("reclaimNotice", "PT2H")
                .putObject("cancellation")
                .put("notice", "PT24H");
        ((ObjectNode) listing.path("rules"))
                .putObject("stakes")
                .put("arbiter", ARBITER)
                .put("disputeBond", "79228162514264337593543950335");
        Optional<String> key = Optional.of("list-" + name);
        JsonNode made = api.keyed(200, "lender", "PUT", "/listings/" + name, listing.toString(), key);
        assertEquals(made, api.keyed(200, "lender", "PUT", "/listings/" + name, listing.toString(), key));
        JsonNode rules = api.call(200, "renter", "GET", "/listings/" + name, "").path("rules");
        assertEquals("PT2H", rules.path("reclaimNotice").asText());
        assertEquals("PT24H", rules.path("cancellation").path("notice").asText());
        assertEquals(0, rules.path("cancellation").path("lateShare").asInt(-1));
        assertEquals(ARBITER, rules.path("stakes").path("arbiter").asText());
        assertEquals("0", rules.path("stakes").path("bond").asText());
        assertEquals(
                "79228162514264337593543950335",
                rules.path("stakes").path("disputeBond").asText());
        listing.put("price", "98");
        api.keyed(422, "lender", "PUT", "/listings/" + name, listing.toString(), key);
        return name;
    }

    /** Books a window some hours ahead, every command twice under a key, up to the funded escrow. */
    String book(String listing, Instant start) throws Exception {
        String request = ApiClient.body(
                "listing",
                listing,
                "start",
                start.toString(),
                "end",
                start.plusSeconds(3600).toString());
        JsonNode problem = api.keyed(400, "renter", "POST", "/quotes", request, Optional.of("k".repeat(200)));
        assertEquals("Idempotency-Key", problem.path("field").asText());
        Optional<String> key = Optional.of("\"quote-" + start + "\"");
        String quote = api.keyed(201, "renter", "POST", "/quotes", request, key)
                .path("id")
                .asText();
        assertEquals(
                quote,
                api.keyed(201, "renter", "POST", "/quotes", request, key)
                        .path("id")
                        .asText());
        assertNotEquals(
                quote,
                api.call(201, "renter", "POST", "/quotes", request).path("id").asText());
        JsonNode other = api.keyed(
                422,
                "renter",
                "POST",
                "/quotes",
                ApiClient.body(
                        "listing",
                        listing,
                        "start",
                        start.toString(),
                        "end",
                        start.plusSeconds(60).toString()),
                key);
        assertTrue(other.path("detail").asText().contains("key"), other::toString);

        JsonNode held =
                api.keyed(201, "renter", "POST", "/rentals", ApiClient.body("quote", quote), Optional.of("r" + start));
        String id = held.path("id").asText();
        api.await(id, rental -> rental.path("offerWritten").asBoolean());
        assertEquals(
                held,
                api.keyed(201, "renter", "POST", "/rentals", ApiClient.body("quote", quote), Optional.of("r" + start)),
                "the first answer comes again");
        api.fund(id, 0);
        return id;
    }

    /** More time for a rental by a second escrow. */
    void extend(String id, Instant newEnd) throws Exception {
        String path = "/rentals/" + id + "/extensions";
        api.call(403, "lender", "POST", path + "/quotes", ApiClient.body("end", newEnd.toString()));
        assertEquals(
                "end",
                api.call(400, "renter", "POST", path + "/quotes", ApiClient.body("end", "later"))
                        .path("field")
                        .asText());
        api.call(422, "renter", "POST", path + "/quotes", ApiClient.body("end", "2001-01-01T00:00:00Z"));
        api.call(404, "renter", "POST", path, ApiClient.body("quote", "0".repeat(26)));

        Optional<String> key = Optional.of("more-" + id);
        JsonNode quote =
                api.keyed(201, "renter", "POST", path + "/quotes", ApiClient.body("end", newEnd.toString()), key);
        assertEquals(
                quote,
                api.keyed(201, "renter", "POST", path + "/quotes", ApiClient.body("end", newEnd.toString()), key));
        Instant oldEnd = Instant.parse(quote.path("window").path("start").asText());
        assertEquals(newEnd.toString(), quote.path("window").path("end").asText());
        api.call(
                201,
                "renter",
                "POST",
                path,
                ApiClient.body("quote", quote.path("id").asText()));
        api.await(id, rental -> rental.path("legs").path(1).path("offerWritten").asBoolean());
        assertEquals(
                oldEnd.toString(),
                api.call(200, "renter", "GET", "/rentals/" + id, "")
                        .path("window")
                        .path("end")
                        .asText(),
                "what is not funded changes nothing");
        api.fund(id, 1);
        JsonNode longer = api.call(200, "renter", "GET", "/rentals/" + id, "");
        assertEquals(newEnd.toString(), longer.path("window").path("end").asText());
        assertEquals(
                2,
                api.call(200, "renter", "GET", "/rentals/" + id + "/offers", "").size());
    }

    /** The lender gives notice; once. */
    void reclaim(String id, Instant at) throws Exception {
        String path = "/rentals/" + id + "/reclaim";
        api.call(403, "renter", "POST", path, ApiClient.body("at", at.toString()));
        assertEquals(
                "at", api.call(400, "lender", "POST", path, "{}").path("field").asText());
        api.call(422, "lender", "POST", path, ApiClient.body("at", "2001-01-01T00:00:00Z"));
        Optional<String> key = Optional.of("reclaim-" + id);
        JsonNode rental = api.keyed(200, "lender", "POST", path, ApiClient.body("at", at.toString()), key);
        assertEquals(rental, api.keyed(200, "lender", "POST", path, ApiClient.body("at", at.toString()), key));
        assertEquals(at.toString(), rental.path("reclaimedAt").asText());
        assertEquals(
                rental.path("version"),
                api.call(200, "lender", "POST", path, ApiClient.body("at", at.toString()))
                        .path("version"));
        api.call(
                409,
                "lender",
                "POST",
                path,
                ApiClient.body("at", at.plusSeconds(1).toString()));
    }

    /** What parties and operators may not do to a rental that has not begun. */
    void refuseBeforeTheStart(String id) throws Exception {
        String path = "/rentals/" + id;
        api.call(409, "lender", "POST", path + "/end", "");
        api.call(409, "renter", "GET", path + "/receipts", "");
        api.call(404, "renter", "GET", path + "/manifest", "");
        api.call(
                409,
                "operator",
                "POST",
                "/operations" + path + "/end",
                ApiClient.body("blame", "PLATFORM", "why", "a test"));
        api.call(409, "operator", "POST", "/operations" + path + "/resume", ApiClient.body("note", "looked at it"));
        assertEquals(
                0,
                api.call(200, "operator", "GET", "/operations/rentals/stuck", "")
                        .size());
    }

    /** Notice is as long as the listing says: two hours. */
    void reclaimTooSoon(String id) throws Exception {
        Instant soon = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(7000);
        JsonNode problem =
                api.call(422, "lender", "POST", "/rentals/" + id + "/reclaim", ApiClient.body("at", soon.toString()));
        assertTrue(problem.path("detail").asText().contains("PT2H"), problem::toString);
    }

    /** An operator has seen to a gpu; once for a key. Its lender and its renters can't say so. */
    void releaseGpu() throws Exception {
        ObjectNode host = api.host();
        String path = "/hosts/%s/gpus/%s/release"
                .formatted(host.path("id").asText(), ApiClient.gpu(host).split("/", -1)[1]);
        Optional<String> key = Optional.of("looked-at");
        for (String role : new String[] {"lender", "renter", "auditor"}) {
            api.call(403, role, "POST", path, ApiClient.body("why", "a new fan"));
        }
        JsonNode released = api.keyed(200, "operator", "POST", path, ApiClient.body("why", "a new fan"), key);
        assertEquals("AVAILABLE", released.path("state").asText());
        assertTrue(released.path("why").asText().contains("released by operator"), released::toString);
        assertEquals(released, api.keyed(200, "operator", "POST", path, ApiClient.body("why", "a new fan"), key));
        assertEquals(released, api.host().path("gpus").get(0).path("condition"));
        assertEquals(
                "why",
                api.call(400, "operator", "POST", path, "{}").path("field").asText());
        String other =
                "/hosts/%s/gpus/0000:1f:1f.7/release".formatted(host.path("id").asText());
        api.call(404, "operator", "POST", other, ApiClient.body("why", "x"));
    }

    /** What parties and the arbiter send to the escrow by themselves, as far as the contract would take it now. */
    void escrow(String id) throws Exception {
        String path = "/rentals/" + id + "/escrow";
        for (String role : new String[] {"renter", "lender"}) {
            String account =
                    api.call(200, role, "GET", "/account", "").path("account").asText();
            for (int leg = 0; leg < 2; leg++) {
                JsonNode end = api.call(200, role, "GET", path + "/end?leg=" + leg, "");
                assertEquals(account, end.path("from").asText(), end::toString);
                assertTrue(end.path("data").asText().length() > 10, end::toString);
            }
            assertEquals(
                    "leg",
                    api.call(400, role, "GET", path + "/end?leg=2", "")
                            .path("field")
                            .asText());
            api.call(409, role, "GET", path + "/settlement", "");
            api.call(409, role, "GET", path + "/settlement?leg=1", "");
        }
        api.call(409, "renter", "GET", path + "/no-show", "");
        api.call(422, "lender", "GET", path + "/no-show", "");

        String evidence = "?evidence=0x" + "5E".repeat(32);
        JsonNode dispute = api.call(200, "renter", "GET", path + "/dispute" + evidence + "&entry=7", "");
        assertEquals(
                "dispute what is paid",
                dispute.get(dispute.size() - 1).path("purpose").asText());
        assertEquals(
                "evidence",
                api.call(400, "renter", "GET", path + "/dispute", "")
                        .path("field")
                        .asText());
        assertEquals(
                "entry",
                api.call(400, "renter", "GET", path + "/dispute" + evidence + "&entry=-1", "")
                        .path("field")
                        .asText());

        api.makeToken("arbiter", ARBITER);
        api.call(422, "arbiter", "GET", path + "/ruling?used=PT1M", "");
        assertEquals(
                "used",
                api.call(400, "arbiter", "GET", path + "/ruling?used=PT2H", "")
                        .path("field")
                        .asText());
        api.call(409, "arbiter", "GET", path + "/settlement", "");
        api.call(403, "arbiter", "GET", path + "/end", "");
        api.makeToken("arbiter", "0x" + "cd".repeat(20));
        api.call(404, "arbiter", "GET", path + "/ruling?used=PT1M", "");

        long before = balance("renter");
        api.sendAll(api.call(200, "renter", "GET", "/account/deposit?units=5", ""));
        assertEquals(before + 5, balance("renter"));
        assertEquals(
                "units",
                api.call(400, "lender", "GET", "/account/deposit?units=0", "")
                        .path("field")
                        .asText());
        JsonNode cancel = api.call(200, "lender", "GET", "/account/offers-cancellation?lane=999", "");
        api.sendAll(ApiClient.MAPPER.createArrayNode().add(cancel));
    }

    private long balance(String role) throws Exception {
        return api.call(200, role, "GET", "/account", "").path("balance").asLong();
    }

    /** The lender gives both deposits back. */
    void release(String id) throws Exception {
        String path = "/rentals/" + id + "/releases";
        api.call(409, "lender", "GET", "/rentals/" + id + "/release", "");
        JsonNode releases = api.call(200, "lender", "GET", path, "");
        assertEquals(2, releases.size(), releases::toString);
        ArrayNode signatures = ApiClient.MAPPER.createArrayNode();
        signatures.add(api.signed("lender", releases.get(0)));
        String one = ApiClient.MAPPER
                .createObjectNode()
                .set("signatures", signatures)
                .toString();
        api.call(422, "lender", "PUT", path + "/signatures", one);
        signatures.add(api.signed("lender", releases.get(1)));
        String both = ApiClient.MAPPER
                .createObjectNode()
                .set("signatures", signatures)
                .toString();
        api.call(200, "lender", "PUT", path + "/signatures", both);
        JsonNode settled = api.await(id, rental -> rental.path("state").asText().equals("SETTLED"));
        assertEquals(settled.path("deposit"), settled.path("settlement").path("refunded"), settled::toString);
        assertEquals("0", settled.path("settlement").path("paid").asText());
    }

    /** A lender keeps its gpu for itself for a while. */
    void maintain(String listing, Instant booked) throws Exception {
        ObjectNode host = api.host();
        String path = "/hosts/" + host.path("id").asText() + "/maintenance";
        Instant start = booked.plus(12, ChronoUnit.HOURS);
        ObjectNode block =
                ApiClient.MAPPER.createObjectNode().put("name", "new-fan").put("why", "a new fan");
        block.put("start", start.toString()).put("end", start.plusSeconds(3600).toString());
        block.putArray("gpus").add(ApiClient.gpu(host));
        api.call(403, "renter", "POST", path, block.toString());
        assertEquals(
                "gpus",
                api.call(
                                400,
                                "lender",
                                "POST",
                                path,
                                block.deepCopy().without("gpus").toString())
                        .path("field")
                        .asText());
        ObjectNode taken = block.deepCopy().put("name", "taken");
        taken.put("start", booked.toString()).put("end", booked.plusSeconds(60).toString());
        api.call(409, "lender", "POST", path, taken.toString());

        Optional<String> blocking = Optional.of("fan");
        JsonNode made = api.keyed(201, "lender", "POST", path, block.toString(), blocking);
        assertEquals(made, api.keyed(201, "lender", "POST", path, block.toString(), blocking));
        assertEquals(made, api.call(201, "lender", "POST", path, block.toString()));
        JsonNode all = api.call(200, "lender", "GET", path, "");
        assertEquals(1, all.size());
        assertEquals(made, all.get(0));
        String window = ApiClient.body(
                "listing",
                listing,
                "start",
                start.toString(),
                "end",
                start.plusSeconds(60).toString());
        api.call(409, "renter", "POST", "/quotes", window);
        Optional<String> unblocking = Optional.of("fan-done");
        api.keyed(204, "lender", "DELETE", path + "/new-fan", "", unblocking);
        api.keyed(204, "lender", "DELETE", path + "/new-fan", "", unblocking);
        api.call(404, "lender", "DELETE", path + "/new-fan", "");
        long total =
                api.call(201, "renter", "POST", "/quotes", window).path("total").asLong();
        String held = bookInOneStep(listing, start, total);
        Optional<String> key = Optional.of("off-" + held);
        JsonNode off = api.keyed(200, "renter", "POST", "/rentals/" + held + "/cancellation", "", key);
        assertEquals("CANCELLED", off.path("state").asText());
        assertEquals(off, api.keyed(200, "renter", "POST", "/rentals/" + held + "/cancellation", "", key));
    }

    private String bookInOneStep(String listing, Instant start, long total) throws Exception {
        String book = "/listings/" + listing + "/rentals";
        JsonNode dear = api.call(422, "renter", "POST", book, booking(start, total - 1));
        assertTrue(dear.path("detail").asText().contains(Long.toString(total)), dear::toString);
        Optional<String> once = Optional.of("book-" + start);
        JsonNode booked = api.keyed(201, "renter", "POST", book, booking(start, total), once);
        assertEquals(booked, api.keyed(201, "renter", "POST", book, booking(start, total), once));
        api.call(409, "renter", "POST", book, booking(start, total));
        return booked.path("id").asText();
    }

    private static String booking(Instant start, long most) {
        return ApiClient.body(
                "start", start.toString(), "end", start.plusSeconds(60).toString(), "most", Long.toString(most));
    }

    /** What a settled rental leaves behind. */
    void records() throws Exception {
        JsonNode settled = ApiClient.MAPPER.nullNode();
        for (JsonNode rental : api.call(200, "renter", "GET", "/rentals", "")) {
            if (rental.path("state").asText().equals("SETTLED")
                    && !rental.path("machine").isEmpty()) {
                settled = rental;
            }
        }
        String id = settled.path("id").asText();
        HttpResponse<String> manifest =
                api.send("lender", "GET", "/rentals/" + id + "/manifest", Optional.empty(), Optional.empty());
        assertEquals(200, manifest.statusCode(), manifest.body());
        assertEquals(manifest.body(), Manifest.parse(manifest.body()).json());
        assertEquals(
                id,
                ApiClient.MAPPER
                        .readTree(manifest.body())
                        .path("terms")
                        .path("rental")
                        .asText());

        String month = YearMonth.now(ZoneOffset.UTC).toString();
        for (String role : new String[] {"lender", "renter"}) {
            JsonNode invoice = api.call(200, role, "GET", "/invoices/" + month, "");
            JsonNode line = ApiClient.MAPPER.nullNode();
            for (JsonNode each : invoice.path("lines")) {
                line = each.path("rental").asText().equals(id) ? each : line;
            }
            assertEquals(settled.path("settlement").path("paid"), line.path("paid"), invoice::toString);
            HttpResponse<String> csv =
                    api.send(role, "GET", "/invoices/" + month + "?format=csv", Optional.empty(), Optional.empty());
            assertEquals(
                    "text/csv; charset=utf-8",
                    csv.headers().firstValue("Content-Type").orElseThrow());
            assertTrue(csv.body().contains(id), csv.body());
            HttpResponse<String> html =
                    api.send(role, "GET", "/invoices/" + month + "?format=html", Optional.empty(), Optional.empty());
            assertTrue(html.body().contains("<html") && html.body().contains(id), html.body());
        }
        String lender = settled.path("lender").asText();
        JsonNode reputation = api.call(200, "renter", "GET", "/accounts/" + lender + "/reputation", "");
        assertTrue(reputation.path("asLender").path("evidence").asDouble() > 0, reputation::toString);
        assertTrue(reputation.path("asRenter").path("unknown").asBoolean(), reputation::toString);
    }

    /** The renter revokes a certificate, and an operator all; a new one is had afterwards. */
    void revoke(String id) throws Exception {
        String path = "/rentals/" + id;
        String key =
                ApiClient.body("publicKey", HostKeyPair.generate().publicKey().line());
        String serial = api.call(200, "renter", "POST", path + "/certificate", key)
                .path("serial")
                .asText();
        String body = "{\"serials\":[\"%s\"]}".formatted(serial);
        api.call(404, "renter", "POST", path + "/revocations", "{\"serials\":[\"12345\"]}");
        JsonNode malformed = api.call(400, "renter", "POST", path + "/revocations", "{\"serials\":[\"-1\"]}");
        assertEquals("serials", malformed.path("field").asText());
        api.call(200, "renter", "POST", path + "/revocations", body);
        api.call(200, "renter", "POST", path + "/revocations", body);
        String operations = "/operations" + path + "/revocations";
        JsonNode unsaid = api.call(400, "operator", "POST", operations, body);
        assertEquals("why", unsaid.path("field").asText());
        String second = api.call(200, "renter", "POST", path + "/certificate", key)
                .path("serial")
                .asText();
        api.call(200, "operator", "POST", operations, ApiClient.body("why", "the renter called"));
        int revocations = 0;
        for (JsonNode event : api.call(200, "renter", "GET", path + "/history", "")) {
            if (event.path("type").asText().startsWith("certificates-revoked")) {
                revocations++;
                assertEquals(revocations == 2, event.path("json").asText().contains(second), event::toString);
            }
        }
        assertEquals(2, revocations);
    }
}
