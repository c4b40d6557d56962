package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What passes while many connections end at once, in order rather than in time: both sides send {@link #EARLY} until the
 * end and {@link #LATE} after it, and no {@link #LATE} may arrive, however long it takes to close them all.
 */
class CutIT {
    private static final String PRINCIPAL = "rental-r1";
    private static final String VM = "ch-r1";
    private static final int CONNECTIONS = 12;
    private static final int EARLY = 'a';
    private static final int LATE = 'z';
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);
    private final CertificateAuthority authority =
            new CertificateAuthority(SoftwareSigner.generate(), SoftwareSigner.generate(), this::now);
    private final HostKeyPair renter = HostKeyPair.generate();
    private final List<Process> clients = new ArrayList<>();
    private final AtomicReference<Runnable> atFirstEnd = new AtomicReference<>(() -> {});

    @TempDir
    private Path folder;

    private Vm vm;
    private Gateway gateway;
    private UserCertificate certificate;

    private Instant now() {
        return Instant.now().plus(ahead.get());
    }

    @BeforeEach
    void start() throws Exception {
        vm = new Vm();
        HostKeyPair key = HostKeyPair.generate();
        gateway = Gateway.start(
                new GatewayConfig(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        key,
                        authority.issue(new HostCertificateRequest(
                                "gateway", RenterFiles.GATEWAY_NAME, key.publicKey(), now().plusSeconds(600))),
                        authority.userAuthorities(),
                        GatewayLimits.DEFAULT),
                this::now,
                event -> {
                    if (event instanceof GatewayEvent.Closed) {
                        atFirstEnd.getAndSet(() -> {}).run();
                    }
                });
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), now().minusSeconds(5), now().plusSeconds(300)));
        OpenSsh.secret(folder.resolve("id"), renter.privateKeyText());
        certificate = authority.issue(
                new UserCertificateRequest("r1", PRINCIPAL, renter.publicKey(), now(), now().plusSeconds(600)));
        Files.writeString(folder.resolve("id-cert.pub"), certificate.line() + "\n");
        var files = RenterFiles.of(
                new RenterFiles.Entrance(
                        "127.0.0.1", gateway.address().getPort(), PRINCIPAL, VM, System.getProperty("user.name")),
                new RenterFiles.Paths(
                        folder.resolve("config"),
                        folder.resolve("known_hosts"),
                        folder.resolve("id"),
                        folder.resolve("id-cert.pub")),
                authority.hostAuthorities());
        Files.writeString(folder.resolve("config"), files.sshConfig());
        Files.writeString(folder.resolve("known_hosts"), files.knownHosts());
    }

    @AfterEach
    void stop() throws Exception {
        clients.forEach(Process::destroyForcibly);
        gateway.close();
        vm.close();
    }

    /** The renter's end of one connection. */
    private final class Client {
        private final AtomicBoolean gotLate = new AtomicBoolean();
        private final CountDownLatch flowing = new CountDownLatch(1);
        private final CountDownLatch over = new CountDownLatch(1);

        Client() throws Exception {
            String config = folder.resolve("config").toString();
            Process process = new ProcessBuilder(
                            OpenSsh.program("ssh"), "-F", config, "-W", VM + ":22", RenterFiles.GATEWAY_NAME)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            clients.add(process);
            Thread.ofPlatform().daemon().start(() -> send(process));
            Thread.ofPlatform().daemon().start(() -> {
                gotLate.set(read(process, flowing));
                over.countDown();
            });
        }

        private void send(Process process) {
            try (var out = process.getOutputStream()) {
                while (true) {
                    out.write(vm.letter());
                    out.flush();
                    Thread.sleep(2);
                }
            } catch (IOException | InterruptedException e) {
                // cut
            }
        }

        private static boolean read(Process process, CountDownLatch flowing) {
            try (InputStream in = process.getInputStream()) {
                return anyLate(in, flowing);
            } catch (IOException e) {
                return false;
            }
        }
    }

    private List<Client> connect() throws Exception {
        var all = new ArrayList<Client>();
        for (int i = 0; i < CONNECTIONS; i++) {
            all.add(new Client());
        }
        for (Client client : all) {
            assertTrue(client.flowing.await(LIMIT.toSeconds(), TimeUnit.SECONDS), "a connection did not begin");
        }
        return all;
    }

    private void assertNothingLate(List<Client> all) throws Exception {
        for (Client client : all) {
            assertTrue(client.over.await(LIMIT.toSeconds(), TimeUnit.SECONDS), "a connection did not end");
        }
        assertTrue(vm.over.await(LIMIT.toSeconds(), TimeUnit.SECONDS), "a connection to the VM did not end");
        assertEquals(0, all.stream().filter(client -> client.gotLate.get()).count(), "renters that got late bytes");
        assertEquals(0, vm.gotLate.get(), "connections on which the VM got late bytes");
    }

    /** The first end holds up whoever brings it about until both sides had time to send on the others. */
    private void beLateFromTheFirstEndOn() {
        atFirstEnd.set(() -> {
            vm.beLate();
            try {
                vm.wroteLate.await(LIMIT.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    @Test
    void revoke_fromTheFirstConnectionsEndOn_letsNothingPassOnAny() throws Exception {
        List<Client> all = connect();
        beLateFromTheFirstEndOn();
        assertEquals(CONNECTIONS, gateway.revoke(PRINCIPAL, "test"));
        assertNothingLate(all);
    }

    @Test
    void revocations_fromTheFirstConnectionsEndOn_letNothingPassOnAny() throws Exception {
        List<Client> all = connect();
        beLateFromTheFirstEndOn();
        var list = new KeyRevocationList(authority.userAuthorities(), 1, now(), Set.of(certificate.serial()), Set.of());
        assertEquals(CONNECTIONS, gateway.revocations(list));
        assertNothingLate(all);
    }

    @Test
    void cut_ofACertificate_endsItsConnections_andOfAnotherNone() throws Exception {
        List<Client> lost = connect();
        assertEquals(0, gateway.cut(PRINCIPAL, Set.of(certificate.serial() ^ 1), "another's"));
        assertEquals(0, gateway.cut("rental-r2", Set.of(certificate.serial()), "another's"));
        beLateFromTheFirstEndOn();
        assertEquals(CONNECTIONS, gateway.cut(PRINCIPAL, Set.of(certificate.serial()), "its key was lost"));
        assertNothingLate(lost);
    }

    @Test
    void window_onceTheClockIsPastItsEnd_letsNothingPassBeforeAnyTimerFires() throws Exception {
        List<Client> all = connect();
        ahead.set(Duration.ofSeconds(300)); // the timers look once a second
        vm.beLate();
        assertNothingLate(all);
    }

    /** Returns whether a late byte came before the end. */
    private static boolean anyLate(InputStream in, CountDownLatch flowing) throws IOException {
        for (int value = in.read(); value >= 0; value = in.read()) {
            flowing.countDown();
            if (value == LATE) {
                return true;
            }
        }
        return false;
    }

    /** A VM that sends one letter over and over on each connection. */
    private static final class Vm implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0, CONNECTIONS, InetAddress.getLoopbackAddress());
        private final ConcurrentLinkedQueue<Socket> sockets = new ConcurrentLinkedQueue<>();
        private final AtomicInteger gotLate = new AtomicInteger();
        private final CountDownLatch wroteLate = new CountDownLatch(20 * CONNECTIONS);
        private final CountDownLatch over = new CountDownLatch(CONNECTIONS);
        private volatile int letter = EARLY;

        Vm() throws IOException {
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        Socket socket = server.accept();
                        sockets.add(socket);
                        Thread.ofPlatform().daemon().start(() -> send(socket));
                        Thread.ofPlatform().daemon().start(() -> read(socket));
                    }
                } catch (IOException e) {
                    // closed
                }
            });
        }

        private void send(Socket socket) {
            try {
                while (true) {
                    int value = letter;
                    socket.getOutputStream().write(value);
                    if (value == LATE) {
                        wroteLate.countDown();
                    }
                    Thread.sleep(2);
                }
            } catch (IOException | InterruptedException e) {
                for (int i = 0; i < 20; i++) {
                    wroteLate.countDown(); // cut: it can write no more
                }
            }
        }

        private void read(Socket socket) {
            try {
                if (anyLate(socket.getInputStream(), new CountDownLatch(1))) {
                    gotLate.incrementAndGet();
                }
            } catch (IOException e) {
                // cut
            }
            over.countDown();
        }

        int letter() {
            return letter;
        }

        void beLate() {
            letter = LATE;
        }

        InetSocketAddress address() {
            return (InetSocketAddress) server.getLocalSocketAddress();
        }

        @Override
        public void close() throws IOException {
            server.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
