package org.computehive.vm;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.computehive.market.MachineShape;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

/** What the tests with real VMs share: the demo image, keys made by {@code ssh-keygen}, the {@code ssh} client. */
final class TestHost {
    static final MachineShape SHAPE = new MachineShape(1, 256, 64, DemoImage.NAME);

    private TestHost() {}

    /** Returns the catalogue with the demo image, kept between runs. */
    static ImageCatalogue images() {
        return DemoImage.ensure(
                Path.of("target", "images").toAbsolutePath(), line -> System.out.println("demo image: " + line));
    }

    /** Returns an empty folder on disk that every user may pass through. */
    static Path state() throws IOException {
        return Files.createTempDirectory(
                Path.of("/var/tmp"),
                "computehive-it-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    }

    /** Returns this process's class path for one that starts in another folder. */
    static String absoluteClassPath() {
        var parts = new ArrayList<String>();
        for (String part : System.getProperty("java.class.path").split(":", -1)) {
            parts.add(Path.of(part).toAbsolutePath().toString());
        }
        return String.join(":", parts);
    }

    /** Keys and certificates of one rental, made without our own authority. */
    static final class Keys {
        private final Path folder;
        private final RentalId id;

        private Keys(RentalId id, Path folder) {
            this.folder = folder;
            this.id = id;
        }

        /** Returns keys that were made before. */
        static Keys existing(Path folder, RentalId id) {
            return new Keys(id, folder);
        }

        Keys(Path folder, RentalId id) throws IOException {
            this(id, Files.createDirectories(folder));
            for (String name : List.of("user-ca", "host-ca", "host", "user", "stranger")) {
                keygen("-t", "ed25519", "-N", "", "-C", "", "-f", name);
            }
            keygen("-s", "user-ca", "-I", id.value(), "-n", id.principal(), "-V", "-1m:+1h", "user.pub");
            keygen("-s", "user-ca", "-I", "other", "-n", "rental-other", "-V", "-1m:+1h", "stranger.pub");
            keygen("-s", "host-ca", "-h", "-I", id.vmName(), "-n", id.vmName(), "host.pub");
            Files.writeString(folder.resolve("known_hosts"), "@cert-authority * " + read("host-ca.pub"));
        }

        private void keygen(String... arguments) {
            var argv = new ArrayList<>(List.of("env", "-C", folder.toString(), "ssh-keygen", "-q"));
            argv.addAll(List.of(arguments));
            Tool.Outcome outcome = Tool.run(argv, Duration.ofSeconds(20), "openssh-client");
            if (!outcome.succeeded()) {
                throw new AssertionError("ssh-keygen failed, is openssh-client installed? " + outcome);
            }
        }

        private String read(String name) throws IOException {
            return Files.readString(folder.resolve(name), StandardCharsets.US_ASCII);
        }

        VmSpec.GuestAccess access() {
            try {
                return new VmSpec.GuestAccess(read("host"), read("host-cert.pub"), read("user-ca.pub"), id.principal());
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /** Runs a command in the guest with the real client and strict checking of the host. */
        Tool.Outcome ssh(String key, String user, int port, String command) {
            return ssh(key, user, new InetSocketAddress(InetAddress.getLoopbackAddress(), port), command);
        }

        /** Runs a command in the guest that answers at an address. */
        Tool.Outcome ssh(String key, String user, InetSocketAddress at, String command) {
            var argv = List.of(
                    "ssh",
                    "-F",
                    "none",
                    "-o",
                    "BatchMode=yes",
                    "-o",
                    "IdentitiesOnly=yes",
                    "-o",
                    "IdentityAgent=none",
                    "-o",
                    "StrictHostKeyChecking=yes",
                    "-o",
                    "UserKnownHostsFile=" + folder.resolve("known_hosts"),
                    "-o",
                    "HostKeyAlias=" + id.vmName(),
                    "-o",
                    "ConnectTimeout=15",
                    "-i",
                    folder.resolve(key).toString(),
                    "-p",
                    Integer.toString(at.getPort()),
                    user + "@" + at.getAddress().getHostAddress(),
                    command);
            return Tool.run(argv, Duration.ofSeconds(60), "openssh-client");
        }
    }
}
