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
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.caldav.Radicale;
import org.computehive.server.platform.TemporaryPostgres;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real server on real parts: the walk with curl up to a login and the settlement, and what it refuses. */
@Timeout(600)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ServerIT {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** The development chain's accounts are the same everywhere. */
    private static final Map<String, String> ACCOUNTS = Map.of(
            "lender", "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
            "renter", "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");

    private final HttpClient http = HttpClient.newHttpClient();

    private @Nullable Radicale calendars;
    private @Nullable Path folder;
    private @Nullable Application server;
    private ApiClient api;

    @BeforeAll
    void start(@TempDir Path calendarFolder) throws Exception {
        folder = folder();
        calendars = Radicale.start(calendarFolder);
        Path passphrase = calendarFolder.resolve("passphrase");
        secret(passphrase, "correct horse battery");
        var more = new ArrayList<>(List.of(
                "--caldav.private-addresses=true",
                "--policy.retry=PT1S",
                "--policy.stuck-after=PT2S",
                "--policy.confirm-extension=PT1S",
                "--authorities.user.passphrase-file=" + passphrase,
                "--authorities.host.passphrase-file=" + passphrase,
                "--gateway.break-glass=PT10M",
                "--gateway.rental-bytes=100000000",
                "--gateway.rental-bytes-per-second=10000000"));
        for (String party : List.of("lender", "renter")) {
            Path password = calendarFolder.resolve(party + "-password");
            secret(password, calendars.password(party));
            String key = "--caldav.calendars.%s.".formatted(party);
            more.add(key + "account=" + ACCOUNTS.get(party));
            more.add(key + "url=" + calendars.collection(party, "rentals"));
            more.add(key + "user=" + party);
            more.add(key + "password-file=" + password);
        }
        more.add("--caldav.calendars.lender.on-cancel=remove");
        server = Application.start(arguments(folder, more.toArray(String[]::new)), line -> {});
        api = ApiClient.of(server);
    }

    @AfterAll
    void stop() throws Exception {
        if (server != null) {
            server.close();
        }
        if (calendars != null) {
            calendars.close();
        }
        if (folder != null) {
            delete(folder);
        }
    }

    private static void secret(Path file, String text) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
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
        return api.send(role, method, path, body, Optional.empty());
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
        new RouteWalk(api).records();
    }

    @Test
    void rentalOfTomorrow_extendedReclaimedAndReleased_isPaidBackInFull() throws Exception {
        var routes = new RouteWalk(api);
        Instant start = Instant.now().truncatedTo(ChronoUnit.HOURS).plus(48, ChronoUnit.HOURS);
        String listing = routes.list("tomorrow");

        String rental = routes.book(listing, start);
        routes.extend(rental, start.plusSeconds(7200));
        routes.refuseBeforeTheStart(rental);
        routes.revoke(rental);
        routes.escrow(rental);
        routes.maintain(listing, start);
        routes.releaseGpu();
        routes.reclaimTooSoon(rental);
        routes.reclaim(rental, start.plusSeconds(1800));
        routes.release(rental);
    }

    @Test
    void sessions_endedByLenderOperatorAndTheirExtendedWindow_arePaidAsUsed() throws Exception {
        var sessions = new SessionWalk(api);
        sessions.list();
        sessions.lenderEnds();
        String entered = sessions.operatorBreaksGlassAndEnds();
        List<String> noted = accessNotes(entered);
        assertTrue(noted.contains("access.glass-accepted"), noted::toString);
        assertTrue(
                noted.indexOf("access.glass-broken") < noted.indexOf("access.glass-accepted"),
                "the grant is noted before the login: " + noted);
        assertEquals(1, noted.stream().filter("access.glass-broken"::equals).count(), "what is refused is no grant");
        sessions.extendedSession_lastsToItsNewEnd();
    }

    /** Returns what the audit log has of a rental beside its events, in order. */
    private List<String> accessNotes(String rental) {
        return auditEntries(server)
                .filter(entry -> entry.number().isEmpty() && entry.rental().equals(Optional.of(rental)))
                .map(AuditEntry::type)
                .toList();
    }

    private static Stream<AuditEntry> auditEntries(Application of) {
        AuditLog log = of.platform().local().auditLog();
        return log.entries(0, log.size()).stream().map(AuditEntry::parse);
    }

    @Test
    void calendarServer_thatIsDown_leavesAStuckStep_andHasTheRentalOnceItIsBack() throws Exception {
        String listing = "calendars";
        api.call(200, "lender", "PUT", "/listings/" + listing, api.listing().toString());
        var walk = new CalendarWalk(api, calendars);
        String rental = walk.bookWhileItIsDown(
                listing, Instant.now().truncatedTo(ChronoUnit.HOURS).plus(96, ChronoUnit.HOURS));
        walk.callOff(rental);
    }

    @Test
    void commands_areForbiddenToEveryOtherRole() throws Exception {
        Map<String, Set<String>> routes = Roles.byRoute();
        String description = send("", "GET", "/openapi.yml", Optional.empty()).body();
        assertEquals(routes.keySet(), Roles.described(description), "each route is in the table of roles");
        var wrong = new ArrayList<String>();
        for (Map.Entry<String, Set<String>> route : routes.entrySet()) {
            for (String role : Roles.ALL) {
                int status = Roles.ask(api, role, route.getKey());
                boolean refused = status == 401 || status == 403;
                if (refused == route.getValue().contains(role)) {
                    wrong.add("%s %s: %d".formatted(role, route.getKey(), status));
                }
            }
        }
        assertEquals(List.of(), wrong);
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
    void onPostgres_theWalkReachesALoginAndASettlement_byConfigurationAlone() throws Exception {
        Path data = folder();
        try (var postgres = TemporaryPostgres.start()) {
            Path password = data.resolve("password");
            secret(password, postgres.password());
            try (var other = Application.start(
                    arguments(
                            data,
                            "--store.kind=postgres",
                            "--store.url=" + postgres.createDatabase(),
                            "--store.user=" + postgres.user(),
                            "--store.password-file=" + password),
                    line -> {})) {
                assertTrue(walk(other, data, Map.of("UNTIL", "funded", "LEAD", "3600"))
                        .contains("FUNDED at version"));
                ApiClient its = ApiClient.of(other);
                String rental = its.call(200, "renter", "GET", "/rentals", "")
                        .get(0)
                        .path("id")
                        .asText();
                JsonNode refused = its.call(
                        403,
                        "operator",
                        "POST",
                        "/operations/rentals/" + rental + "/break-glass",
                        ApiClient.body(
                                "publicKey",
                                HostKeyPair.generate().publicKey().line(),
                                "reason",
                                "to see",
                                "until",
                                Instant.now().plusSeconds(60).toString()));
                assertTrue(refused.path("detail").asText().contains("break-glass access is off"), refused::toString);
                String said = walk(other, data, Map.of("LEAD", "20"));
                assertTrue(said.contains("\nrenter\n"), said);
                assertTrue(said.contains("SETTLED at version"), said);
                assertEquals(
                        0,
                        auditEntries(other)
                                .filter(entry -> entry.type().startsWith("access.glass"))
                                .count());
            }
        } finally {
            delete(data);
        }
    }

    @Test
    void badRequests_areRefusedWithAProblemThatNamesTheField() throws Exception {
        var wrong = new ArrayList<String>();
        for (BadRequest bad : BadRequest.all()) {
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
    void token_thatWasRevoked_opensNothing() throws Exception {
        String body = "{\"account\":\"0x%s\",\"role\":\"AUDITOR\"}".formatted("ab".repeat(20));
        JsonNode made = api.call(201, "operator", "POST", "/tokens", body);
        String id = made.path("id").asText();
        Path header = server.platform().folders().tokens().resolve("passing");
        Files.writeString(header, "Authorization: Bearer " + made.path("token").asText() + "\n");

        api.call(200, "passing", "GET", "/account", "");
        assertTrue(api.call(200, "operator", "GET", "/tokens", "").toString().contains(id));
        api.call(204, "operator", "DELETE", "/tokens/" + id, "");

        api.call(401, "passing", "GET", "/account", "");
        api.call(404, "operator", "DELETE", "/tokens/" + id, "");
        Files.delete(header);
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
    void start_withAnUnknownOption_isRefused_andItsValueNotRepeated() {
        for (String option : List.of("--prot=hunter2", "--caldav.calendars.mine.password=hunter2")) {
            var error = assertThrows(
                    CommandLine.UsageException.class, () -> Application.start(List.of(option), line -> {}));
            assertFalse(error.getMessage().contains("hunter2"), error.getMessage());
        }
    }
}
