package org.computehive.server.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.computehive.access.CertificateAuthority;
import org.computehive.access.Gateway;
import org.computehive.access.GatewayConfig;
import org.computehive.access.GatewayLimits;
import org.computehive.access.HostCertificateRequest;
import org.computehive.access.HostKeyPair;
import org.computehive.access.Lease;
import org.computehive.access.RenterFiles;
import org.computehive.access.SoftwareSigner;
import org.computehive.access.SshPublicKey;
import org.computehive.access.UserCertificateRequest;
import org.computehive.rental.VmSpec.GuestAccess;

/**
 * Our gateway and OpenSSH's sshd as jump hosts, side by side: the same certificate, the same cipher, the same sshd behind
 * them.
 */
final class JumpStage implements AutoCloseable {
    static final String TARGET = "ch-bench";
    static final String PRINCIPAL = "rental-bench";
    private static final String JUMP = "jump";
    private static final String USER = System.getProperty("user.name");
    private static final Duration HOUR = Duration.ofHours(1);

    private final Scratch scratch = Scratch.inMemory();
    private final String ssh = Programs.find("ssh", "openssh-client");
    private final CertificateAuthority authority =
            new CertificateAuthority(SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.system());
    private final Sshd target;
    private final Sshd jump;
    private final Gateway gateway;

    JumpStage() throws IOException, InterruptedException {
        Path folder = scratch.folder();
        String keygen = Programs.find("ssh-keygen", "openssh-client");
        String sshd = Programs.find("sshd", "openssh-server");
        Programs.run(folder, List.of(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "renter", "-f", "id"));
        target = Sshd.start(sshd, folder.resolve("target"), guest(TARGET), PRINCIPAL);
        jump = Sshd.start(sshd, folder.resolve("jump"), guest(JUMP), PRINCIPAL);
        HostKeyPair key = HostKeyPair.generate();
        var limits = new GatewayLimits(1_000, 1_000, Duration.ofSeconds(60), 6, 1_000, 16);
        gateway = Gateway.start(
                new GatewayConfig(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        key,
                        authority.issue(new HostCertificateRequest(
                                "gateway",
                                RenterFiles.GATEWAY_NAME,
                                key.publicKey(),
                                Instant.now().plus(HOUR))),
                        authority.userAuthorities(),
                        limits),
                InstantSource.system(),
                event -> {});
        admit(PRINCIPAL, target.address(), Instant.now().plus(HOUR));
        Files.writeString(
                folder.resolve("known_hosts"),
                "@cert-authority %s,%s,%s %s%n"
                        .formatted(
                                TARGET,
                                JUMP,
                                RenterFiles.GATEWAY_NAME,
                                authority.hostAuthority().line()));
        certify(PRINCIPAL);
        config("ours", RenterFiles.GATEWAY_NAME, gateway.address().getPort(), PRINCIPAL, TARGET, 22);
        config(
                "peer",
                JUMP,
                jump.address().getPort(),
                USER,
                "127.0.0.1",
                target.address().getPort());
    }

    private GuestAccess guest(String name) {
        HostKeyPair key = HostKeyPair.generate();
        return new GuestAccess(
                key.privateKeyText(),
                authority
                        .issue(new HostCertificateRequest(
                                name, name, key.publicKey(), Instant.now().plus(HOUR)))
                        .line(),
                authority.userAuthority().line(),
                PRINCIPAL);
    }

    private void config(String name, String host, int port, String user, String target, int targetPort)
            throws IOException {
        Files.writeString(scratch.folder().resolve(name), """
                Host target
                  HostName %1$s
                  Port %2$d
                  HostKeyAlias %3$s
                  User %4$s
                  ProxyJump entrance
                Host entrance
                  HostName 127.0.0.1
                  HostKeyAlias %5$s
                  Port %6$d
                  User %7$s
                Host *
                  Ciphers aes128-gcm@openssh.com
                  IdentityFile %8$s/id
                  CertificateFile %8$s/id-cert.pub
                  IdentitiesOnly yes
                  IdentityAgent none
                  PreferredAuthentications publickey
                  UserKnownHostsFile %8$s/known_hosts
                  GlobalKnownHostsFile /dev/null
                  StrictHostKeyChecking yes
                  UpdateHostKeys no
                  BatchMode yes
                """.formatted(
                        target, targetPort, TARGET, USER, host, port, user, scratch.folder()));
    }

    void admit(String principal, InetSocketAddress at, Instant end) {
        gateway.admit(new Lease(principal, TARGET, at, Instant.now().minusSeconds(1), end));
    }

    void certify(String principal) throws IOException {
        Path folder = scratch.folder();
        SshPublicKey key = SshPublicKey.parse(Files.readString(folder.resolve("id.pub")));
        Instant now = Instant.now();
        Files.writeString(
                folder.resolve("id-cert.pub"),
                authority
                                .issue(new UserCertificateRequest("bench", principal, key, now, now.plus(HOUR)))
                                .line()
                        + "\n");
    }

    Path folder() {
        return scratch.folder();
    }

    Gateway gateway() {
        return gateway;
    }

    /** The words of {@code ssh} with one of the configurations. */
    List<String> ssh(String config) {
        return List.of(ssh, "-F", scratch.folder().resolve(config).toString());
    }

    /** Where a connection through one of the jump hosts leads, for {@code ssh -W}. */
    String way(String config) {
        return config.equals("ours")
                ? TARGET + ":22"
                : "127.0.0.1:" + target.address().getPort();
    }

    /** Processor time of the jump host so far; OpenSSH's once the processes of its connections have ended. */
    double cpu(String config) throws Exception {
        if (config.equals("ours")) {
            return CpuTime.ours();
        }
        ProcessHandle listener = jump.process().toHandle();
        // What ends while it is counted would be missed: it moves from its own count to its parent's.
        for (List<ProcessHandle> children = listener.descendants().toList();
                !children.isEmpty();
                children = listener.descendants().toList()) {
            for (ProcessHandle child : children) {
                child.onExit().get(10, TimeUnit.SECONDS);
            }
        }
        return CpuTime.of(listener);
    }

    @Override
    public void close() throws Exception {
        gateway.close();
        jump.close();
        target.close();
        scratch.close();
    }
}
