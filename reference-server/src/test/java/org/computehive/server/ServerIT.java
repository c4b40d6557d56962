package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.computehive.store.PostgresServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** The real server on real parts: the walk with curl up to a login and the settlement, and what it refuses. */
@Timeout(600)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ServerIT {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String NO_RENTAL = "0".repeat(26);

    private final HttpClient http = HttpClient.newHttpClient();
    private Path folder;
    private Application server;

    @BeforeAll
    void start() throws IOException {
        folder = folder();
        server = Application.start(arguments(folder), line -> {});
    }

    @AfterAll
    void stop() throws IOException {
        server.close();
        delete(folder);
    }

    /** QEMU's own user, where this process is root, must pass through. */
    private static Path folder() throws IOException {
        return Files.setPosixFilePermissions(
                Files.createTempDirectory("computehive-server-"), PosixFilePermissions.fromString("rwx--x--x"));
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static List<String> arguments(Path data, String... more) {
        var arguments = new ArrayList<>(List.of(
                "--data=" + data,
                "--port=0",
                "--chain.port=0",
                "--gateway.port=0",
                "--policy.lead=PT25S",
                "--policy.watch=PT2S"));
        arguments.addAll(List.of(more));
        return arguments;
    }

    private static String walk(Application server, Path data, Map<String, String> more) throws Exception {
        var builder = new ProcessBuilder("bash", "src/test/resources/curl-walk.sh").redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of(
                        "API", server.url().toString(),
                        "RPC", server.platform().devNode().orElseThrow().toString(),
                        "TOKENS", data.resolve("tokens").toString()));
        builder.environment().putAll(more);
        Path log = Files.createTempFile("computehive-walk-", ".log");
        try {
            Process process = builder.redirectOutput(log.toFile()).start();
            boolean ended = process.waitFor(5, TimeUnit.MINUTES);
            if (!ended) {
                process.destroyForcibly();
            }
            String said = Files.readString(log);
            assertTrue(ended, () -> "the walk did not end within 5 minutes:\n" + said);
            assertEquals(0, process.exitValue(), said);
            return said;
        } finally {
            Files.delete(log);
        }
    }

    private HttpResponse<String> send(String role, String method, String path, Optional<String> body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path))
                .method(method, body.map(BodyPublishers::ofString).orElse(BodyPublishers.noBody()))
                .header("Content-Type", "application/json");
        if (!role.isEmpty()) {
            request.header("Authorization", header(role));
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private String header(String role) throws IOException {
        return role.equals("nobody")
                ? "Bearer abc"
                : Files.readString(folder.resolve("tokens").resolve(role))
                        .strip()
                        .substring("Authorization: ".length());
    }

    @Test
    void theWalkWithCurl_reachesALoginAndASettlementThatAddsUp() throws Exception {
        String said = walk(server, folder, Map.of());

        assertTrue(said.contains("\nrenter\n"), said);
        assertTrue(said.contains("SETTLED at version"), said);
        assertTrue(said.contains("BEGIN:VCALENDAR"), said);
        assertTrue(said.contains("computehive.local/audit"), said);

        byte[] stored = Files.readAllBytes(folder.resolve("audit/checkpoint"));
        assertArrayEquals(
                stored,
                send("auditor", "GET", "/audit/checkpoint", Optional.empty())
                        .body()
                        .getBytes());
        String entries = entriesPath();
        assertEquals(
                200,
                send("auditor", "GET", "/audit/tile/" + entries, Optional.empty())
                        .statusCode());
        new RouteWalk(server, this::header).records();
    }

    @Test
    void rentalOfTomorrow_extendedReclaimedAndReleased_isPaidBackInFull() throws Exception {
        var routes = new RouteWalk(server, this::header);
        Instant start = Instant.now().truncatedTo(ChronoUnit.HOURS).plus(48, ChronoUnit.HOURS);
        String listing = routes.list("tomorrow");

        String rental = routes.book(listing, start);
        routes.extend(rental, start.plusSeconds(7200));
        routes.refuseBeforeTheStart(rental);
        routes.maintain(listing, start);
        routes.reclaim(rental, start.plusSeconds(1800));
        routes.release(rental);
    }

    private String entriesPath() throws IOException {
        Path tiles = folder.resolve("audit/tile");
        try (Stream<Path> files = Files.walk(tiles.resolve("entries"))) {
            return tiles.relativize(
                            files.filter(Files::isRegularFile).findFirst().orElseThrow())
                    .toString();
        }
    }

    @Test
    void onPostgres_theWalkReachesTheFundedEscrow() throws Exception {
        Path data = folder();
        try (var postgres = PostgresServer.start()) {
            Path password = data.resolve("password");
            Files.createFile(
                    password, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(password, postgres.password());
            try (var other = Application.start(
                    arguments(
                            data,
                            "--store.kind=postgres",
                            "--store.url=" + postgres.createDatabase(),
                            "--store.user=" + postgres.user(),
                            "--store.password-file=" + password),
                    line -> {})) {
                assertTrue(walk(other, data, Map.of("UNTIL", "funded", "LEAD", "3600"))
                        .contains("FUNDED at version 4"));
            }
        } finally {
            delete(data);
        }
    }

    /** A request that is refused, and how. */
    private record Bad(String role, String method, String path, String body, int status, String field) {}

    private static List<Bad> badRequests() {
        String rental = "/rentals/" + NO_RENTAL;
        return List.of(
                new Bad("", "GET", "/hosts", "", 401, ""),
                new Bad("nobody", "GET", "/hosts", "", 401, ""),
                new Bad("", "GET", "/feeds/abc.ics", "", 404, ""),
                new Bad("", "GET", "/feeds/abc", "", 404, ""),
                new Bad("", "POST", "/feeds", "{\"scope\":\"RENTALS\"}", 401, ""),
                new Bad("", "DELETE", "/feeds", "", 401, ""),
                new Bad("auditor", "POST", "/feeds", "{\"scope\":\"RENTALS\"}", 403, ""),
                new Bad("renter", "POST", "/feeds", "{\"scope\":\"ALL\"}", 400, "scope"),
                new Bad("renter", "POST", "/feeds", "{}", 400, "scope"),
                new Bad(
                        "renter",
                        "POST",
                        "/feeds",
                        "{\"scope\":\"RENTALS\",\"expires\":\"2001-01-01T00:00:00Z\"}",
                        400,
                        "expires"),
                new Bad("renter", "POST", "/feeds", "{\"scope\":\"RENTALS\",\"expires\":\"soon\"}", 400, "expires"),
                new Bad("", "GET", "/nothing", "", 401, ""),
                new Bad("renter", "GET", "/nothing", "", 404, ""),
                new Bad("renter", "DELETE", "/hosts", "", 405, ""),
                new Bad("auditor", "GET", "/hosts", "", 403, ""),
                new Bad("auditor", "GET", "/rentals", "", 403, ""),
                new Bad("operator", "GET", "/rentals", "", 403, ""),
                new Bad("lender", "POST", "/tokens", "{\"account\":\"0x00\",\"role\":\"LENDER\"}", 403, ""),
                new Bad("operator", "POST", "/tokens", "{\"account\":\"0x00\",\"role\":\"LENDER\"}", 400, "account"),
                new Bad(
                        "operator",
                        "POST",
                        "/tokens",
                        "{\"account\":\"0x" + "0".repeat(40) + "\",\"role\":\"KING\"}",
                        400,
                        "role"),
                new Bad("lender", "POST", "/price-suggestions", "{", 400, ""),
                new Bad("lender", "POST", "/price-suggestions", "", 400, ""),
                new Bad("lender", "POST", "/price-suggestions", "[]", 400, ""),
                new Bad("lender", "POST", "/price-suggestions", "{\"gpuModel\":\"x\",\"gpuModel\":\"y\"}", 400, ""),
                new Bad("lender", "POST", "/price-suggestions", "{\"gpuCount\":\"two\"}", 400, "gpuCount"),
                new Bad(
                        "lender",
                        "POST",
                        "/price-suggestions",
                        "{\"gpuModel\":\"x\",\"gpuCount\":0,\"cpus\":1,\"memoryMiB\":1}",
                        422,
                        ""),
                new Bad("lender", "PUT", "/listings/a", "{\"price\":\"1\",\"discount\":1}", 400, "discount"),
                new Bad("lender", "PUT", "/listings/a", "{\"shape\":{\"cpus\":\"many\"}}", 400, "shape.cpus"),
                new Bad("lender", "PUT", "/listings/a", "{}", 400, "host"),
                new Bad("lender", "PUT", "/listings/A_B", "{}", 400, "id"),
                new Bad("lender", "PUT", "/listings/a", "{\"host\":\"" + "x".repeat(70_000) + "\"}", 413, ""),
                new Bad("renter", "PUT", "/listings/a", "{}", 403, ""),
                new Bad("renter", "GET", "/listings/nothing", "", 404, ""),
                new Bad("renter", "GET", "/listings", "", 400, "start"),
                new Bad("renter", "GET", "/listings?start=today&end=tomorrow", "", 400, "start"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T01:00:00Z&end=2027-01-01T00:00:00Z",
                        "",
                        400,
                        "end"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&gpus=-1",
                        "",
                        400,
                        "gpus"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&region=Europe",
                        "",
                        400,
                        "region"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&length=PT2H",
                        "",
                        400,
                        "length"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&interconnect=ROPE",
                        "",
                        400,
                        "interconnect"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&reputation=1001",
                        "",
                        400,
                        "reputation"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&emulated=maybe",
                        "",
                        400,
                        "emulated"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&answers=0",
                        "",
                        400,
                        "answers"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&gpus=4&gpusAtMost=2",
                        "",
                        400,
                        "gpusAtMost"),
                new Bad(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&atMostPerGpu=-1",
                        "",
                        400,
                        "atMostPerGpu"),
                new Bad(
                        "renter",
                        "POST",
                        "/quotes",
                        "{\"listing\":\"nothing\",\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-01T01:00:00Z\"}",
                        404,
                        ""),
                new Bad("renter", "POST", "/quotes", "{\"listing\":7}", 400, "listing"),
                new Bad("lender", "POST", "/quotes", "{}", 403, ""),
                new Bad("renter", "POST", "/rentals", "{\"quote\":\"x\"}", 400, "quote"),
                new Bad("renter", "POST", "/rentals", "{\"quote\":\"" + NO_RENTAL + "\"}", 404, ""),
                new Bad("renter", "GET", "/rentals/x", "", 400, "id"),
                new Bad("renter", "GET", rental, "", 404, ""),
                new Bad("renter", "GET", rental + "?after=-1", "", 404, ""),
                new Bad("renter", "GET", rental + "/offer", "", 404, ""),
                new Bad("renter", "PUT", rental + "/offer/signature", "{\"signature\":\"0x00\"}", 403, ""),
                new Bad("lender", "PUT", rental + "/offer/signature", "{\"signature\":\"0x00\"}", 404, ""),
                new Bad("renter", "POST", rental + "/certificate", "{\"publicKey\":\"x\"}", 404, ""),
                new Bad("lender", "POST", rental + "/end", "", 404, ""),
                new Bad("auditor", "POST", rental + "/end", "", 403, ""),
                new Bad("lender", "POST", rental + "/extensions", "{}", 403, ""),
                new Bad("renter", "POST", rental + "/extensions", "{}", 400, "quote"),
                new Bad("renter", "POST", rental + "/extensions/quotes", "{}", 400, "end"),
                new Bad("renter", "POST", rental + "/reclaim", "{}", 403, ""),
                new Bad("lender", "POST", rental + "/reclaim", "{\"at\":\"soon\"}", 400, "at"),
                new Bad("renter", "GET", rental + "/manifest", "", 404, ""),
                new Bad("renter", "GET", rental + "/offers", "", 404, ""),
                new Bad("renter", "GET", rental + "/receipts", "", 404, ""),
                new Bad("renter", "PUT", rental + "/receipts/signatures", "{\"signatures\":7}", 400, "signatures"),
                new Bad("renter", "PUT", rental + "/releases/signatures", "{}", 403, ""),
                new Bad("lender", "GET", "/operations/rentals/stuck", "", 403, ""),
                new Bad("renter", "POST", "/operations" + rental + "/end", "{}", 403, ""),
                new Bad("operator", "POST", "/operations" + rental + "/end", "{}", 400, "blame"),
                new Bad("operator", "POST", "/operations" + rental + "/end", "{\"blame\":\"NOBODY\"}", 400, "why"),
                new Bad(
                        "operator",
                        "POST",
                        "/operations" + rental + "/end",
                        "{\"blame\":\"NOBODY\",\"why\":\"a test\"}",
                        404,
                        ""),
                new Bad("operator", "POST", "/operations" + rental + "/resume", "{\"note\":\"a\\nb\"}", 400, "note"),
                new Bad("operator", "POST", "/operations" + rental + "/resume", "{\"note\":\"seen\"}", 404, ""),
                new Bad("renter", "GET", "/hosts/local/maintenance", "", 403, ""),
                new Bad("lender", "GET", "/hosts/nowhere/maintenance", "", 404, ""),
                new Bad("lender", "GET", "/hosts/No_Host/maintenance", "", 400, "host"),
                new Bad("lender", "POST", "/hosts/local/maintenance", "{}", 400, "name"),
                new Bad("operator", "GET", "/invoices/2026-11", "", 403, ""),
                new Bad("renter", "GET", "/invoices/2026-13", "", 400, "month"),
                new Bad("renter", "GET", "/invoices/2026-11?format=pdf", "", 400, "format"),
                new Bad("auditor", "GET", "/accounts/0x00/reputation", "", 403, ""),
                new Bad("renter", "GET", "/accounts/0x00/reputation", "", 400, "account"),
                new Bad("renter", "POST", rental + "/end", "", 404, ""),
                new Bad("renter", "POST", rental + "/cancellation", "", 404, ""),
                new Bad("renter", "GET", rental + "/receipt", "", 404, ""),
                new Bad("renter", "PUT", rental + "/receipt/signature", "{}", 404, ""),
                new Bad("lender", "GET", rental + "/release", "", 404, ""),
                new Bad("renter", "PUT", rental + "/release/signature", "{}", 403, ""),
                new Bad("renter", "GET", rental + "/history", "", 404, ""),
                new Bad("renter", "GET", rental + "/calendar", "", 404, ""),
                new Bad("", "GET", "/audit/checkpoint", "", 401, ""),
                new Bad("auditor", "GET", "/audit/private/lock", "", 404, ""),
                new Bad("auditor", "GET", "/audit/tile/../private/lock", "", 404, ""),
                new Bad("auditor", "GET", "/audit/tile/%2e%2e/private/lock", "", 404, ""),
                new Bad("auditor", "GET", "/audit/tile/0/..%2f..%2fcheckpoint", "", 404, ""),
                new Bad("auditor", "GET", "/audit/tile/0/999", "", 404, ""));
    }

    @Test
    void badRequests_areRefusedWithAProblemThatNamesTheField() throws Exception {
        var wrong = new ArrayList<String>();
        for (Bad bad : badRequests()) {
            HttpResponse<String> answer = send(
                    bad.role(),
                    bad.method(),
                    bad.path(),
                    bad.body().isEmpty() ? Optional.empty() : Optional.of(bad.body()));
            String type = answer.headers().firstValue("Content-Type").orElse("");
            JsonNode problem = type.startsWith("application/problem+json")
                    ? MAPPER.readTree(answer.body())
                    : MAPPER.createObjectNode();
            boolean good = answer.statusCode() == bad.status()
                    && problem.path("status").asInt() == bad.status()
                    && !problem.path("detail").asText().isEmpty()
                    && problem.path("field").asText().equals(bad.field())
                    && !answer.body().contains("org.computehive")
                    && !answer.body().contains("Exception")
                    && !answer.body().contains("\\tat ");
            if (!good) {
                String body = bad.body().length() > 80 ? bad.body().substring(0, 80) : bad.body();
                wrong.add("%s %s %s %s: expected %d %s, got %d %s %s"
                        .formatted(
                                bad.role(),
                                bad.method(),
                                bad.path(),
                                body,
                                bad.status(),
                                bad.field(),
                                answer.statusCode(),
                                type,
                                answer.body()));
            }
        }
        assertEquals(List.of(), wrong, () -> String.join("\n", wrong));
    }

    @Test
    void feed_isReadByItsAddressAlone_untilItIsRevoked() throws Exception {
        HttpResponse<String> made = send("renter", "POST", "/feeds", Optional.of("{\"scope\":\"RENTALS\"}"));
        assertEquals(201, made.statusCode(), made.body());
        String path = MAPPER.readTree(made.body()).path("path").asText();
        HttpResponse<String> feed = send("", "GET", path, Optional.empty());
        assertEquals(200, feed.statusCode(), feed.body());
        assertTrue(feed.body().startsWith("BEGIN:VCALENDAR\r\n"), feed.body());
        assertEquals(
                "text/calendar; charset=utf-8",
                feed.headers().firstValue("Content-Type").orElseThrow());
        assertTrue(feed.headers().firstValue("Last-Modified").orElseThrow().endsWith(" GMT"));

        String etag = feed.headers().firstValue("ETag").orElseThrow();
        HttpRequest again = HttpRequest.newBuilder(URI.create(server.url() + path))
                .header("If-None-Match", "\"other\", " + etag)
                .build();
        HttpResponse<String> same = http.send(again, BodyHandlers.ofString());
        assertEquals(304, same.statusCode());
        assertEquals("", same.body());
        assertEquals(etag, same.headers().firstValue("ETag").orElseThrow());

        String busy = MAPPER.readTree(send(
                                "lender",
                                "POST",
                                "/feeds",
                                Optional.of("{\"scope\":\"FREE_BUSY\",\"expires\":\"2999-01-01T00:00:00Z\"}"))
                        .body())
                .path("path")
                .asText();
        assertTrue(send("", "GET", busy, Optional.empty()).body().contains("BEGIN:VFREEBUSY"));

        assertEquals(204, send("renter", "DELETE", "/feeds", Optional.empty()).statusCode());
        HttpResponse<String> revoked = send("", "GET", path, Optional.empty());
        assertEquals(404, revoked.statusCode());
        assertFalse(revoked.body().contains(path), "an address is not repeated");
        assertEquals(200, send("", "GET", busy, Optional.empty()).statusCode());
    }

    @Test
    void description_andHealth_areOpenToAll() throws Exception {
        HttpResponse<String> description = send("", "GET", "/openapi.yml", Optional.empty());

        assertEquals(200, send("", "GET", "/health", Optional.empty()).statusCode());
        assertEquals(200, description.statusCode());
        for (String part : List.of(
                "openapi: 3",
                "/rentals/{id}/offer/signature:",
                "scheme: bearer",
                "Problem:",
                "name: Idempotency-Key")) {
            assertTrue(description.body().contains(part), part);
        }
        assertFalse(description.body().contains("Caller"), "what the token says is no parameter");
    }

    @Test
    void start_onABusyPort_saysSoAndLeavesNothingRunning() throws IOException {
        Path data = folder();
        try {
            RuntimeException error = assertThrows(
                    RuntimeException.class,
                    () -> Application.start(
                            List.of("--data=" + data, "--port=" + server.url().getPort()), line -> {}));

            assertTrue(error.getMessage().contains("--port"), error.getMessage());
            try (Stream<Path> left = Files.list(data)) {
                assertEquals(0, left.count());
            }
        } finally {
            delete(data);
        }
    }

    @Test
    void start_withAnUnknownOption_isRefused() {
        assertThrows(Application.UsageException.class, () -> Application.start(List.of("--prot=1"), line -> {}));
    }
}
