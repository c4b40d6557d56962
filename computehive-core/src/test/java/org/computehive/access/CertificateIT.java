package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What we write, as the real {@code ssh-keygen} reads it. */
class CertificateIT {
    private final CertificateAuthority authority =
            new CertificateAuthority(SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.system());

    @TempDir
    private Path folder;

    private UserCertificate issue(String keyId, SshPublicKey key) {
        Instant now = Instant.now();
        return authority.issue(new UserCertificateRequest(keyId, "rental-" + keyId, key, now, now.plusSeconds(600)));
    }

    @ParameterizedTest
    @CsvSource({"ed25519,256", "ecdsa,256", "ecdsa,384", "ecdsa,521", "rsa,3072"})
    void issue_keyOfSshKeygen_isShownWithExactlyOurProfile(String type, String bits) throws Exception {
        Path key = folder.resolve("key");
        OpenSsh.run("ssh-keygen", "-q", "-t", type, "-b", bits, "-N", "", "-C", "a comment", "-f", key.toString());
        SshPublicKey parsed = SshPublicKey.parse(Files.readString(folder.resolve("key.pub")));
        UserCertificate certificate = issue("r1", parsed);
        Path file = Files.writeString(folder.resolve("cert.pub"), certificate.line() + "\n");
        OpenSsh.Result shown = OpenSsh.run("ssh-keygen", "-L", "-f", file.toString());
        assertEquals(0, shown.exit(), shown.toString());
        List<String> lines = shown.out().lines().map(String::strip).toList();
        assertTrue(lines.get(1).startsWith("Type: " + parsed.type() + "-cert-v01@openssh.com user"), shown.out());
        assertTrue(lines.get(2).endsWith(parsed.fingerprint()), shown.out());
        assertTrue(
                lines.get(3).endsWith(authority.userAuthority().fingerprint() + " (using ssh-ed25519)"), shown.out());
        assertEquals("Key ID: \"r1\"", lines.get(4));
        assertEquals("Serial: " + certificate.serial(), lines.get(5));
        assertEquals(
                List.of(
                        "Principals:",
                        "rental-r1",
                        "Critical Options: (none)",
                        "Extensions:",
                        "permit-port-forwarding",
                        "permit-pty"),
                lines.subList(7, 13));
        assertEquals(13, lines.size());
    }

    @Test
    void privateKeyText_isReadBySshKeygen() throws Exception {
        HostKeyPair key = HostKeyPair.generate();
        Path file = OpenSsh.secret(folder.resolve("host"), key.privateKeyText());
        OpenSsh.Result shown = OpenSsh.run("ssh-keygen", "-y", "-P", "", "-f", file.toString());
        assertEquals(0, shown.exit(), shown.toString());
        assertEquals(key.publicKey(), SshPublicKey.parse(shown.out()));
    }

    @Test
    void encryptedKey_ofOursAndOfSshKeygens_isReadByTheOther() throws Exception {
        var signer = SoftwareSigner.generate();
        Path ours = folder.resolve("ours");
        signer.save(ours, "correct horse");
        OpenSsh.Result shown = OpenSsh.run("ssh-keygen", "-y", "-P", "correct horse", "-f", ours.toString());
        assertEquals(signer.publicKey(), SshPublicKey.parse(shown.out()), shown.toString());
        assertNotEquals(
                0,
                OpenSsh.run("ssh-keygen", "-y", "-P", "wrong", "-f", ours.toString())
                        .exit());
        Path theirs = folder.resolve("theirs");
        OpenSsh.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "correct horse", "-f", theirs.toString());
        assertEquals(
                SshPublicKey.parse(Files.readString(folder.resolve("theirs.pub"))),
                SoftwareSigner.load(theirs, "correct horse").publicKey());
    }

    @Test
    void rotation_certificatesOfBothKeys_areRevokedByOneList() throws Exception {
        SoftwareSigner former = SoftwareSigner.generate();
        SoftwareSigner next = SoftwareSigner.generate();
        SoftwareSigner hosts = SoftwareSigner.generate();
        var before = new CertificateAuthority(former, hosts, InstantSource.system());
        var after =
                new CertificateAuthority(next, hosts, List.of(former.publicKey()), List.of(), InstantSource.system());
        assertEquals(List.of(next.publicKey(), former.publicKey()), after.userAuthorities());
        SshPublicKey key = HostKeyPair.generate().publicKey();
        Instant now = Instant.now();
        var request = new UserCertificateRequest("r1", "rental-r1", key, now, now.plusSeconds(600));
        var list = new KeyRevocationList(after.userAuthorities(), 1, now, Set.of(), Set.of("r1"));
        assertEquals(1, query(list, before.issue(request)).exit());
        assertEquals(1, query(list, after.issue(request)).exit());
    }

    @Test
    void load_keyOfSshKeygen_isTheSameKey() throws Exception {
        Path key = folder.resolve("ca");
        OpenSsh.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.toString());
        assertEquals(
                SshPublicKey.parse(Files.readString(folder.resolve("ca.pub"))),
                SoftwareSigner.load(key).publicKey());
    }

    @Test
    void revocationList_bySerialAndKeyId_revokesThoseAlone() throws Exception {
        SshPublicKey key = HostKeyPair.generate().publicKey();
        UserCertificate bySerial = issue("r1", key);
        UserCertificate byKeyId = issue("r2", key);
        UserCertificate another = issue("r3", key);
        var list = new KeyRevocationList(
                authority.userAuthorities(), 7, Instant.now(), Set.of(bySerial.serial(), 1L), Set.of("r2", "r0"));
        assertEquals(1, query(list, bySerial).exit());
        assertEquals(1, query(list, byKeyId).exit());
        assertEquals(0, query(list, another).exit());
        assertTrue(query(list, bySerial).out().contains("REVOKED"));
    }

    @Test
    void revocationList_empty_revokesNothing() throws Exception {
        var list = new KeyRevocationList(authority.userAuthorities(), 0, Instant.now(), Set.of(), Set.of());
        OpenSsh.Result result = query(list, issue("r1", HostKeyPair.generate().publicKey()));
        assertEquals(0, result.exit(), result.toString());
    }

    @Test
    void revocationList_ofAnotherAuthority_revokesNothing() throws Exception {
        UserCertificate certificate = issue("r1", HostKeyPair.generate().publicKey());
        var list = new KeyRevocationList(
                authority.hostAuthorities(), 1, Instant.now(), Set.of(certificate.serial()), Set.of("r1"));
        assertEquals(0, query(list, certificate).exit());
    }

    private OpenSsh.Result query(KeyRevocationList list, UserCertificate certificate) throws Exception {
        Path krl = Files.write(folder.resolve("krl"), list.encode());
        Path cert = Files.writeString(folder.resolve("queried.pub"), certificate.line() + "\n");
        return OpenSsh.run("ssh-keygen", "-Q", "-f", krl.toString(), cert.toString());
    }
}
