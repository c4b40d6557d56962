package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
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
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.AbstractClientChannel;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that must be refused, in one place: at the gateway and, should somebody reach it another way, at a real sshd
 * with the guest's own configuration. Each row says what the gateway's listener is told and what sshd logs.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusalMatrixIT {
    private static final String PRINCIPAL = "rental-r1";
    private static final String VM = "ch-r1";
    private static final String USER = System.getProperty("user.name");
    /** The guest is its renter's: there it may run what it likes. */
    private static final String ALLOWED = "";

    private final SoftwareSigner users = SoftwareSigner.generate();
    private final SoftwareSigner hosts = SoftwareSigner.generate();
    private final CertificateAuthority authority = new CertificateAuthority(users, hosts, InstantSource.system());
    private final BlockingQueue<GatewayEvent> events = new LinkedBlockingQueue<>();
    private final HostKeyPair renter = HostKeyPair.generate();
    private final Set<Long> revokedSerials = Set.of(77L);
    private final Set<String> revokedKeyIds = Set.of("r9");

    private Path folder;

    private OpenSsh.Sshd vm;
    private Gateway gateway;
    private Path certificate;

    @BeforeAll
    void start(@TempDir Path temporary) throws Exception {
        folder = temporary;
        Instant now = Instant.now();
        HostKeyPair vmKey = HostKeyPair.generate();
        Path guest = Files.createDirectory(folder.resolve("vm"));
        vm = OpenSsh.Sshd.asInTheGuest(
                guest,
                vmKey,
                authority.issue(new HostCertificateRequest("r1", VM, vmKey.publicKey(), now.plusSeconds(600))),
                authority.userAuthority(),
                PRINCIPAL);
        HostKeyPair key = HostKeyPair.generate();
        var limits = new GatewayLimits(
                64,
                64,
                Duration.ofSeconds(20),
                6,
                32,
                16,
                new GatewayLimits.Penalty(10_000, Duration.ofMinutes(1), Duration.ofMinutes(1)));
        gateway = Gateway.start(
                new GatewayConfig(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        key,
                        authority.issue(new HostCertificateRequest(
                                "gateway", RenterFiles.GATEWAY_NAME, key.publicKey(), now.plusSeconds(600))),
                        authority.userAuthorities(),
                        limits),
                InstantSource.system(),
                events::add);
        gateway.admit(new Lease(PRINCIPAL, VM, vm.address(), now.minusSeconds(5), now.plusSeconds(600)));
        var revoked = new KeyRevocationList(authority.userAuthorities(), 1, now, revokedSerials, revokedKeyIds);
        gateway.revocations(revoked);
        Files.write(guest.resolve("revoked"), revoked.encode());
        OpenSsh.secret(folder.resolve("id"), renter.privateKeyText());
        certificate = folder.resolve("id-cert.pub");
        var files = RenterFiles.of(
                new RenterFiles.Entrance("127.0.0.1", gateway.address().getPort(), PRINCIPAL, VM, USER),
                new RenterFiles.Paths(
                        folder.resolve("config"), folder.resolve("known_hosts"), folder.resolve("id"), certificate),
                authority.hostAuthorities());
        Files.writeString(folder.resolve("known_hosts"), files.knownHosts());
        Files.writeString(folder.resolve("config"), files.sshConfig());
        Files.writeString(
                folder.resolve("direct"),
                files.sshConfig()
                        .replace(
                                "HostName " + VM + "\n  Port 22",
                                "HostName 127.0.0.1\n  HostKeyAlias %s\n  Port %d"
                                        .formatted(VM, vm.address().getPort()))
                        .replace("  ProxyJump " + RenterFiles.GATEWAY_NAME + "\n", ""));
    }

    @AfterAll
    void stop() throws Exception {
        gateway.close();
        vm.close();
    }

    @BeforeEach
    void forget() throws Exception {
        events.clear();
        vm.log().clear();
        Files.deleteIfExists(certificate);
    }

    private OpenSsh.Result ssh(String config, String... arguments) throws Exception {
        var command =
                new ArrayList<>(List.of("ssh", "-F", folder.resolve(config).toString(), "-o", "BatchMode=yes"));
        command.addAll(Arrays.asList(arguments));
        return OpenSsh.result(OpenSsh.start(command));
    }

    private <T> void await(BlockingQueue<T> queue, Function<T, String> text, String wanted) throws Exception {
        var seen = new ArrayList<String>();
        for (T next = queue.poll(10, TimeUnit.SECONDS); next != null; next = queue.poll(10, TimeUnit.SECONDS)) {
            String shown = text.apply(next);
            seen.add(shown);
            if (Pattern.compile(wanted).matcher(shown).find()) {
                return;
            }
        }
        throw new AssertionError("no \"%s\" among%n%s".formatted(wanted, String.join("\n", seen)));
    }

    private static String reason(GatewayEvent event) {
        return event instanceof GatewayEvent.Refused refused ? refused.reason() : "";
    }

    /** Writes the certificate that a row is about. */
    private interface Forgery {
        void write(RefusalMatrixIT it) throws Exception;
    }

    private static Arguments login(String what, String atGateway, String atVm, Forgery forgery) {
        return Arguments.of(what, atGateway, atVm, forgery);
    }

    static Stream<Arguments> logins() {
        String ours = PRINCIPAL;
        return Stream.of(
                login(
                        "expired",
                        "^expired: at ",
                        "Certificate invalid: expired",
                        it -> it.keygen(it.users, "-n", ours, "-z", "5", "-V", "20200101:20200102")),
                login(
                        "not yet valid",
                        "^not yet valid: from ",
                        "Certificate invalid: not yet valid",
                        it -> it.keygen(it.users, "-n", ours, "-z", "5", "-V", "+1h:+2h")),
                login(
                        "another principal",
                        "^principals do not match: the certificate is for \"rental-r2\"$",
                        "does not contain an authorized principal",
                        it -> it.keygen(it.users, "-n", "rental-r2", "-z", "5", "-V", "+5m")),
                login(
                        "no principal",
                        "^principals do not match: the certificate is for \"\"$",
                        "lacks principal list|does not contain an authorized principal",
                        it -> it.keygen(it.users, "-z", "5", "-V", "+5m")),
                login(
                        "two principals",
                        "^principals do not match: the certificate is for \"rental-r1,rental-r2\"$",
                        ALLOWED,
                        it -> it.keygen(it.users, "-n", ours + ",rental-r2", "-z", "5", "-V", "+5m")),
                login(
                        "another address",
                        "^the peer's address is not among \"192.0.2.1,2001:db8::/32\", for which the certificate is good$",
                        "not from a permitted source address",
                        it -> it.keygen(
                                it.users,
                                "-n",
                                ours,
                                "-z",
                                "5",
                                "-V",
                                "+5m",
                                "-O",
                                "source-address=192.0.2.1,2001:db8::/32")),
                login(
                        "an unknown critical option",
                        "^critical option \"what-is-this\" is not supported$",
                        "critical option \"what-is-this\" is not supported",
                        it -> it.keygen(it.users, "-n", ours, "-z", "5", "-V", "+5m", "-O", "critical:what-is-this")),
                login(
                        "a forced command",
                        "^critical option \"force-command\" is not supported$",
                        ALLOWED,
                        it -> it.keygen(it.users, "-n", ours, "-z", "5", "-V", "+5m", "-O", "force-command=true")),
                login(
                        "revoked by serial",
                        "^revoked by its serial 77$",
                        "revoked by file",
                        it -> it.keygen(it.users, "-n", ours, "-z", "77", "-V", "+5m")),
                login(
                        "revoked by key id",
                        "^revoked by its key id \"r9\"$",
                        "revoked by file",
                        it -> it.keygenFor("r9", it.users, "-n", ours, "-z", "5", "-V", "+5m")),
                login(
                        "an unknown authority",
                        "^signed by an unknown authority SHA256:",
                        "Failed publickey",
                        it -> it.keygen(SoftwareSigner.generate(), "-n", ours, "-z", "5", "-V", "+5m")),
                login(
                        "the authority of hosts",
                        "^signed by an unknown authority SHA256:",
                        "Failed publickey",
                        it -> it.keygen(it.hosts, "-n", ours, "-z", "5", "-V", "+5m")),
                login(
                        "a break-glass certificate without a grant",
                        "^no break-glass grant is open for \"break-glass:olga:rental-r1\"$",
                        ALLOWED,
                        it -> it.keygenFor("break-glass:olga:rental-r1", it.users, "-n", ours, "-z", "5", "-V", "+5m")),
                login("a plain key", "^a plain key, not a certificate$", "Failed publickey", it -> {}),
                login("serial 0", "^serial 0$", ALLOWED, it -> it.keygen(it.users, "-n", ours, "-V", "+5m")),
                login(
                        "no extension",
                        "^extension permit-port-forwarding is missing$",
                        ALLOWED,
                        it -> it.keygen(it.users, "-n", ours, "-z", "5", "-V", "+5m", "-O", "clear")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("logins")
    void login_withAnythingButTheRightCertificate_isRefusedAndNoted(
            String what, String atGateway, String atVm, Forgery forgery) throws Exception {
        forgery.write(this);
        OpenSsh.Result result = ssh("config", VM, "true");
        assertEquals(255, result.exit(), result.toString());
        assertTrue(result.err().contains("Permission denied (publickey)"), result.toString());
        await(events, RefusalMatrixIT::reason, atGateway);
        assertTrue(events.stream().noneMatch(GatewayEvent.Accepted.class::isInstance));

        OpenSsh.Result direct = ssh("direct", VM, "true");
        if (atVm.equals(ALLOWED)) {
            assertEquals(0, direct.exit(), direct.toString()); // the gateway alone stands against it
        } else {
            assertEquals(255, direct.exit(), direct.toString());
            await(vm.log(), line -> line, atVm);
        }
    }

    /** The real client sends a host certificate only if its agent offers it. */
    @Test
    void login_withAHostCertificate_isRefusedAndNoted() throws Exception {
        // Signed by the authority of users, or it would be refused for that.
        keygen(users, "-h", "-n", PRINCIPAL, "-z", "5", "-V", "+5m");
        String socket = folder.resolve("agent").toString();
        Process agent = OpenSsh.start(List.of("ssh-agent", "-D", "-a", socket));
        try {
            agent.inputReader().readLine(); // it says so once it listens
            OpenSsh.Result added = OpenSsh.run(
                    "env",
                    "SSH_AUTH_SOCK=" + socket,
                    "ssh-add",
                    folder.resolve("id").toString());
            assertTrue(added.err().contains("Certificate added"), added.toString());
            String[] arguments = {
                "-o", "IdentitiesOnly=no", "-o", "CertificateFile=none", "-o", "IdentityAgent=" + socket, VM, "true"
            };
            assertEquals(255, ssh("direct", arguments).exit());
            await(vm.log(), line -> line, "Certificate invalid: not a user certificate");
            Files.writeString(
                    folder.resolve("agents"),
                    Files.readString(folder.resolve("config"))
                            .replace("IdentitiesOnly yes", "IdentitiesOnly no")
                            .replace("IdentityAgent none", "IdentityAgent " + socket)
                            .replaceAll("CertificateFile .*", "CertificateFile none"));
            assertEquals(255, ssh("agents", VM, "true").exit());
            await(events, RefusalMatrixIT::reason, "^a host certificate, not a user's$");
        } finally {
            agent.destroyForcibly();
        }
    }

    static Stream<String> servers() {
        return Stream.of("gateway", "vm");
    }

    private static Arguments use(String what, String asked, String atVm, String... arguments) {
        return Arguments.of(what, asked, atVm, arguments);
    }

    /** At the guest a use is allowed, or ssh says so on its standard error, or it is not tried there. */
    static Stream<Arguments> uses() {
        String gate = RenterFiles.GATEWAY_NAME;
        String notThere = "not tried";
        return Stream.of(
                use("shell", "session", notThere, "-tt", gate),
                use("exec", "session", ALLOWED, gate, "true"),
                use("sftp", "session", ALLOWED, "-s", gate, "sftp"),
                use("another command's environment", "session", ALLOWED, "-o", "SetEnv=A=b", gate, "true"),
                use("agent", "session", "(?m)^SOCK=$", "-A", gate, "echo SOCK=$SSH_AUTH_SOCK >&2"),
                use("X11", "session", "(?m)^DISPLAY=$", "-Y", gate, "echo DISPLAY=$DISPLAY >&2"),
                use("loopback", "127.0.0.1:22", notThere, "-W", "127.0.0.1:22", gate),
                use("metadata address", "169.254.169.254:80", notThere, "-W", "169.254.169.254:80", gate),
                use(
                        "metadata name",
                        "metadata.google.internal:80",
                        notThere,
                        "-W",
                        "metadata.google.internal:80",
                        gate),
                use("another VM", "ch-r2:22", notThere, "-W", "ch-r2:22", gate),
                use("another port of the VM", VM + ":80", notThere, "-W", VM + ":80", gate),
                use("the VM's name with a dot", VM + ".:22", notThere, "-W", VM + ".:22", gate),
                use(
                        "-R",
                        "tcpip-forward",
                        "remote port forwarding failed",
                        "-N",
                        "-o",
                        "ExitOnForwardFailure=yes",
                        "-R",
                        "0:127.0.0.1:22",
                        gate),
                use(
                        "-R of a unix socket",
                        "streamlocal-forward@openssh.com",
                        "remote port forwarding failed",
                        "-N",
                        "-o",
                        "ExitOnForwardFailure=yes",
                        "-R",
                        "/tmp/computehive-never:127.0.0.1:22",
                        gate));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("uses")
    void use_ofAGoodCertificateForAnythingButTheVm_isRefusedAndNoted(
            String what, String asked, String atVm, String[] arguments) throws Exception {
        good();
        OpenSsh.Result result = ssh("config", arguments);
        assertNotEquals(0, result.exit(), result.toString());
        assertEquals("", result.out());
        await(
                events,
                event -> event instanceof GatewayEvent.ChannelRefused refused ? refused.asked() : "",
                "^" + Pattern.quote(asked) + "$");
        assertTrue(events.stream().noneMatch(GatewayEvent.ChannelOpened.class::isInstance));
        if (atVm.equals("not tried")) {
            return;
        }
        String[] atGuest = Arrays.stream(arguments)
                .map(argument -> argument.equals(RenterFiles.GATEWAY_NAME) ? VM : argument)
                .toArray(String[]::new);
        OpenSsh.Result direct = ssh("direct", atGuest);
        assertTrue(Pattern.compile(atVm).matcher(direct.err()).find(), direct.toString());
        if (atVm.equals(ALLOWED)) {
            assertEquals(0, direct.exit(), direct.toString());
        }
    }

    static Stream<Arguments> channels() {
        return Stream.of(
                        "tun@openssh.com",
                        "direct-streamlocal@openssh.com",
                        "x11",
                        "auth-agent@openssh.com",
                        "forwarded-tcpip")
                .flatMap(type -> servers().map(server -> Arguments.of(type, server)));
    }

    /** The channels themselves, for a client that does not ask OpenSSH's way. */
    @ParameterizedTest(name = "{0} at the {1}")
    @MethodSource("channels")
    void channel_ofAnyOtherType_isRefused(String type, String server) throws Exception {
        good();
        boolean atGateway = server.equals("gateway");
        try (var client = new RawClient(atGateway ? gateway.address() : vm.address(), atGateway ? PRINCIPAL : USER)) {
            assertTrue(client.isRefused(type));
        }
        if (atGateway && !type.equals("forwarded-tcpip")) {
            await(
                    events,
                    event -> event instanceof GatewayEvent.ChannelRefused refused ? refused.asked() : "",
                    "^" + Pattern.quote(type) + "$");
        }
    }

    private void good() throws Exception {
        Instant now = Instant.now();
        Files.writeString(
                certificate,
                authority
                                .issue(new UserCertificateRequest(
                                        "r1", PRINCIPAL, renter.publicKey(), now, now.plusSeconds(300)))
                                .line()
                        + "\n");
    }

    private void keygen(SoftwareSigner signer, String... options) throws Exception {
        keygenFor("r1", signer, options);
    }

    /** Signs with {@code ssh-keygen}, which can make what our authority can't. */
    private void keygenFor(String keyId, SoftwareSigner signer, String... options) throws Exception {
        Path ca = folder.resolve("ca");
        signer.save(ca);
        Files.writeString(folder.resolve("id.pub"), renter.publicKey().line() + "\n");
        var command = new ArrayList<>(List.of("ssh-keygen", "-q", "-s", ca.toString(), "-I", keyId));
        command.addAll(Arrays.asList(options));
        command.add(folder.resolve("id.pub").toString());
        OpenSsh.Result result = OpenSsh.result(OpenSsh.start(command));
        Files.delete(ca);
        assertEquals(0, result.exit(), result.toString());
    }

    /** MINA's client, which sends what it is told. */
    private final class RawClient implements AutoCloseable {
        private final SshClient client = SshClient.setUpDefaultClient();
        private final ClientSession session;

        RawClient(InetSocketAddress server, String user) throws Exception {
            client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
            CoreModuleProperties.ABORT_ON_INVALID_CERTIFICATE.set(client, false); // it calls them by their address
            // With it MINA signs a server's host certificate where sshd expects the key, and sshd hangs up.
            client.setKexExtensionHandler(null);
            client.start();
            session =
                    client.connect(user, server).verify(Duration.ofSeconds(10)).getSession();
            KeyPair key = SecurityUtils.loadKeyPairIdentities(
                            null, NamedResource.ofName("key"), Files.newInputStream(folder.resolve("id")), null)
                    .iterator()
                    .next();
            byte[] blob = java.util.Base64.getDecoder()
                    .decode(Files.readString(certificate).split(" ")[1].strip());
            var shown = (OpenSshCertificate) new ByteArrayBuffer(blob).getRawPublicKey();
            session.addPublicKeyIdentity(new KeyPair(shown, key.getPrivate()));
        }

        boolean isRefused(String type) throws Exception {
            session.auth().verify(Duration.ofSeconds(10));
            var channel = new AbstractClientChannel(type) {
                @Override
                protected void doOpen() {}
            };
            session.getService(ConnectionService.class).registerChannel(channel);
            var opened = channel.open();
            opened.await(Duration.ofSeconds(10));
            return !opened.isOpened();
        }

        @Override
        public void close() throws Exception {
            session.close(true);
            client.stop();
        }
    }
}
