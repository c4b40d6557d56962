package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** Sessions on a real VM over HTTP, one after another on the machine's only gpu: how they end, and what is paid then. */
final class SessionWalk {
    private static final String LISTING = "sessions";
    private static final Duration AHEAD = Duration.ofSeconds(12);

    private final ApiClient api;

    SessionWalk(ApiClient api) {
        this.api = api;
    }

    /** Lists the gpu so that one session may follow another at once. */
    void list() throws Exception {
        ObjectNode listing = api.listing();
        ((ObjectNode) listing.path("rules")).put("shortest", "PT10S").put("turnover", "PT0S");
        api.call(200, "lender", "PUT", "/listings/" + LISTING, listing.toString());
    }

    private String begin(Duration length) throws Exception {
        Instant start = Instant.now().plus(AHEAD).truncatedTo(ChronoUnit.SECONDS);
        String id = api.book(LISTING, start, length);
        api.await(id, "ACTIVE");
        return id;
    }

    /** The lender ends it and answers for it; the time used is paid, by a receipt that both sign. */
    void lenderEnds() throws Exception {
        String id = begin(Duration.ofHours(1));
        String path = "/rentals/" + id;
        Optional<String> key = Optional.of("end-" + id);
        JsonNode ended = api.keyed(200, "lender", "POST", path + "/end", "", key);
        assertEquals("BY_LENDER", ended.path("endCause").asText());
        assertEquals(ended, api.keyed(200, "lender", "POST", path + "/end", "", key));
        api.await(id, "ENDED");
        api.call(409, "lender", "POST", path + "/end", "");
        api.call(409, "renter", "POST", path + "/certificate", ApiClient.body("publicKey", "ssh-ed25519 AAAA"));

        String receipt = path + "/receipt";
        String lenders = ApiClient.body("signature", api.signed("lender", api.call(200, "lender", "GET", receipt, "")));
        api.call(409, "lender", "PUT", receipt + "/signature", lenders);
        api.call(422, "renter", "PUT", receipt + "/signature", lenders);
        String renters = ApiClient.body("signature", api.signed("renter", api.call(200, "renter", "GET", receipt, "")));
        api.call(200, "renter", "PUT", receipt + "/signature", renters);
        api.call(200, "lender", "PUT", receipt + "/signature", lenders);
        JsonNode settled = api.await(id, "SETTLED");
        assertEquals("LENDER", settled.path("fault").path("blame").asText(), settled::toString);
        assertPaidAsDue(settled);
    }

    /** An operator ends it for a reason of the platform's, which both parties read. */
    void operatorEnds() throws Exception {
        String id = begin(Duration.ofHours(1));
        String path = "/operations/rentals/" + id + "/end";
        String why = ApiClient.body("blame", "PLATFORM", "why", "the building is closed");
        Optional<String> key = Optional.of("end-" + id);
        JsonNode ended = api.keyed(200, "operator", "POST", path, why, key);
        assertEquals(ended, api.keyed(200, "operator", "POST", path, why, key));
        assertEquals("BY_OPERATOR", ended.path("endCause").asText());
        JsonNode fault = api.await(id, "ENDED").path("fault");
        assertEquals("PLATFORM", fault.path("blame").asText());
        assertEquals("the building is closed", fault.path("what").asText());
        assertPaidAsDue(api.settle(id));
    }

    /** A running session gets more time, and lasts until then; both escrows are settled, and the invoice adds up. */
    void extendedSession_lastsToItsNewEnd() throws Exception {
        String id = begin(Duration.ofSeconds(30));
        String path = "/rentals/" + id;
        JsonNode before = api.call(200, "renter", "GET", path, "");
        Instant end = Instant.parse(before.path("window").path("end").asText()).plusSeconds(10);
        String quote = api.call(
                        201, "renter", "POST", path + "/extensions/quotes", ApiClient.body("end", end.toString()))
                .path("id")
                .asText();
        api.call(201, "renter", "POST", path + "/extensions", ApiClient.body("quote", quote));
        api.await(id, rental -> rental.path("legs").path(1).path("offerWritten").asBoolean());
        api.fund(id, 1);
        JsonNode ended = api.await(id, "ENDED");
        assertEquals("WINDOW_OVER", ended.path("endCause").asText(), ended::toString);
        Instant at = Instant.parse(ended.path("endedAt").asText());
        assertTrue(!at.isBefore(end) && at.isBefore(end.plusSeconds(5)), ended::toString);
        assertEquals(2, api.call(200, "renter", "GET", path + "/receipts", "").size());
        JsonNode settled = api.settle(id);
        assertPaidAsDue(settled);

        String month = YearMonth.now(ZoneOffset.UTC).toString();
        BigInteger invoiced = BigInteger.ZERO;
        for (JsonNode line :
                api.call(200, "lender", "GET", "/invoices/" + month, "").path("lines")) {
            if (line.path("rental").asText().equals(id)) {
                invoiced = invoiced.add(new BigInteger(line.path("paid").asText()));
            }
        }
        assertEquals(paid(settled), invoiced);
        assertTrue(paid(settled).signum() > 0, settled::toString);
    }

    private static BigInteger paid(JsonNode rental) {
        return new BigInteger(rental.path("settlement").path("paid").asText());
    }

    private static void assertPaidAsDue(JsonNode settled) {
        BigInteger refunded =
                new BigInteger(settled.path("settlement").path("refunded").asText());
        assertEquals(new BigInteger(settled.path("due").asText()), paid(settled), settled::toString);
        assertEquals(
                new BigInteger(settled.path("deposit").asText()), paid(settled).add(refunded), settled::toString);
    }
}
