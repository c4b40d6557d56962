package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A renter with the real OpenSSH client, a VM's real sshd, and our gateway between them. */
class GatewayIT {
    private static final String PRINCIPAL = "rental-r1";
    private static final String VM = "ch-r1";

    private final SoftwareSigner users = SoftwareSigner.generate();
    private final SoftwareSigner hosts = SoftwareSigner.generate();
    private final CertificateAuthority authority = new CertificateAuthority(users, hosts, InstantSource.system());
    private final BlockingQueue<GatewayEvent> events = new LinkedBlockingQueue<>();
    private final HostKeyPair renter = HostKeyPair.generate();

    @TempDir
    private Path folder;

    private OpenSsh.Sshd vm;
    private Gateway gateway;
    private Path certificate;
    private volatile boolean recording = true;

    @BeforeEach
    void start() throws Exception {
        Instant now = Instant.now();
        HostKeyPair vmKey = HostKeyPair.generate();
        vm = new OpenSsh.Sshd(
                Files.createDirectory(folder.resolve("vm")),
                vmKey,
                authority.issue(new HostCertificateRequest("r1", VM, vmKey.publicKey(), now.plusSeconds(600))),
                authority.userAuthority(),
                PRINCIPAL);
        HostKeyPair gatewayKey = HostKeyPair.generate();
        gateway = Gateway.start(
                new GatewayConfig(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        gatewayKey,
                        authority.issue(new HostCertificateRequest(
                                "gateway", RenterFiles.GATEWAY_NAME, gatewayKey.publicKey(), now.plusSeconds(600))),
                        List.of(authority.userAuthority()),
                        GatewayLimits.DEFAULT),
                InstantSource.system(),
                event -> {
                    if (!recording && event instanceof GatewayEvent.Accepted) {
                        throw new IllegalStateException("the disk is full");
                    }
                    events.add(event);
                });
        OpenSsh.secret(folder.resolve("id"), renter.privateKeyText());
        certificate = folder.resolve("id-cert.pub");
        writeFiles(PRINCIPAL);
    }

    @AfterEach
    void stop() throws Exception {
        gateway.close();
        vm.close();
    }

    private RenterFiles writeFiles(String user) throws Exception {
        var files = RenterFiles.of(
                new RenterFiles.Entrance(
                        gateway.address().getAddress().getHostAddress(),
                        gateway.address().getPort(),
                        user,
                        VM,
                        System.getProperty("user.name")),
                new RenterFiles.Paths(
                        folder.resolve("config"), folder.resolve("known_hosts"), folder.resolve("id"), certificate),
                authority.hostAuthorities());
        Files.writeString(folder.resolve("config"), files.sshConfig());
        Files.writeString(folder.resolve("known_hosts"), files.knownHosts());
        return files;
    }

