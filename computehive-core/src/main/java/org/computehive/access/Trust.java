package org.computehive.access;

import java.net.SocketAddress;
import java.security.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.jspecify.annotations.Nullable;

/** Which certificates count at a gateway: authorities, what was revoked, and break-glass grants. Thread-safe. */
final class Trust {
    /** How far another machine's clock may be ahead before what it dates is not believed. */
    private static final Duration AHEAD = Duration.ofMinutes(1);

    private final List<SshPublicKey> authorities;
    private final @Nullable Duration feedLimit;
    private final boolean breakGlass;
    private final Map<String, BreakGlass> grants = new ConcurrentHashMap<>();
    private volatile @Nullable KeyRevocationList revoked;

    Trust(GatewayConfig config) {
        authorities = config.userAuthorities();
        feedLimit = config.feedLimit();
        breakGlass = config.breakGlass();
    }

    /** Takes a newer list; returns false if there is a newer one already. */
    synchronized boolean revoked(KeyRevocationList list) {
        KeyRevocationList known = revoked;
        if (known != null && known.version() > list.version()) {
            return false;
        }
        revoked = list;
        return true;
    }

    /** Opens a grant. */
    void open(BreakGlass grant, Instant now) {
        if (!breakGlass) {
            throw new AccessException.LeaseRefused(
                    "break-glass access is off: an operator enters no rental. Start the gateway with it to change that");
        }
        if (!now.isBefore(grant.until())) {
            throw new AccessException.OutsideWindow(
                    "the break-glass grant for %s ended at %s and now is %s: ask for a later end"
                            .formatted(grant.principal(), grant.until(), now));
        }
        grants.values().removeIf(known -> !now.isBefore(known.until()));
        grants.put(grant.keyId(), grant);
    }

    void close(BreakGlass grant) {
        grants.remove(grant.keyId(), grant);
    }

    /** Returns why {@code key} does not prove that {@code user} may enter from an address, or null. */
    @Nullable String refusal(PublicKey key, String user, @Nullable SocketAddress peer, Instant now) {
        String wrong = CertificateCheck.refusal(key, user, peer, now, authorities);
        return wrong != null ? wrong : refusal((OpenSshCertificate) key, user, now);
    }

    /** Returns why an otherwise good certificate does not count now, or null. */
    @Nullable String refusal(OpenSshCertificate certificate, String user, Instant now) {
        String stale = stale(now);
        return stale != null ? stale : revocation(certificate, user, now);
    }

    /** Returns why a certificate was revoked, or its grant ended, or null. */
    @Nullable String revocation(OpenSshCertificate certificate, String user, Instant now) {
        KeyRevocationList list = revoked;
        if (list != null && list.serials().contains(certificate.getSerial())) {
            return "revoked by its serial " + Long.toUnsignedString(certificate.getSerial());
        }
        if (list != null && list.keyIds().contains(certificate.getId())) {
            return "revoked by its key id \"%s\"".formatted(Names.shown(certificate.getId()));
        }
        if (!certificate.getId().startsWith(BreakGlass.MARK)) {
            return null;
        }
        BreakGlass grant = grants.get(certificate.getId());
        return grant == null || !grant.principal().equals(user) || !now.isBefore(grant.until())
                ? "no break-glass grant is open for \"%s\"".formatted(Names.shown(certificate.getId()))
                : null;
    }

    /** Returns when a certificate's grant ends; far off if it needs none. */
    Instant end(OpenSshCertificate certificate) {
        if (!certificate.getId().startsWith(BreakGlass.MARK)) {
            return Instant.MAX;
        }
        BreakGlass grant = grants.get(certificate.getId());
        return grant == null ? Instant.MIN : grant.until();
    }

    /** Returns that nothing was heard of revocations for too long, or nobody can tell for how long, or null. */
    @Nullable String stale(Instant now) {
        if (feedLimit == null) {
            return null;
        }
        KeyRevocationList list = revoked;
        if (list == null) {
            return "no revocation list was heard of yet";
        }
        if (list.generated().isAfter(now.plus(AHEAD))) {
            // It would count as fresh for as long as it is ahead.
            return "the revocation list is not believed: it says that it was made at %s, and now is %s"
                    .formatted(list.generated(), now);
        }
        return Duration.between(list.generated(), now).compareTo(feedLimit) > 0
                ? "the revocation list is stale: it was made at %s, more than %s ago"
                        .formatted(list.generated(), feedLimit)
                : null;
    }
}
