package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An authority whose key lies in a token, SoftHSM's. The module reads its configuration from the environment, so that the
 * test runs its second half in a JVM of its own.
 */
class Pkcs11SignerIT {
    private static final String PIN = "1234";

    @TempDir
    private Path folder;

    private Path configuration;

    @BeforeEach
    void makeToken() throws Exception {
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
        Files.writeString(folder.resolve("softhsm2.conf"), "directories.tokendir = %s%n".formatted(tokens));
        configuration = Files.writeString(
                folder.resolve("pkcs11.cfg"), "name = Test%nlibrary = %s%nslotListIndex = 0%n".formatted(module));
        run("softhsm2-util", "--init-token", "--free", "--label", "computehive", "--so-pin", PIN, "--pin", PIN);
        run(
                System.getProperty("java.home") + "/bin/keytool",
                "-genkeypair",
                "-keystore",
                "NONE",
                "-storetype",
                "PKCS11",
                "-addprovider",
                "SunPKCS11",
                "-providerarg",
                configuration.toString(),
                "-storepass",
                PIN,
                "-alias",
                "user-authority",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=authority");
    }

    private String run(String... command) throws Exception {
        var full = new ArrayList<>(List.of(command));
        if (!full.get(0).startsWith("/")) {
            full.set(0, OpenSsh.program(full.get(0)));
        }
        var builder = new ProcessBuilder(full).redirectErrorStream(true);
        builder.environment()
                .put("SOFTHSM2_CONF", folder.resolve("softhsm2.conf").toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @Test
    void issue_withAKeyInAToken_isACertificateThatSshKeygenShowsAndSshdAccepts() throws Exception {
        HostKeyPair renter = HostKeyPair.generate();
        Path key = OpenSsh.secret(folder.resolve("id"), renter.privateKeyText());
        String[] lines = run(
                        System.getProperty("java.home") + "/bin/java",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Issuing.class.getName(),
                        configuration.toString(),
                        renter.publicKey().line())
                .split("\n");
        SshPublicKey authority = SshPublicKey.parse(lines[lines.length - 2]);
        Path certificate = Files.writeString(folder.resolve("id-cert.pub"), lines[lines.length - 1] + "\n");
        assertEquals("ecdsa-sha2-nistp256", authority.type());
        OpenSsh.Result shown = OpenSsh.run("ssh-keygen", "-L", "-f", certificate.toString());
        assertTrue(shown.out().contains(authority.fingerprint() + " (using ecdsa-sha2-nistp256)"), shown.toString());

        HostKeyPair vmKey = HostKeyPair.generate();
        var hosts =
                new CertificateAuthority(SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.system());
        try (var vm = OpenSsh.Sshd.asInTheGuest(
                Files.createDirectory(folder.resolve("vm")),
                vmKey,
                hosts.issue(new HostCertificateRequest(
                        "r1", "ch-r1", vmKey.publicKey(), Instant.now().plusSeconds(600))),
                authority,
                "rental-r1")) {
            OpenSsh.Result entered = OpenSsh.run(
                    "ssh",
                    "-F",
                    "none",
                    "-i",
                    key.toString(),
                    "-o",
                    "BatchMode=yes",
                    "-o",
                    "StrictHostKeyChecking=no",
                    "-o",
                    "UserKnownHostsFile=/dev/null",
                    "-p",
                    Integer.toString(vm.address().getPort()),
                    System.getProperty("user.name") + "@127.0.0.1",
                    "echo in");
            assertEquals("in\n", entered.out(), entered.toString());
        }
    }

    @Test
    void open_withoutSuchAModule_namesWhatToCheck() throws Exception {
        Path wrong = Files.writeString(folder.resolve("wrong.cfg"), "name = None\nlibrary = /nowhere.so\n");
        var refusal = assertThrows(
                AccessException.KeyFile.class, () -> Pkcs11Signer.open(wrong, PIN.toCharArray(), "user-authority"));
        assertNotNull(refusal.getMessage());
        assertTrue(refusal.getMessage().contains("Check module, slot, PIN and label"), refusal.getMessage());
    }

    /** Issues a certificate with the token's key: {@code CONFIGURATION PUBLIC_KEY}. Prints the authority and it. */
    static final class Issuing {
        private Issuing() {}

        public static void main(String[] arguments) {
            var authority = new CertificateAuthority(
                    Pkcs11Signer.open(Path.of(arguments[0]), PIN.toCharArray(), "user-authority"),
                    SoftwareSigner.generate(),
                    InstantSource.system());
            Instant now = Instant.now();
            SshPublicKey key = SshPublicKey.parse(arguments[1]);
            System.out.println(authority.userAuthority().line());
            System.out.println(authority
                    .issue(new UserCertificateRequest("r1", "rental-r1", key, now, now.plusSeconds(600)))
                    .line());
        }
    }
}
