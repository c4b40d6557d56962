package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import org.apache.sshd.certificate.OpenSshCertificateBuilder;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.junit.jupiter.api.Test;

class CertificateAuthorityTest {
    private static final Instant NOW = Instant.parse("2030-01-01T12:00:00.250Z");

    private final HostKeyPair userKey = HostKeyPair.generate();
    private final SoftwareSigner hosts = SoftwareSigner.generate();
    private final SoftwareSigner users = SoftwareSigner.generate();
    private final CertificateAuthority authority = new CertificateAuthority(users, hosts, InstantSource.fixed(NOW));

    private UserCertificate issue(String start, String end) {
        return authority.issue(new UserCertificateRequest(
                "r1", "rental-r1", userKey.publicKey(), Instant.parse(start), Instant.parse(end)));
    }

    @Test
    void issue_withinTheWindow_isValidFromAMinuteAgoToItsEnd() {
        UserCertificate certificate = issue("2030-01-01T00:00:00Z", "2030-01-01T13:00:00.900Z");
        assertEquals(Instant.parse("2030-01-01T11:59:01Z"), certificate.validAfter());
        assertEquals(Instant.parse("2030-01-01T13:00:00Z"), certificate.validBefore());
    }

    /** A guest whose clock is behind would refuse a renter in the window's first second; the gateway holds the start. */
    @Test
    void issue_beforeTheWindow_isValidFromAMinuteBeforeItsStart() {
        UserCertificate certificate = issue("2030-01-01T12:30:00.001Z", "2030-01-01T13:00:00Z");
        assertEquals(Instant.parse("2030-01-01T12:29:01Z"), certificate.validAfter());
        assertEquals(Instant.parse("2030-01-01T13:00:00Z"), certificate.validBefore());
    }

    @Test
    void issue_pastTheWindow_isRefused() {
        var refusal = assertThrows(
                AccessException.OutsideWindow.class, () -> issue("2030-01-01T11:00:00Z", "2030-01-01T12:00:00.250Z"));
        assertTrue(refusal.getMessage().contains("ask before the window's end"));
    }

    @Test
    void issue_emptyWindow_isRefused() {
        assertThrows(
                AccessException.OutsideWindow.class, () -> issue("2030-01-01T13:00:00.1Z", "2030-01-01T13:00:00.9Z"));
        assertThrows(AccessException.OutsideWindow.class, () -> issue("2030-01-01T14:00:00Z", "2030-01-01T13:00:00Z"));
    }

    @Test
    void issue_manyTimes_repeatsNoSerialAndNone0() {
        var serials = new HashSet<Long>();
        for (int i = 0; i < 1000; i++) {
            serials.add(issue("2030-01-01T12:00:00Z", "2030-01-01T13:00:00Z").serial());
        }
        assertEquals(1000, serials.size());
        assertTrue(serials.stream().allMatch(serial -> serial > 0));
    }

    @Test
    void create_sameKeyForUsersAndHosts_isRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> new CertificateAuthority(users, users, InstantSource.fixed(NOW)));
    }

    @Test
    void request_principalThatIsNoRentals_isRefused() {
        for (String principal : List.of("", "root", "rental-", "rental-a,rental-b", "rental-A", "rental-a\n")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new UserCertificateRequest("r1", principal, userKey.publicKey(), NOW, NOW.plusSeconds(9)));
        }
    }

    @Test
    void toString_showsNoBody() {
        UserCertificate certificate = issue("2030-01-01T12:00:00Z", "2030-01-01T13:00:00Z");
        assertFalse(certificate.toString().contains("AAAA"));
        assertFalse(users.toString().contains("AAAA"));
        assertFalse(userKey.toString().contains("PRIVATE KEY-"));
    }

    @Test
    void issue_userCertificate_equalsMinasByteForByte() throws Exception {
        UserCertificate ours = issue("2030-01-01T12:00:00Z", "2030-01-01T13:00:00Z");
        OpenSshCertificate theirs = OpenSshCertificateBuilder.userCertificate()
                .nonce(nonce(ours.line()))
                .serial(ours.serial())
                .id("r1")
                .principals(List.of("rental-r1"))
                .publicKey(keyPair(userKey.privateKeyText()).getPublic())
                .validAfter(ours.validAfter())
                .validBefore(ours.validBefore())
                .extension("permit-port-forwarding", "")
                .extension("permit-pty", "")
                .sign(keyPair(PrivateKeyFileTest.text(users)));
        assertEquals(base64(theirs), ours.line().split(" ")[1]);
    }

    @Test
    void issue_hostCertificate_equalsMinasByteForByte() throws Exception {
        HostCertificate ours =
                authority.issue(new HostCertificateRequest("ch-r1", "ch-r1", userKey.publicKey(), NOW.plusSeconds(60)));
        OpenSshCertificate theirs = OpenSshCertificateBuilder.hostCertificate()
                .nonce(nonce(ours.line()))
                .serial(ours.serial())
                .id("ch-r1")
                .principals(List.of("ch-r1"))
                .publicKey(keyPair(userKey.privateKeyText()).getPublic())
                .validAfter(ours.validAfter())
                .validBefore(ours.validBefore())
                .sign(keyPair(PrivateKeyFileTest.text(hosts)));
        assertEquals(base64(theirs), ours.line().split(" ")[1]);
    }

    @Test
    void knownHostsLine_oddPattern_isRefused() {
        assertTrue(authority.knownHostsLine("ch-*,gate").startsWith("@cert-authority ch-*,gate ssh-ed25519 "));
        assertThrows(IllegalArgumentException.class, () -> authority.knownHostsLine("a b"));
        assertThrows(IllegalArgumentException.class, () -> authority.knownHostsLine("a\nb"));
    }

    private static byte[] nonce(String line) {
        var reader = new Wire.Reader(Base64.getDecoder().decode(line.split(" ")[1]));
        reader.text();
        return reader.string();
    }

    private static String base64(OpenSshCertificate certificate) {
        var buffer = new ByteArrayBuffer();
        buffer.putRawPublicKey(certificate);
        return Base64.getEncoder().encodeToString(buffer.getCompactData());
    }

    private static KeyPair keyPair(String text) throws Exception {
        var in = new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
        return SecurityUtils.loadKeyPairIdentities(null, NamedResource.ofName("test"), in, null)
                .iterator()
                .next();
    }
}
