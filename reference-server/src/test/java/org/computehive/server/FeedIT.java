package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.computehive.access.RenterFiles;
import org.computehive.rental.RentalId;
import org.computehive.rental.SessionAccess;
import org.computehive.rental.SshAccess;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A running server that follows a file of revocations, as somebody keeps it, forgets it, and misdates it. */
@Timeout(300)
class FeedIT {
    private static final RentalId ID = new RentalId("01m83cbjeazgv7s8d4447bcw0m");
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final String GREETING = "SSH-2.0-a-vm";

    private final BlockingQueue<SessionAccess.Decision> decisions = new LinkedBlockingQueue<>();

    @TempDir
    private Path folder;

    private Path data;
    private Path list;
    private ServerSocket vm;
    private Application server;

    @BeforeEach
    void start() throws Exception {
        data = Files.setPosixFilePermissions(
                Files.createTempDirectory("computehive-feed-"), PosixFilePermissions.fromString("rwx--x--x"));
        list = Files.writeString(folder.resolve("revoked"), "serial 7\n");
        vm = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::greet);
        server = Application.start(
                List.of(
                        "--data=" + data,
                        "--port=0",
                        "--chain.port=0",
                        "--gateway.port=0",
                        "--gateway.revocations=" + list,
                        "--gateway.feed-limit=PT2S"),
                line -> {});
        SshAccess access = server.platform().local().access();
        access.onDecision(decisions::add);
        Instant now = Instant.now();
        var window = new Window(now.minusSeconds(1), now.plusSeconds(900));
        access.admit(ID, window, (InetSocketAddress) vm.getLocalSocketAddress());
        Path key = folder.resolve("id");
        assertEquals(
                0,
                new ProcessBuilder("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.toString())
                        .start()
                        .waitFor());
        SessionAccess.Grant grant = access.issue(ID, window, Files.readString(folder.resolve("id.pub")));
        var paths = new RenterFiles.Paths(
                folder.resolve("config"), folder.resolve("known_hosts"), key, folder.resolve("id-cert.pub"));
        var files = RenterFiles.of(grant.entrance(), paths, grant.hostAuthorities());
        Files.writeString(paths.config(), files.sshConfig());
        Files.writeString(paths.knownHosts(), files.knownHosts());
        Files.writeString(paths.certificate(), grant.certificate() + "\n");
    }

    @AfterEach
    void stop() throws Exception {
        vm.close();
        server.close();
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private void greet() {
        try {
            while (true) {
                try (Socket socket = vm.accept()) {
                    socket.getOutputStream().write((GREETING + "\r\n").getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (IOException e) {
            // closed
        }
    }

    /** Returns what the renter's client got through the gateway. */
    private String enter() throws Exception {
        Process client = new ProcessBuilder(
                        "ssh",
                        "-F",
                        folder.resolve("config").toString(),
                        "-o",
                        "BatchMode=yes",
                        "-W",
                        ID.vmName() + ":22",
                        RenterFiles.GATEWAY_NAME)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        client.getOutputStream().close();
        String got = new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        assertTrue(client.waitFor(30, TimeUnit.SECONDS));
        return got;
    }

    /** Logs in again and again, since the gateway looks at the file in its own time. */
    private void enterUntil(Predicate<String> wanted) throws Exception {
        Instant limit = Instant.now().plus(LIMIT);
        String got = enter();
        while (!wanted.test(got)) {
            assertTrue(Instant.now().isBefore(limit), "no change within %s: %s".formatted(LIMIT, decisions));
            got = enter();
        }
    }

    private void assertRefusedFor(String reason) throws Exception {
        enterUntil(got -> {
            assertTrue(got.isEmpty() || got.equals(GREETING), got);
            return decisions.stream()
                    .anyMatch(decision -> decision.kind().equals("refused")
                            && decision.detail().contains(reason));
        });
        decisions.clear();
        assertEquals("", enter(), "and it stays so");
    }

    private void assertLetIn() throws Exception {
        try (var keeper = Executors.newSingleThreadScheduledExecutor()) {
            var unused = keeper.scheduleWithFixedDelay(
                    () -> {
                        try {
                            Files.setLastModifiedTime(list, FileTime.from(Instant.now()));
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    0,
                    100,
                    TimeUnit.MILLISECONDS);
            enterUntil(GREETING::equals);
            keeper.shutdownNow();
        }
        decisions.clear();
    }

    @Test
    void gateway_whoseListIsNotRenewedOrMisdated_letsNobodyIn_untilItIs() throws Exception {
        Files.setLastModifiedTime(list, FileTime.from(Instant.now().minusSeconds(3600)));
        assertRefusedFor("the revocation list is stale");
        assertLetIn();
        assertRefusedFor("the revocation list is stale"); // nobody renews it any more
        Files.setLastModifiedTime(list, FileTime.from(Instant.now().plusSeconds(3600)));
        assertRefusedFor("the revocation list is not believed");
        assertLetIn();
    }
}
