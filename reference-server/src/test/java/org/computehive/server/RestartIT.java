package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code serve} that goes away in the middle of a session and comes back on the same data, on real parts. */
@Timeout(300)
class RestartIT {
    private static final String LISTING = "here";
    private static final Duration CLOCK_LAG = Duration.ofSeconds(5);
    private static final String BOOT_ID = "cat /proc/sys/kernel/random/boot_id";

    @TempDir
    private Path work;

    private Path data;
    private ServeProcess server;
    private ApiClient api;

    @BeforeEach
    void begin() throws Exception {
        // QEMU's own user, where this process is root, must pass through.
        data = Files.setPosixFilePermissions(
                Files.createTempDirectory("computehive-restart-"), PosixFilePermissions.fromString("rwx--x--x"));
        start();
    }

    private void start() throws Exception {
        server = ServeProcess.start(
                data,
                work,
                List.of(
                        "--data=" + data,
                        "--port=0",
                        "--chain.port=0",
                        "--gateway.port=0",
                        "--policy.lead=PT25S",
                        "--policy.watch=PT1S",
                        "--policy.retry=PT1S"));
        api = server.client();
    }

    @AfterEach
    void end() throws Exception {
        if (server != null) {
            server.close();
        }
        delete(data);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private String activeSession() throws Exception {
        ObjectNode listing = api.listing();
        api.call(200, "lender", "PUT", "/listings/" + LISTING, listing.toString());
        Instant start = Instant.now().plusSeconds(12).truncatedTo(ChronoUnit.SECONDS);
        String id = api.book(LISTING, start, Duration.ofHours(1));
        api.await(id, "ACTIVE");
        return id;
    }

    private JsonNode rental(String id) throws Exception {
        return api.call(200, "renter", "GET", "/rentals/" + id, "");
    }

    /** The private libvirt ends with the server that runs it, and so does the session's VM; a new one takes its place. */
    @Test
    void stoppedServer_isThePlatformsOwnFault_andTheSessionGoesOnInANewVm() throws Exception {
        String id = activeSession();
        String boot = login(id, BOOT_ID);
        server.stop();
        start();

        api.await(id, rental -> interruptions(id).size() == 1);
        JsonNode after = api.await(id, "ACTIVE");
        JsonNode interruption = interruptions(id).getFirst();
        assertEquals("PLATFORM", interruption.path("fault").path("blame").asText(), interruption::toString);
        assertNotEquals(boot, login(id, BOOT_ID), "another VM");
        assertTrue(after.path("fault").isNull(), after::toString);

        api.call(200, "renter", "POST", "/rentals/" + id + "/end", "");
        JsonNode ended = api.await(id, "ENDED");
        assertEquals("BY_RENTER", ended.path("endCause").asText(), ended::toString);
        JsonNode settled = api.settle(id);
        assertEquals(settled.path("due"), settled.path("settlement").path("paid"));
        String lender = ended.path("lender").asText();
        JsonNode reputation = api.call(200, "renter", "GET", "/accounts/" + lender + "/reputation", "");
        for (JsonNode factor : reputation.path("asLender").path("factors")) {
            assertFalse(
                    factor.path("name").asText().equals("faults")
                            && !factor.path("value").asText().equals("0"),
                    reputation::toString);
        }
    }

    private List<JsonNode> interruptions(String id) throws Exception {
        var found = new ArrayList<JsonNode>();
        for (JsonNode event : api.call(200, "renter", "GET", "/rentals/" + id + "/history", "")) {
            if (event.path("type").asText().startsWith("interrupted.")) {
                found.add(ApiClient.MAPPER.readTree(event.path("json").asText()));
            }
        }
        return found;
    }

    /** Nothing that it started ends with a server that is killed. */
    @Test
    void killedServer_findsItsSessionAgain_andTheRenterIsInTheSameVm() throws Exception {
        String id = activeSession();
        JsonNode before = rental(id);
        String boot = login(id, BOOT_ID);
        server.kill();
        start();

        assertEquals(boot, login(id, BOOT_ID), "the same VM, not rebooted");
        JsonNode after = rental(id);
        assertEquals("ACTIVE", after.path("state").asText(), after::toString);
        assertTrue(after.path("fault").isNull(), after::toString);
        assertEquals(before.path("activeSince"), after.path("activeSince"));

        api.call(200, "renter", "POST", "/rentals/" + id + "/end", "");
        JsonNode ended = api.await(id, "ENDED");
        assertTrue(ended.path("fault").isNull(), ended::toString);
        JsonNode settled = api.settle(id);
        assertEquals(settled.path("due"), settled.path("settlement").path("paid"));
    }

    /** Runs a command in the session, with the OpenSSH client and a new key. */
    private String login(String id, String command) throws Exception {
        Path folder = Files.createTempDirectory(work, "renter");
        Said made = ask(List.of(
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-f",
                folder.resolve("id").toString()));
        assertEquals(0, made.exit(), made.text());
        String key = Files.readString(folder.resolve("id.pub")).strip();
        JsonNode certificate = api.call(
                200,
                "renter",
                "POST",
                "/rentals/" + id + "/certificate",
                ApiClient.body("publicKey", key, "folder", folder.toString()));
        Files.writeString(
                folder.resolve("id-cert.pub"), certificate.path("certificate").asText());
        Files.writeString(
                folder.resolve("ssh_config"), certificate.path("sshConfig").asText());
        Files.writeString(
                folder.resolve("known_hosts"), certificate.path("knownHosts").asText());
        List<String> ssh = List.of("ssh", "-F", folder.resolve("ssh_config").toString(), "ch-" + id, command);
        Instant limit = Instant.now().plus(CLOCK_LAG);
        Said said = ask(ssh);
        // A guest reads its clock in whole seconds, so in the window's first one it may hold a certificate for early.
        while (said.text().contains("Permission denied") && Instant.now().isBefore(limit)) {
            said = ask(ssh);
        }
        return said.lastLine();
    }

    private record Said(int exit, String text) {
        String lastLine() {
            assertEquals(0, exit, text);
            return text.lines().reduce((first, last) -> last).orElse("");
        }
    }

    private static Said ask(List<String> words) throws Exception {
        Process process = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), said);
        return new Said(process.exitValue(), said);
    }
}
