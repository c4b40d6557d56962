package org.computehive.access;

import java.security.PublicKey;
import java.security.cert.CertificateException;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKey;
import org.apache.sshd.server.session.ServerSession;
import org.jspecify.annotations.Nullable;

/**
 * The one way to log in. It asks {@link Doorkeeper} before and after MINA's own checks and so knows the reason of every
 * refusal, those included that MINA makes before it asks any authenticator. For one login attempt.
 */
final class CertificateLogin extends UserAuthPublicKey {
    private static final String SERVICE = "ssh-connection";

    private final Doorkeeper doorkeeper;
    private @Nullable String refusedByMina;

    CertificateLogin(Doorkeeper doorkeeper) {
        this.doorkeeper = doorkeeper;
    }

    @Override
    public @Nullable Boolean doAuth(Buffer buffer, boolean init) {
        ServerSession session = getServerSession();
        String user = getUsername();
        PublicKey key;
        boolean proves;
        int start = buffer.rpos();
        try {
            proves = buffer.getBoolean();
            buffer.getString(); // the algorithm
            key = buffer.getPublicKey();
        } catch (Exception e) {
            return refused(session, user, "a key that can't be read");
        }
        buffer.rpos(start);
        if (!SERVICE.equals(getService())) {
            return refused(session, user, "service \"%s\" instead of %s".formatted(Names.shown(getService()), SERVICE));
        }
        String refusal = doorkeeper.refusal(user, key, session.getIoSession().getRemoteAddress());
        if (refusal != null) {
            return refused(session, user, refusal);
        }
        try {
            Boolean result = super.doAuth(buffer, init);
            if (result == null) {
                return null; // the client asked whether the certificate would do, and will prove it next
            }
            if (!result || !proves) {
                return refused(session, user, refusedByMina == null ? "refused by the SSH library" : refusedByMina);
            }
        } catch (Exception e) {
            return refused(session, user, "the proof of the certificate's key is wrong");
        }
        refusal = doorkeeper.letIn(session, user, (OpenSshCertificate) key);
        return refusal == null ? Boolean.TRUE : refused(session, user, refusal);
    }

    private Boolean refused(ServerSession session, String user, String reason) {
        doorkeeper.refused(session, user, reason);
        return Boolean.FALSE;
    }

    @Override
    protected void verifyCertificateSignature(ServerSession session, OpenSshCertificate certificate) throws Exception {
        try {
            super.verifyCertificateSignature(session, certificate);
        } catch (Exception e) {
            refusedByMina = "the authority's signature is wrong";
            // MINA logs the message of what it catches, so it must hold nothing of the peer's.
            throw new CertificateException(refusedByMina);
        }
    }
}