    private void admit(Duration window) {
        Instant now = Instant.now();
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), now.minusSeconds(5), now.plus(window)));
    }

    private void certify(Duration window) throws Exception {
        Instant now = Instant.now();
        Files.writeString(
                certificate,
                authority
                                .issue(new UserCertificateRequest(
                                        "r1", PRINCIPAL, renter.publicKey(), now.minusSeconds(5), now.plus(window)))
                                .line()
                        + "\n");
    }

    private OpenSsh.Result ssh(String... arguments) throws Exception {
        return OpenSsh.result(sshProcess(arguments));
    }

    private Process sshProcess(String... arguments) throws Exception {
        var command =
                new ArrayList<>(List.of("ssh", "-F", folder.resolve("config").toString(), "-o", "BatchMode=yes"));
        command.addAll(Arrays.asList(arguments));
        return OpenSsh.start(command);
    }

    private <T extends GatewayEvent> T await(Class<T> type, Predicate<T> wanted) throws InterruptedException {
        var seen = new ArrayList<GatewayEvent>();
        for (GatewayEvent event = events.poll(10, TimeUnit.SECONDS);
                event != null;
                event = events.poll(10, TimeUnit.SECONDS)) {
            seen.add(event);
            if (type.isInstance(event) && wanted.test(type.cast(event))) {
                return type.cast(event);
            }
        }
        throw new AssertionError("no %s among %s".formatted(type.getSimpleName(), seen));
    }

    @Test
    void enter_atFirstContact_runsACommandInTheVm() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        OpenSsh.Result result = ssh(VM, "echo hello from $SSH_CONNECTION");
        assertEquals(0, result.exit(), result.toString());
        assertTrue(result.out().startsWith("hello from"), result.toString());
        var accepted = await(GatewayEvent.Accepted.class, event -> true);
        assertEquals(PRINCIPAL, accepted.principal());
        assertEquals("r1", accepted.keyId());
        assertEquals(renter.publicKey().fingerprint(), accepted.key());
        assertEquals(VM, await(GatewayEvent.ChannelOpened.class, event -> true).vmName());
        assertEquals(
                "the renter left",
                await(GatewayEvent.Closed.class, event -> true).reason());
        assertEquals(0, gateway.unauthenticated());
    }

    @Test
    void enter_bulkThroughTheGateway_arrivesWhole() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        OpenSsh.Result result = ssh(VM, "head -c 20000000 /dev/zero | tr '\\0' x");
        assertEquals(20_000_000, result.out().strip().length(), result.err());
    }

    @Test
    void enter_vmWithAHostKeyOfNobodys_isRefusedByTheClient() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        var other = SoftwareSigner.generate().publicKey();
        Files.writeString(
                folder.resolve("known_hosts"),
                "@cert-authority %s %s\n@cert-authority %s %s\n"
                        .formatted(
                                RenterFiles.GATEWAY_NAME,
                                authority.hostAuthority().line(),
                                VM,
                                other.line()));
        OpenSsh.Result result = ssh(VM, "true");
        assertEquals(255, result.exit());
        assertTrue(result.err().contains("Host key verification failed"), result.toString());
    }

    @Test
    void probe_ofTheVm_readsItsBanner() throws Exception {
        admit(Duration.ofMinutes(1));
        Banner banner = gateway.probe(PRINCIPAL, Duration.ofSeconds(5)).get(6, TimeUnit.SECONDS);
        assertTrue(banner.text().startsWith("SSH-2.0-OpenSSH"), banner.text());
    }

    /** Reads time stamps of the VM's, one every few milliseconds, until the connection is cut. */
    private record Cut(Instant lastByte, Instant clientExit, OpenSsh.Result result) {}

    private CompletableFuture<Cut> stream(CompletableFuture<Void> flowing) throws Exception {
        Process client = sshProcess(VM, "while date +%s%N; do sleep 0.005; done");
        var cut = new CompletableFuture<Cut>();
        Thread.ofVirtual().start(() -> {
            try {
                Instant last = Instant.EPOCH;
                BufferedReader reader = client.inputReader();
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    last = Instant.now();
                    flowing.complete(null);
                }
                OpenSsh.Result result = OpenSsh.result(client);
                cut.complete(new Cut(last, Instant.now(), result));
            } catch (Exception e) {
                flowing.completeExceptionally(e);
                cut.completeExceptionally(e);
            }
        });
        return cut;
    }

    @Test
    void liveConnection_atTheWindowsEnd_isCutWithTheReason() throws Exception {
        Instant end = Instant.now().plusSeconds(4);
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), end.minusSeconds(60), end));
        certify(Duration.ofMinutes(1)); // outlives the lease on purpose
        Cut cut = stream(new CompletableFuture<>()).get(20, TimeUnit.SECONDS);
        report("window's end", end, cut);
        assertTrue(
                cut.result().err().contains("rental-r1 ended: its window is over"),
                cut.result().err());
        assertEquals(255, cut.result().exit());
        assertFalse(cut.clientExit().isBefore(end), cut.toString());
        assertTrue(cut.lastByte().isBefore(end.plusMillis(100)), cut.toString());
        assertTrue(cut.clientExit().isBefore(end.plusSeconds(1)), cut.toString());
        OpenSsh.Result again = ssh(VM, "true");
        assertNotEquals(0, again.exit());
        await(GatewayEvent.Refused.class, event -> event.reason().contains("the window ended at"));
    }

    @Test
    void liveConnections_whenTheWindowIsExtended_endWithTheOldCertificateAndWithTheNewEnd() throws Exception {
        Instant oldEnd = Instant.ofEpochSecond(Instant.now().getEpochSecond() + 8);
        Instant newEnd = oldEnd.plusSeconds(3);
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), oldEnd.minusSeconds(60), oldEnd));
        certifyUntil(oldEnd);
        var oldFlows = new CompletableFuture<Void>();
        CompletableFuture<Cut> old = stream(oldFlows);
        oldFlows.get(10, TimeUnit.SECONDS);

        certify(Duration.ofMinutes(1)); // outlives the new end too, so that it is the lease that ends
        var newFlows = new CompletableFuture<Void>();
        CompletableFuture<Cut> renewed = stream(newFlows);
        newFlows.get(10, TimeUnit.SECONDS);
        assertTrue(Instant.now().isBefore(oldEnd), "too slow a machine: both were to flow before the old end");
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), oldEnd.minusSeconds(60), newEnd));

        Cut first = old.get(20, TimeUnit.SECONDS);
        report("old certificate's end", oldEnd, first);
        assertTrue(first.lastByte().isBefore(oldEnd.plusMillis(100)), first.toString());
        assertFalse(first.clientExit().isBefore(oldEnd), first.toString());

        Cut second = renewed.get(20, TimeUnit.SECONDS);
        report("extended window's end", newEnd, second);
        assertTrue(second.lastByte().isAfter(oldEnd.plusSeconds(2)), second.toString());
        assertTrue(second.lastByte().isBefore(newEnd.plusMillis(100)), second.toString());
        assertFalse(second.clientExit().isBefore(newEnd), second.toString());
        assertTrue(
                second.result().err().contains("rental-r1 ended: its window is over"),
                second.result().err());
    }

    @Test
    void liveConnection_whenTheWindowIsCutShort_endsWithTheEarlierEnd() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        var flowing = new CompletableFuture<Void>();
        CompletableFuture<Cut> stream = stream(flowing);
        flowing.get(10, TimeUnit.SECONDS);
        Instant end = Instant.now().plusMillis(700);
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), end.minusSeconds(60), end));
        Cut cut = stream.get(20, TimeUnit.SECONDS);
        report("earlier end", end, cut);
        assertTrue(cut.lastByte().isBefore(end.plusMillis(100)), cut.toString());
        assertFalse(cut.clientExit().isBefore(end), cut.toString());
    }

    private void certifyUntil(Instant end) throws Exception {
        Files.writeString(
                certificate,
                authority
                                .issue(new UserCertificateRequest(
                                        "r1", PRINCIPAL, renter.publicKey(), end.minusSeconds(30), end))
                                .line()
                        + "\n");
    }

    @Test
    void liveConnection_whoseCertificateEndsFirst_isCutThen() throws Exception {
        admit(Duration.ofMinutes(1));
        Instant end = Instant.ofEpochSecond(Instant.now().getEpochSecond() + 4);
        certifyUntil(end);
        Cut cut = stream(new CompletableFuture<>()).get(20, TimeUnit.SECONDS);
        report("certificate's end", end, cut);
        assertTrue(cut.lastByte().isBefore(end.plusMillis(100)), cut.toString());
        assertFalse(cut.clientExit().isBefore(end), cut.toString());
    }

    @Test
    void liveConnection_onRevoke_isCutAtOnceWithTheReasonAndForGood() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        var flowing = new CompletableFuture<Void>();
        CompletableFuture<Cut> stream = stream(flowing);
        flowing.get(10, TimeUnit.SECONDS);
        Instant revoked = Instant.now();
        assertEquals(1, gateway.revoke(PRINCIPAL, "ended by the renter\r\n\u001b[31m"));
        Cut cut = stream.get(10, TimeUnit.SECONDS);
        report("revoke", revoked, cut);
        assertTrue(cut.lastByte().isBefore(revoked.plusMillis(100)), cut.toString());
        assertTrue(cut.clientExit().isBefore(revoked.plusSeconds(1)), cut.toString());
        assertTrue(
                cut.result().err().contains("rental-r1 ended: ended by the renter???[31m"),
                cut.result().err());
        assertEquals(0, gateway.revoke(PRINCIPAL, "again"));
        assertNotEquals(0, ssh(VM, "true").exit());
        await(GatewayEvent.Refused.class, event -> event.reason().contains("ended by the renter"));
    }

    @Test
    void liveConnection_ofAStoppedClient_isCutAllTheSame() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        Process client = sshProcess(VM, "cat /dev/zero");
        try {
            assertTrue(client.getInputStream().read() >= 0);
            for (ProcessHandle each : Stream.concat(client.descendants(), Stream.of(client.toHandle()))
                    .toList()) {
                OpenSsh.run("kill", "-STOP", Long.toString(each.pid()));
            }
            gateway.revoke(PRINCIPAL, "test");
            Instant revoked = Instant.now();
            var closed = await(GatewayEvent.Closed.class, event -> true);
            assertTrue(closed.at().isBefore(revoked.plusMillis(500)), closed.toString());
        } finally {
            client.descendants().forEach(ProcessHandle::destroyForcibly);
            client.destroyForcibly();
        }
    }

    private static void report(String what, Instant zero, Cut cut) {
        System.out.printf(
                "cut at %s: last byte %d ms, client exit %d ms after%n",
                what,
                Duration.between(zero, cut.lastByte()).toMillis(),
                Duration.between(zero, cut.clientExit()).toMillis());
    }

    @Test
    void enter_withACertificateOfSomebodyElsesKey_isRefused() throws Exception {
        admit(Duration.ofMinutes(1));
        Instant now = Instant.now();
        Files.writeString(
                certificate,
                authority
                                .issue(new UserCertificateRequest(
                                        "r1",
                                        PRINCIPAL,
                                        HostKeyPair.generate().publicKey(),
                                        now.minusSeconds(5),
                                        now.plusSeconds(60)))
                                .line()
                        + "\n");
        assertEquals(255, ssh(VM, "true").exit());
        await(GatewayEvent.Refused.class, event -> true);
    }

    @Test
    void enter_withoutALease_isRefusedAndNoted() throws Exception {
        certify(Duration.ofMinutes(1));
        assertEquals(255, ssh(VM, "true").exit());
        await(GatewayEvent.Refused.class, event -> event.reason().contains("no lease here"));
    }

    @Test
    void enter_beforeTheLeaseBegins_isRefusedAndNoted() throws Exception {
        Instant now = Instant.now();
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), now.plusSeconds(30), now.plusSeconds(60)));
        certify(Duration.ofMinutes(1));
        assertEquals(255, ssh(VM, "true").exit());
        await(GatewayEvent.Refused.class, event -> event.reason().contains("the window begins at"));
    }

    /** The real client refuses to send such names, so MINA's does. */
    @Test
    void enter_userNameWithControlCharacters_isNotedSanitised() throws Exception {
        KeyPair key = SecurityUtils.loadKeyPairIdentities(
                        null, NamedResource.ofName("key"), Files.newInputStream(folder.resolve("id")), null)
                .iterator()
                .next();
        try (SshClient attacker = SshClient.setUpDefaultClient()) {
            attacker.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
            CoreModuleProperties.ABORT_ON_INVALID_CERTIFICATE.set(attacker, false); // it calls us by our address
            attacker.start();
            InetSocketAddress address = gateway.address();
            try (ClientSession session = attacker.connect(
                            "root\n2030-01-01 forged \u001b[31m",
                            address.getAddress().getHostAddress(),
                            address.getPort())
                    .verify(Duration.ofSeconds(10))
                    .getSession()) {
                session.addPublicKeyIdentity(key);
                assertThrows(SshException.class, () -> session.auth().verify(Duration.ofSeconds(10)));
            }
        }
        var refused = await(GatewayEvent.Refused.class, event -> true);
        assertEquals("root?2030-01-01 forged ?[31m", refused.user());
        assertEquals("no rental has such a name", refused.reason());
    }

    @Test
    void enter_unixSocketThroughTheGateway_isRefused() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        Path socket = folder.resolve("local");
        Process client = sshProcess("-v", "-N", "-L", socket + ":/run/secret.sock", RenterFiles.GATEWAY_NAME);
        try {
            awaitForwarding(client);
            connectUnix(socket);
            await(GatewayEvent.ChannelRefused.class, event -> event.asked().equals("direct-streamlocal@openssh.com"));
        } finally {
            client.destroyForcibly();
        }
    }

    private static void awaitForwarding(Process client) throws Exception {
        BufferedReader log = client.errorReader();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            if (line.contains("Entering interactive session")) {
                return;
            }
        }
        throw new AssertionError("ssh ended with " + client.waitFor());
    }

    @Test
    void enter_byATunnelInsteadOfAJump_reachesTheVm() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        Path socket = folder.resolve("local");
        Process client = sshProcess("-v", "-N", "-L", socket + ":" + VM + ":22", RenterFiles.GATEWAY_NAME);
        try {
            awaitForwarding(client);
            try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                var greeting = ByteBuffer.allocate(7);
                while (greeting.hasRemaining() && channel.read(greeting) >= 0) {
                    // until it is whole
                }
                assertEquals("SSH-2.0", new String(greeting.array(), StandardCharsets.US_ASCII));
            }
        } finally {
            client.destroyForcibly();
        }
    }

    @Test
    void enter_while3000IdleConnectionsAreMade_isLetIn() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        var idle = new ArrayList<Socket>();
        try {
            for (int i = 0; i < 3000; i++) {
                var socket = new Socket();
                socket.bind(new InetSocketAddress("127.0.%d.%d".formatted(1 + i / 1000, 1 + i % 1000 / 10), 0));
                socket.connect(gateway.address());
                idle.add(socket);
            }
            OpenSsh.Result result = ssh(VM, "echo in");
            assertEquals("in\n", result.out(), result.toString());
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    @Test
    void enter_whenTheListenerFails_isRefused() throws Exception {
        admit(Duration.ofMinutes(1));
        certify(Duration.ofMinutes(1));
        recording = false;
        assertEquals(255, ssh(VM, "true").exit());
        await(GatewayEvent.Refused.class, event -> event.reason().contains("could not be recorded"));
    }

    private static void connectUnix(Path socket) throws Exception {
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.read(ByteBuffer.allocate(1));
        }
    }
}
