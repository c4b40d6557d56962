package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.PublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.junit.jupiter.api.Test;

/** What the real client can't be made to send, and the exact instants. */
class CertificateCheckTest {
    private static final Instant START = Instant.parse("2030-01-01T12:00:00Z");
    private static final Instant END = START.plusSeconds(60);

    private final SoftwareSigner key = SoftwareSigner.generate();
    private final CertificateAuthority authority =
            new CertificateAuthority(key, SoftwareSigner.generate(), InstantSource.fixed(START));
    private final SshPublicKey renter = HostKeyPair.generate().publicKey();

    private static PublicKey decoded(String line) throws Exception {
        return new ByteArrayBuffer(Base64.getDecoder().decode(line.split(" ")[1])).getRawPublicKey();
    }

    private String refusal(PublicKey certificate, Instant now) {
        return CertificateCheck.refusal(certificate, "rental-r1", null, now, List.of(authority.userAuthority()));
    }

    @Test
    void refusal_atTheEdgesOfTheWindow_isExact() throws Exception {
        PublicKey certificate = decoded(authority
                .issue(new UserCertificateRequest("r1", "rental-r1", renter, START, END))
                .line());
        assertTrue(refusal(certificate, START.minusSeconds(60).minusNanos(1)).startsWith("not yet valid"));
        assertNull(refusal(certificate, START.minusSeconds(60)));
        assertNull(refusal(certificate, END.minusNanos(1)));
        assertTrue(refusal(certificate, END).startsWith("expired"));
    }

    @Test
    void refusal_hostCertificate_isRefusedAsSuch() throws Exception {
        PublicKey certificate = decoded(authority
                .issue(new HostCertificateRequest("r1", "rental-r1", renter, END))
                .line());
        assertTrue(refusal(certificate, START).startsWith("a host certificate"));
    }
}
