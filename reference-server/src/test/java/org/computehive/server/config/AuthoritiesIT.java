package org.computehive.server.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.computehive.access.CertificateAuthority;
import org.computehive.access.HostCertificateRequest;
import org.computehive.access.HostKeyPair;
import org.computehive.access.SshPublicKey;
import org.computehive.access.UserCertificateRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The authorities' keys where operators have them: in a file that ssh-keygen encrypted, and in a token, SoftHSM's. */
class AuthoritiesIT {
    private static final String PIN = "1234";

    @TempDir
    private Path folder;

    private static AuthoritySettings file(String name, Path file, Path passphrase) {
        return new AuthoritySettings(
                name,
                Optional.of(file.toString()),
                Optional.of(passphrase.toString()),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static AuthoritySettings token(String name, String configuration, String pinVariable) {
        return new AuthoritySettings(
                name,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(configuration),
                Optional.empty(),
                Optional.of(pinVariable),
                Optional.empty(),
                Optional.empty());
    }

    private String run(Map<String, String> environment, String... command) throws Exception {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = start(builder);
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new AssertionError(
                    "%s can't be run: run apt-get install openssh-client softhsm2"
                            .formatted(builder.command().getFirst()),
                    e);
        }
    }

    private String shown(String name, String certificate) throws Exception {
        Path file = Files.writeString(folder.resolve(name + "-cert.pub"), certificate + "\n");
        return run(Map.of(), "ssh-keygen", "-L", "-f", file.toString());
    }

    @Test
    void open_keyThatSshKeygenEncrypted_signs() throws Exception {
        String passphrase = "a passphrase of mine";
        Path secret = Files.createFile(
                folder.resolve("passphrase"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(secret, passphrase + "\n");
        var settings = new ArrayList<AuthoritySettings>();
        for (String name : List.of("user", "host")) {
            Path key = folder.resolve(name);
            run(Map.of(), "ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", key.toString());
            settings.add(file(name, key, secret));
        }
        CertificateAuthority authority =
                Authorities.open(settings, folder.resolve("keys"), name -> Optional.empty(), InstantSource.system());
        Instant now = Instant.now();
        String line = authority
                .issue(new UserCertificateRequest(
                        "r1", "rental-r1", HostKeyPair.generate().publicKey(), now, now.plusSeconds(600)))
                .line();
        String fingerprint =
                SshPublicKey.parse(Files.readString(folder.resolve("user.pub"))).fingerprint();
        assertTrue(shown("renter", line).contains(fingerprint), line);
    }

    @Test
    void open_bothKeysInAToken_sign() throws Exception {
        Path module = Stream.of(
                        "/usr/lib/softhsm/libsofthsm2.so",
                        "/usr/lib/%s/softhsm/libsofthsm2.so"
                                .formatted(
                                        System.getProperty("os.arch").equals("aarch64")
                                                ? "aarch64-linux-gnu"
                                                : "x86_64-linux-gnu"))
                .map(Path::of)
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new AssertionError("SoftHSM is not installed: run apt-get install softhsm2"));
        Path tokens = Files.createDirectory(folder.resolve("tokens"));
        Path softHsm =
                Files.writeString(folder.resolve("softhsm2.conf"), "directories.tokendir = %s%n".formatted(tokens));
        Path configuration = Files.writeString(
                folder.resolve("pkcs11.cfg"), "name = Test%nlibrary = %s%nslotListIndex = 0%n".formatted(module));
        // The module reads its configuration from the environment, so a JVM of its own opens it.
        var environment = Map.of("SOFTHSM2_CONF", softHsm.toString(), "TOKEN_PIN", PIN);
        run(
                environment,
                "softhsm2-util",
                "--init-token",
                "--free",
                "--label",
                "computehive",
                "--so-pin",
                PIN,
                "--pin",
                PIN);
        String java = System.getProperty("java.home") + "/bin/";
        for (String alias : List.of("user-authority", "host-authority")) {
            String keytool = "-genkeypair -keystore NONE -storetype PKCS11 -addprovider SunPKCS11 -providerarg %s"
                    + " -storepass:env TOKEN_PIN -alias %s -keyalg EC -groupname secp256r1 -dname CN=authority";
            var command = new ArrayList<>(List.of(java + "keytool"));
            command.addAll(List.of(keytool.formatted(configuration, alias).split(" ")));
            run(environment, command.toArray(String[]::new));
        }

        String[] lines = run(
                        environment,
                        java + "java",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Issuing.class.getName(),
                        configuration.toString(),
                        folder.resolve("keys").toString())
                .split("\n");

        int last = lines.length - 1;
        for (int i = 0; i < 2; i++) {
            SshPublicKey authority = SshPublicKey.parse(lines[last - 3 + i]);
            String shown = shown("issued-" + i, lines[last - 1 + i]);
            assertTrue(shown.contains(authority.fingerprint() + " (using ecdsa-sha2-nistp256)"), shown);
        }
    }

    /** Issues with a token's keys: {@code CONFIGURATION FOLDER}. Prints both authorities, then what they signed. */
    static final class Issuing {
        private Issuing() {}

        public static void main(String[] arguments) {
            CertificateAuthority authority = Authorities.open(
                    List.of(token("user", arguments[0], "TOKEN_PIN"), token("host", arguments[0], "TOKEN_PIN")),
                    Path.of(arguments[1]),
                    name -> Optional.ofNullable(System.getenv(name)),
                    InstantSource.system());
            Instant now = Instant.now();
            SshPublicKey key = HostKeyPair.generate().publicKey();
            System.out.println(authority.userAuthority().line());
            System.out.println(authority.hostAuthority().line());
            System.out.println(authority
                    .issue(new UserCertificateRequest("r1", "rental-r1", key, now, now.plusSeconds(600)))
                    .line());
            System.out.println(authority
                    .issue(new HostCertificateRequest("r1", "ch-r1", key, now.plusSeconds(600)))
                    .line());
        }
    }
}
