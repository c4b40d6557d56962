package org.computehive.server.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.computehive.rental.RentalId;
import org.computehive.rental.SessionAccess.Grant;
import org.computehive.schedule.Window;

/**
 * One certificate against one {@code ssh-keygen -s}; a login through our gateway against one through OpenSSH's sshd as the
 * jump host, with the same client, key and certificate, to the same sshd of this machine.
 */
final class AccessSteps {
    private static final int CERTIFICATES = 25;
    private static final int LOGINS = 7;

    /** ssh-keygen starts a process for it; ours is in this one. */
    private static final double CERTIFICATE_GOAL = 0.5;
    /** The client's two key exchanges are the same; a gateway in Java may cost what sshd's fork and privileges cost. */
    private static final double LOGIN_GOAL = 1.25;

    private final Stage stage;
    private final Path folder;
    private final String user = System.getProperty("user.name");
    private final String ssh = Programs.find("ssh", "openssh-client");
    private final String keygen = Programs.find("ssh-keygen", "openssh-client");
    private final String sshd = Programs.find("sshd", "openssh-server");
    private final Window window = Stage.anHour();

    AccessSteps(Stage stage) throws IOException {
        this.stage = stage;
        this.folder = Files.createDirectories(stage.folder().resolve("access"));
    }

    List<Figure> run(Consumer<String> progress) throws Exception {
        Programs.run(folder, List.of(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "renter", "-f", "id"));
        Programs.run(folder, List.of(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "authority", "-f", "authority"));
        Files.copy(folder.resolve("id.pub"), folder.resolve("by-hand.pub"));
        String key = Files.readString(folder.resolve("id.pub")).strip();
        RentalId id = RentalId.random();
        var byHand = List.of(
                keygen,
                "-q",
                "-s",
                "authority",
                "-I",
                id.value(),
                "-n",
                id.principal(),
                "-V",
                "+1h",
                "-z",
                "1",
                "by-hand.pub");
        Rounds.Medians certificate = Rounds.of(
                20,
                CERTIFICATES,
                () -> Rounds.seconds(() -> stage.access().issue(id, window, key)),
                () -> Rounds.seconds(() -> Programs.run(folder, byHand)));
        progress.accept("certificates issued; logging in");
        return List.of(
                DemoSteps.figure("certificate-seconds", certificate, CERTIFICATE_GOAL),
                DemoSteps.figure("login-seconds", logins(id, key), LOGIN_GOAL));
    }

    private Rounds.Medians logins(RentalId id, String key) throws Exception {
        Grant grant = stage.access().issue(id, window, key);
        Files.writeString(folder.resolve("id-cert.pub"), grant.certificate() + "\n");
        var files = grant.files(folder);
        Files.writeString(folder.resolve("ssh_config"), files.sshConfig());
        Files.writeString(folder.resolve("known_hosts"), files.knownHosts());
        RentalId jumpId = RentalId.random();
        try (var target = Sshd.start(
                        sshd, folder.resolve("target"), stage.access().guestAccess(id, window), id.principal());
                var jump = Sshd.start(
                        sshd, folder.resolve("jump"), stage.access().guestAccess(jumpId, window), id.principal())) {
            stage.access().admit(id, window, target.address());
            Path config = Files.writeString(
                    folder.resolve("by_hand_config"),
                    byHandConfig(grant, jumpId, id, jump.address(), target.address()));
            return Rounds.of(
                    2,
                    LOGINS,
                    () -> Rounds.seconds(() -> login(folder.resolve("ssh_config"), id.vmName())),
                    () -> Rounds.seconds(() -> login(config, "target")));
        } finally {
            stage.access().cut(id, "the benchmark is over");
        }
    }

    private void login(Path config, String host) throws IOException, InterruptedException {
        Programs.run(
                folder,
                List.of(ssh, "-F", config.toString(), "-o", "BatchMode=yes", "-T", "-n", "-l", user, host, "true"));
    }

    private String byHandConfig(
            Grant grant, RentalId jumpId, RentalId id, InetSocketAddress jump, InetSocketAddress target)
            throws IOException {
        Path hosts = Files.writeString(
                folder.resolve("by_hand_hosts"),
                "@cert-authority %s,%s %s%n"
                        .formatted(
                                jumpId.vmName(),
                                id.vmName(),
                                grant.hostAuthorities().getFirst().line()));
        return """
                Host target
                  HostName 127.0.0.1
                  Port %d
                  HostKeyAlias %s
                  ProxyJump jump
                Host jump
                  HostName 127.0.0.1
                  Port %d
                  HostKeyAlias %s
                Host *
                  User %s
                  IdentityFile %s
                  CertificateFile %s
                  IdentitiesOnly yes
                  IdentityAgent none
                  PreferredAuthentications publickey
                  UserKnownHostsFile %s
                  GlobalKnownHostsFile /dev/null
                  StrictHostKeyChecking yes
                  UpdateHostKeys no
                """.formatted(
                        target.getPort(),
                        id.vmName(),
                        jump.getPort(),
                        jumpId.vmName(),
                        user,
                        folder.resolve("id"),
                        folder.resolve("id-cert.pub"),
                        hosts);
    }
}
