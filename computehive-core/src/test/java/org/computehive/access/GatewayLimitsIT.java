package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a gateway allows only so far: traffic, guessing, revocation lists of an age, operators. */
class GatewayLimitsIT {
    private static final String PRINCIPAL = "rental-r1";
    private static final String VM = "ch-r1";

    private final CertificateAuthority authority =
            new CertificateAuthority(SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.system());
    private final BlockingQueue<GatewayEvent> events = new LinkedBlockingQueue<>();
    private final HostKeyPair renter = HostKeyPair.generate();
    private final AtomicReference<Instant> frozen = new AtomicReference<>();

    @TempDir
    private Path folder;

    private OpenSsh.Sshd vm;
    private Gateway gateway;

    @BeforeEach
    void startVm() throws Exception {
        HostKeyPair key = HostKeyPair.generate();
        vm = OpenSsh.Sshd.asInTheGuest(
                Files.createDirectory(folder.resolve("vm")),
                key,
                authority.issue(new HostCertificateRequest(
                        "r1", VM, key.publicKey(), Instant.now().plusSeconds(600))),
                authority.userAuthority(),
                PRINCIPAL);
        OpenSsh.secret(folder.resolve("id"), renter.privateKeyText());
    }

    @AfterEach
    void stop() throws Exception {
        gateway.close();
        vm.close();
    }

