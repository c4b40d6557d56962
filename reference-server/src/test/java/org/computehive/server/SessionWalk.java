package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
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

    /**
     * An operator lets itself in for a while, then ends the session for a reason of the platform's, which both parties
     * read.
     */
    String operatorBreaksGlassAndEnds() throws Exception {
        String id = begin(Duration.ofHours(1));
        breakGlass(id);
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
        return id;
    }

    private void breakGlass(String id) throws Exception {
        String path = "/operations/rentals/" + id + "/break-glass";
        Path folder = Files.createTempDirectory("computehive-glass-");
        try {
            Path key = folder.resolve("id");
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.toString());
            String publicKey = Files.readString(folder.resolve("id.pub")).strip();
            api.call(403, "renter", "POST", path, glass(publicKey, "curious", Duration.ofMinutes(5), folder));
            api.call(409, "operator", "POST", path, glass(publicKey, "too long", Duration.ofMinutes(20), folder));
            api.call(422, "operator", "POST", path, glass(publicKey, "past its end", Duration.ofHours(2), folder));
            JsonNode unsaid = api.call(
                    400, "operator", "POST", path, ApiClient.body("publicKey", publicKey, "until", "" + Instant.now()));
            assertEquals("reason", unsaid.path("field").asText());

            JsonNode granted = api.call(
                    200, "operator", "POST", path, glass(publicKey, "asked to help", Duration.ofMinutes(5), folder));
            Files.writeString(
                    folder.resolve("id-cert.pub"), granted.path("certificate").asText() + "\n");
            Path config = folder.resolve("ssh_config");
            Files.writeString(config, granted.path("sshConfig").asText());
            Files.writeString(
                    folder.resolve("known_hosts"), granted.path("knownHosts").asText());
            assertEquals("renter\n", run("ssh", "-F", config.toString(), "ch-" + id, "whoami"));
            for (JsonNode event : api.call(200, "renter", "GET", "/rentals/" + id + "/history", "")) {
                assertFalse(event.path("type").asText().startsWith("entered"), "the renter never came");
            }
        } finally {
            for (String name : List.of("id", "id.pub", "id-cert.pub", "ssh_config", "known_hosts")) {
                Files.deleteIfExists(folder.resolve(name));
            }
            Files.delete(folder);
        }
    }

    private static String glass(String publicKey, String reason, Duration length, Path folder) {
        return ApiClient.body(
                "publicKey",
                publicKey,
                "reason",
                reason,
                "until",
                Instant.now().plus(length).toString(),
                "folder",
                folder.toString());
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ": " + said);
        return said;
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
