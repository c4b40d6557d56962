package org.computehive.access;

import java.net.SocketAddress;
import java.security.PublicKey;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The gateway's own judgement of a certificate, all but its signature. MINA checks some of it too, but by the system's
 * clock and without telling why.
 */
final class CertificateCheck {
    private CertificateCheck() {}

    private static final String SOURCE_ADDRESS = "source-address";

    /** Returns why {@code key} does not prove that {@code user} may enter from an address, or null. */
    static @Nullable String refusal(
            PublicKey key,
            String user,
            @Nullable SocketAddress peer,
            Instant now,
            Collection<SshPublicKey> authorities) {
        if (!(key instanceof OpenSshCertificate certificate)) {
            return "a plain key, not a certificate";
        }
        if (certificate.getType() != OpenSshCertificate.Type.USER) {
            return "a host certificate, not a user's";
        }
        byte[] authority = blob(certificate.getCaPubKey());
        if (authorities.stream().noneMatch(trusted -> Arrays.equals(trusted.blob(), authority))) {
            return "signed by an unknown authority " + SshPublicKey.fingerprint(authority);
        }
        if (certificate.getSerial() == 0) {
            return "serial 0";
        }
        String option = optionRefusal(certificate, peer);
        if (option != null) {
            return option;
        }
        if (!certificate.getExtensionsMap().containsKey("permit-port-forwarding")) {
            return "extension permit-port-forwarding is missing";
        }
        if (!List.copyOf(certificate.getPrincipals()).equals(List.of(user))) {
            return "principals do not match: the certificate is for \"%s\""
                    .formatted(Names.shown(String.join(",", certificate.getPrincipals())));
        }
        long second = now.getEpochSecond();
        if (Long.compareUnsigned(second, certificate.getValidAfter()) < 0) {
            return "not yet valid: from " + time(certificate.getValidAfter());
        }
        if (Long.compareUnsigned(second, certificate.getValidBefore()) >= 0) {
            return "expired: at " + time(certificate.getValidBefore());
        }
        return null;
    }

    private static @Nullable String optionRefusal(OpenSshCertificate certificate, @Nullable SocketAddress peer) {
        for (OpenSshCertificate.CertificateOption option : certificate.getCriticalOptions()) {
            if (!option.getName().equals(SOURCE_ADDRESS)) {
                return "critical option \"%s\" is not supported".formatted(Names.shown(option.getName()));
            }
            String allowed = option.getData() == null ? "" : option.getData();
            if (!Addresses.hold(allowed, peer)) {
                return "the peer's address is not among \"%s\", for which the certificate is good"
                        .formatted(Names.shown(allowed));
            }
        }
        return null;
    }

    /** Returns the certificate's end, however far. */
    static Instant end(OpenSshCertificate certificate) {
        long second = certificate.getValidBefore();
        return second < 0 || second > Instant.MAX.getEpochSecond() ? Instant.MAX : Instant.ofEpochSecond(second);
    }

    static String fingerprint(PublicKey key) {
        return SshPublicKey.fingerprint(blob(key));
    }

    private static byte[] blob(PublicKey key) {
        var buffer = new ByteArrayBuffer();
        buffer.putRawPublicKey(key);
        return buffer.getCompactData();
    }

    private static String time(long second) {
        return second < 0 || second > Instant.MAX.getEpochSecond()
                ? "a time without end"
                : Instant.ofEpochSecond(second).toString();
    }
}
