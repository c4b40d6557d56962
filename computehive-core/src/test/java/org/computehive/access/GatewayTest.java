package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The gateway without an SSH client. */
class GatewayTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final BlockingQueue<GatewayEvent> events = new LinkedBlockingQueue<>();

    private Gateway start(int port, GatewayLimits limits) {
        var authority =
                new CertificateAuthority(SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.system());
        HostKeyPair key = HostKeyPair.generate();
        HostCertificate certificate = authority.issue(new HostCertificateRequest(
                "gateway",
                RenterFiles.GATEWAY_NAME,
                key.publicKey(),
                Instant.now().plusSeconds(600)));
        return Gateway.start(
                new GatewayConfig(
                        new InetSocketAddress(LOOPBACK, port),
                        key,
                        certificate,
                        List.of(authority.userAuthority()),
                        limits),
                InstantSource.system(),
                events::add);
    }

    private static Lease lease(int port) {
        Instant now = Instant.now();
        return new Lease("rental-r1", "ch-r1", new InetSocketAddress(LOOPBACK, port), now, now.plusSeconds(60));
    }

    @Test
    void start_onABusyPort_namesThePortAndTheRemedy() throws IOException {
        try (var busy = new ServerSocket(0, 1, LOOPBACK)) {
            var refusal = assertThrows(
                    AccessException.CannotListen.class, () -> start(busy.getLocalPort(), GatewayLimits.DEFAULT));
            assertTrue(refusal.getMessage().contains("port " + busy.getLocalPort()), refusal.getMessage());
            assertTrue(refusal.getMessage().contains("choose another port"), refusal.getMessage());
        }
    }

    @Test
    void close_freesThePort_andMayBeRepeated() {
        Gateway first = start(0, GatewayLimits.DEFAULT);
        int port = first.address().getPort();
        first.close();
        first.close();
        start(port, GatewayLimits.DEFAULT).close();
    }

    @Test
    void admit_again_isRefusedIfItDiffersOrWasRevoked() {
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT)) {
            Lease lease = lease(22);
            gateway.admit(lease);
            assertDoesNotThrow(() -> gateway.admit(lease));
            assertThrows(AccessException.LeaseRefused.class, () -> gateway.admit(lease(23)));
            assertEquals(0, gateway.revoke("rental-r1", "test"));
            assertThrows(AccessException.LeaseRefused.class, () -> gateway.admit(lease));
            assertEquals(0, gateway.revoke("rental-unknown", "test"));
        }
    }

    @Test
    void withdraw_letsAnotherLeaseIn_butNeverARevokedOne() {
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT)) {
            gateway.admit(lease(22));
            assertEquals(0, gateway.withdraw("rental-r1", "its VM is gone"));
            assertEquals(0, gateway.withdraw("rental-r1", "again"));
            Lease moved = lease(23);
            assertDoesNotThrow(() -> gateway.admit(moved));
            gateway.revoke("rental-r1", "over");
            assertEquals(0, gateway.withdraw("rental-r1", "too late"));
            assertThrows(AccessException.LeaseRefused.class, () -> gateway.admit(moved));
        }
    }

    @Test
    void probe_whenTheLeaseIsWithdrawn_failsAtOnce() throws Exception {
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT);
                var server = new ServerSocket(0, 1, LOOPBACK)) {
            gateway.admit(lease(server.getLocalPort()));
            CompletableFuture<Banner> banner = gateway.probe("rental-r1", Duration.ofSeconds(50));
            try (Socket accepted = server.accept()) {
                gateway.withdraw("rental-r1", "test");
                assertThrows(ExecutionException.class, () -> banner.get(5, TimeUnit.SECONDS));
                assertTrue(closes(accepted));
            }
        }
    }

    @Test
    void lease_toSomethingThatIsNoVm_isRefused() throws IOException {
        Instant now = Instant.now();
        for (String host : List.of("0.0.0.0", "224.0.0.1", "169.254.169.254", "fe80::1")) {
            var target = new InetSocketAddress(InetAddress.getByName(host), 22);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Lease("rental-r1", "ch-r1", target, now, now.plusSeconds(1)));
        }
    }

    @Test
    void silentConnection_isDroppedAfterTheGrace() throws Exception {
        var limits = new GatewayLimits(8, 8, Duration.ofMillis(300), 3, 1, 1);
        try (Gateway gateway = start(0, limits);
                var socket = new Socket()) {
            socket.connect(gateway.address());
            assertTrue(closes(socket));
            var dropped = assertInstanceOf(GatewayEvent.Dropped.class, events.poll(5, TimeUnit.SECONDS));
            assertTrue(dropped.reason().contains("PT0.3S"), dropped.reason());
            assertEquals(0, gateway.unauthenticated());
        }
    }

    @Test
    void silentConnections_beyondTheAddressLimit_areDroppedAtOnce() throws Exception {
        var limits = new GatewayLimits(100, 4, Duration.ofSeconds(30), 3, 1, 1);
        var sockets = new ArrayList<Socket>();
        try (Gateway gateway = start(0, limits)) {
            for (int i = 0; i < 5; i++) {
                var socket = new Socket();
                socket.connect(gateway.address());
                sockets.add(socket);
            }
            assertInstanceOf(GatewayEvent.Dropped.class, events.poll(5, TimeUnit.SECONDS));
            assertEquals(4, gateway.unauthenticated());
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void silentConnections_beyondTheTotal_makeRoomForTheNewest() throws Exception {
        var limits = new GatewayLimits(3, 100, Duration.ofSeconds(30), 3, 1, 1);
        var sockets = new ArrayList<Socket>();
        try (Gateway gateway = start(0, limits)) {
            for (int i = 0; i < 4; i++) {
                var socket = new Socket();
                socket.connect(gateway.address());
                socket.setSoTimeout(5000);
                sockets.add(socket);
                assertEquals('S', socket.getInputStream().read());
            }
            assertTrue(closes(sockets.get(0)));
            assertEquals(3, gateway.unauthenticated());
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    private static boolean closes(Socket socket) throws IOException {
        socket.setSoTimeout(5000);
        try {
            while (socket.getInputStream().read() >= 0) {
                // the gateway's greeting
            }
            return true;
        } catch (SocketException e) {
            return true; // reset
        }
    }

    @Test
    void probe_vmThatOpensItsPortLate_isFoundThen() throws Exception {
        int port;
        try (var free = new ServerSocket(0, 1, LOOPBACK)) {
            port = free.getLocalPort();
        }
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT)) {
            gateway.admit(lease(port));
            CompletableFuture<Banner> banner = gateway.probe("rental-r1", Duration.ofSeconds(20));
            try (var server = new ServerSocket(port, 1, LOOPBACK)) {
                try (Socket first = server.accept()) { // a port forwarder takes the connection, and drops it
                    first.getOutputStream().write('x');
                }
                try (Socket second = server.accept()) {
                    second.getOutputStream()
                            .write("hello\r\nSSH-2.0-Test \u001b[31m\r\n".getBytes(StandardCharsets.US_ASCII));
                    assertEquals(
                            "SSH-2.0-Test ?[31m",
                            banner.get(10, TimeUnit.SECONDS).text());
                }
            }
        }
    }

    @Test
    void probe_vmThatStaysSilent_failsAtTheDeadline() throws Exception {
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT);
                var server = new ServerSocket(0, 1, LOOPBACK)) {
            gateway.admit(lease(server.getLocalPort()));
            var failure = assertThrows(
                    ExecutionException.class,
                    () -> gateway.probe("rental-r1", Duration.ofMillis(300)).get(5, TimeUnit.SECONDS));
            assertInstanceOf(AccessException.NotUsable.class, failure.getCause());
            assertTrue(failure.getCause().getMessage().contains("PT0.3S"));
        }
    }

    @Test
    void probe_whenTheLeaseIsRevoked_failsAtOnce() throws Exception {
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT);
                var server = new ServerSocket(0, 1, LOOPBACK)) {
            gateway.admit(lease(server.getLocalPort()));
            CompletableFuture<Banner> banner = gateway.probe("rental-r1", Duration.ofSeconds(50));
            try (Socket accepted = server.accept()) {
                gateway.revoke("rental-r1", "test");
                assertThrows(ExecutionException.class, () -> banner.get(5, TimeUnit.SECONDS));
                assertTrue(closes(accepted));
            }
        }
    }

    @Test
    void probe_withoutALease_isRefused() {
        try (Gateway gateway = start(0, GatewayLimits.DEFAULT)) {
            CompletableFuture<Banner> banner = gateway.probe("rental-r1", Duration.ofSeconds(1));
            assertInstanceOf(AccessException.LeaseRefused.class, banner.exceptionNow());
        }
    }
}