    private RenterFiles start(GatewayLimits limits, Traffic traffic, UnaryOperator<GatewayConfig> more)
            throws Exception {
        Instant now = Instant.now();
        HostKeyPair key = HostKeyPair.generate();
        InstantSource clock = () -> frozen.get() == null ? Instant.now() : frozen.get();
        gateway = Gateway.start(
                more.apply(new GatewayConfig(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        key,
                        authority.issue(new HostCertificateRequest(
                                "gateway", RenterFiles.GATEWAY_NAME, key.publicKey(), now.plusSeconds(600))),
                        authority.userAuthorities(),
                        limits)),
                clock,
                events::add);
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), now.minusSeconds(5), now.plusSeconds(600), traffic));
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
        certify(authority.issue(
                new UserCertificateRequest("r1", PRINCIPAL, renter.publicKey(), now, now.plusSeconds(300))));
        return files;
    }

    private void certify(UserCertificate certificate) throws Exception {
        Files.writeString(folder.resolve("id-cert.pub"), certificate.line() + "\n");
    }

    private OpenSsh.Result ssh(String... arguments) throws Exception {
        var command =
                new ArrayList<>(List.of("ssh", "-F", folder.resolve("config").toString(), "-o", "BatchMode=yes"));
        command.addAll(Arrays.asList(arguments));
        return OpenSsh.result(OpenSsh.start(command));
    }

    private void awaitRefusal(String reason) throws Exception {
        for (GatewayEvent event = events.poll(10, TimeUnit.SECONDS);
                event != null;
                event = events.poll(10, TimeUnit.SECONDS)) {
            if (event instanceof GatewayEvent.Refused refused
                    && refused.reason().contains(reason)) {
                return;
            }
        }
        throw new AssertionError("no refusal for " + reason);
    }

    @Test
    void line_withoutAnyConfiguration_entersAtFirstContact() throws Exception {
        RenterFiles files = start(GatewayLimits.DEFAULT, Traffic.UNLIMITED, config -> config);
        // Typed into a shell, as the renter does.
        OpenSsh.Result result = OpenSsh.run("sh", "-c", files.line() + " echo in");
        assertEquals("in\n", result.out(), result.toString());
        Files.writeString(folder.resolve("known_hosts"), "");
        OpenSsh.Result stranger = OpenSsh.run("sh", "-c", files.line() + " echo in");
        assertEquals(255, stranger.exit());
        assertTrue(stranger.err().contains("Host key verification failed"), stranger.toString());
    }

    @Test
    void traffic_usedUp_endsTheConnectionAndLetsNobodyInAgain() throws Exception {
        start(GatewayLimits.DEFAULT, new Traffic(3_000_000, Long.MAX_VALUE), config -> config);
        assertEquals("in\n", ssh(VM, "echo in").out());
        OpenSsh.Result cut = ssh(VM, "head -c 20000000 /dev/zero");
        assertEquals(255, cut.exit());
        assertTrue(cut.err().contains("its traffic of 3000000 bytes is used up"), cut.err());
        assertTrue(
                cut.out().length() < 3_000_000,
                "%d bytes arrived".formatted(cut.out().length()));
        assertEquals(255, ssh(VM, "true").exit());
        awaitRefusal("its traffic of 3000000 bytes is used up");
    }

    /** No timing: the tokens alone make it take at least so long, however fast the machine. */
    @Test
    void traffic_ofALimitedRate_isNoFasterEitherWay() throws Exception {
        start(GatewayLimits.DEFAULT, new Traffic(Long.MAX_VALUE, 2_000_000), config -> config);
        long begin = System.nanoTime();
        OpenSsh.Result down = ssh(VM, "head -c 6000000 /dev/zero | tr '\\0' x");
        assertEquals(6_000_000, down.out().strip().length(), down.err());
        assertTrue(System.nanoTime() - begin > Duration.ofMillis(1900).toNanos());

        begin = System.nanoTime();
        Path file = Files.write(folder.resolve("upload"), new byte[8_000_000]);
        OpenSsh.Result up =
                OpenSsh.run("sh", "-c", "ssh -F %s/config %s 'cat | wc -c' < %s".formatted(folder, VM, file));
        assertEquals("8000000\n", up.out(), up.err());
        // A window of 2 MiB goes ahead, and a second's worth was saved up.
        assertTrue(System.nanoTime() - begin > Duration.ofMillis(1400).toNanos());
    }

    @Test
    void guessing_shutsTheAddressOut_andNobodyElse() throws Exception {
        var limits = new GatewayLimits(
                64,
                64,
                Duration.ofSeconds(20),
                6,
                32,
                16,
                new GatewayLimits.Penalty(3, Duration.ofMinutes(1), Duration.ofMinutes(1)));
        start(limits, Traffic.UNLIMITED, config -> config);
        Path good = folder.resolve("id-cert.pub");
        String line = Files.readString(good);
        Files.delete(good);
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    255,
                    ssh("-o", "BindAddress=127.0.0.2", RenterFiles.GATEWAY_NAME, "true")
                            .exit());
        }
        Files.writeString(good, line);
        OpenSsh.Result shut = ssh("-o", "BindAddress=127.0.0.2", "-W", VM + ":22", RenterFiles.GATEWAY_NAME);
        assertEquals(255, shut.exit());
        assertTrue(shut.err().contains("Connection"), shut.err()); // closed or reset before any key
        assertEquals("in\n", ssh(VM, "echo in").out());
        assertTrue(events.stream()
                .anyMatch(event -> event instanceof GatewayEvent.Dropped dropped
                        && dropped.reason().contains("shut out for PT1M after 3 refused logins")));
    }

    @Test
    void revocationList_thatIsStaleOrMissing_letsNobodyIn() throws Exception {
        start(GatewayLimits.DEFAULT, Traffic.UNLIMITED, config -> config.withFeedLimit(Duration.ofMinutes(1)));
        assertEquals(255, ssh(VM, "true").exit());
        awaitRefusal("no revocation list was heard of yet");
        Instant made = Instant.now();
        gateway.revocations(new KeyRevocationList(authority.userAuthorities(), 0, made, Set.of(), Set.of()));
        assertEquals("in\n", ssh(VM, "echo in").out());
        frozen.set(made.plusSeconds(61));
        assertEquals(255, ssh(VM, "true").exit());
        awaitRefusal("the revocation list is stale");
        gateway.revocations(new KeyRevocationList(authority.userAuthorities(), 0, frozen.get(), Set.of(), Set.of()));
        assertEquals("in\n", ssh(VM, "echo in").out());
    }

    @Test
    void revokedCertificate_cutsItsLiveConnectionAndNoOther() throws Exception {
        start(GatewayLimits.DEFAULT, Traffic.UNLIMITED, config -> config);
        Process first =
                OpenSsh.start(List.of("ssh", "-F", folder.resolve("config").toString(), VM, "echo in; sleep 60"));
        assertEquals("in", first.inputReader().readLine());
        Instant now = Instant.now();
        UserCertificate second = authority.issue(
                new UserCertificateRequest("r1", PRINCIPAL, renter.publicKey(), now, now.plusSeconds(300)));
        long serial = ((GatewayEvent.Accepted) events.stream()
                        .filter(GatewayEvent.Accepted.class::isInstance)
                        .findFirst()
                        .orElseThrow())
                .serial();
        try (var register = RevocationRegister.open(
                folder.resolve("revoked"), authority.userAuthorities(), InstantSource.system())) {
            assertEquals(1, gateway.revocations(register.revokeSerial(serial)));
            assertTrue(Files.readString(folder.resolve("revoked")).contains("serial " + serial));
        }
        OpenSsh.Result cut = OpenSsh.result(first);
        assertEquals(255, cut.exit());
        assertTrue(cut.err().contains("its certificate was revoked"), cut.err());
        assertEquals(255, ssh(VM, "true").exit());
        certify(second);
        assertEquals("in\n", ssh(VM, "echo in").out());
    }

    @Test
    void breakGlass_isOffByDefault_andOnceOnNotedBeforeItLetsAnOperatorIn() throws Exception {
        var grant = new BreakGlass(
                PRINCIPAL, "olga", "the renter asked for help", Instant.now().plusSeconds(60));
        UserCertificate certificate = authority.issue(grant, renter.publicKey());
        start(GatewayLimits.DEFAULT, Traffic.UNLIMITED, config -> config);
        assertThrows(AccessException.LeaseRefused.class, () -> gateway.breakGlass(grant));
        certify(certificate);
        assertEquals(255, ssh(VM, "true").exit());
        awaitRefusal("no break-glass grant is open");
        gateway.close();

        Files.delete(folder.resolve("config"));
        start(GatewayLimits.DEFAULT, Traffic.UNLIMITED, GatewayConfig::withBreakGlass);
        certify(certificate);
        assertEquals(255, ssh(VM, "true").exit());
        events.clear();
        gateway.breakGlass(grant);
        var noted = (GatewayEvent.GlassBroken) events.poll(1, TimeUnit.SECONDS);
        assertEquals("olga: the renter asked for help", noted.operator() + ": " + noted.reason());
        assertEquals("in\n", ssh(VM, "echo in").out());
        assertTrue(events.stream()
                .anyMatch(event -> event instanceof GatewayEvent.Accepted accepted
                        && accepted.keyId().equals("break-glass:olga:rental-r1")));
    }
}
