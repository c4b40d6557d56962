package org.computehive.access;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.PublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.server.session.ServerSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Knows the leases, decides who enters, and tells the listener. Thread-safe. */
final class Doorkeeper {
    private static final Logger LOG = LoggerFactory.getLogger(Doorkeeper.class);
    private static final AttributeKey<AtomicInteger> REFUSALS = new AttributeKey<>();

    private final Trust trust;
    private final GatewayLimits limits;
    private final InstantSource clock;
    private final GatewayListener listener;
    private final ScheduledExecutorService timer;
    private final Anteroom anteroom;
    private final Map<String, Admission> admissions = new ConcurrentHashMap<>();

    Doorkeeper(
            Trust trust,
            GatewayLimits limits,
            InstantSource clock,
            GatewayListener listener,
            ScheduledExecutorService timer) {
        this.trust = trust;
        this.limits = limits;
        this.clock = clock;
        this.listener = listener;
        this.timer = timer;
        this.anteroom = new Anteroom(limits, timer, this::dropped);
    }

    Anteroom anteroom() {
        return anteroom;
    }

    void admit(Lease lease) {
        Instant now = clock.instant();
        if (!now.isBefore(lease.notAfter())) {
            throw new AccessException.OutsideWindow("lease of %s ended at %s and now is %s: book another window"
                    .formatted(lease.principal(), lease.notAfter(), now));
        }
        // Leases that are over let nobody in, known or not, so they can be forgotten.
        admissions.values().removeIf(known -> !now.isBefore(known.lease().notAfter()));
        Admission known =
                admissions.putIfAbsent(lease.principal(), new Admission(lease, limits.connectionsPerRental()));
        if (known == null) {
            return;
        }
        if (known.ended().isDone()) {
            throw new AccessException.LeaseRefused("lease of %s was revoked (%s) and stays so: book another rental"
                    .formatted(lease.principal(), known.ended().join()));
        }
        if (!known.lease().equals(lease) && !known.move(lease)) {
            throw new AccessException.LeaseRefused(
                    "%s has a lease for another VM already, %s until %s: revoke that first"
                            .formatted(
                                    lease.principal(),
                                    known.lease().vmName(),
                                    known.lease().notAfter()));
        }
    }

    List<LiveConnection> revoke(String principal, String reason) {
        Admission admission = admissions.get(principal);
        return admission == null ? List.of() : admission.end(Names.shown(reason));
    }

    /** Ends a lease and forgets it, so that the principal may get another; one that was revoked stays revoked. */
    List<LiveConnection> withdraw(String principal, String reason) {
        Admission admission = admissions.get(principal);
        if (admission == null || admission.ended().isDone()) {
            return List.of();
        }
        // Ended before it is forgotten: whoever still holds it can't enter, and whoever looks it up finds it or the
        // next.
        List<LiveConnection> live = admission.end(Names.shown(reason));
        admissions.remove(principal, admission);
        return live;
    }

    /** Returns the connections that were made with some certificates. */
    List<LiveConnection> made(String principal, Set<Long> serials) {
        Admission admission = admissions.get(principal);
        return admission == null
                ? List.of()
                : admission.live().stream()
                        .filter(connection ->
                                serials.contains(connection.certificate().getSerial()))
                        .toList();
    }

    List<LiveConnection> revokeAll(String reason) {
        return admissions.values().stream()
                .flatMap(admission -> admission.end(reason).stream())
                .toList();
    }

    @Nullable Admission admission(String principal) {
        return admissions.get(principal);
    }

    /** Takes a newer revocation list; returns the connections that it ends. */
    List<LiveConnection> revoked(KeyRevocationList list) {
        if (!trust.revoked(list)) {
            return List.of();
        }
        Instant now = clock.instant();
        return admissions.values().stream()
                .flatMap(admission -> admission.live().stream())
                .filter(connection -> trust.revocation(
                                connection.certificate(), connection.lease().principal(), now)
                        != null)
                .toList();
    }

    /** Opens a break-glass grant once the listener took note. */
    void breakGlass(BreakGlass grant) {
        Instant now = clock.instant();
        trust.open(grant, now);
        try {
            listener.on(new GatewayEvent.GlassBroken(
                    now,
                    InetSocketAddress.createUnresolved("", 0),
                    grant.principal(),
                    grant.operator(),
                    Names.shown(grant.reason(), BreakGlass.REASON_LIMIT),
                    grant.until()));
        } catch (RuntimeException e) {
            trust.close(grant);
            throw e;
        }
    }

    /** Returns why {@code key} does not let {@code user} in, or null. */
    @Nullable String refusal(String user, PublicKey key, SocketAddress peer) {
        Instant now = clock.instant();
        if (!Names.isPrincipal(user)) {
            return "no rental has such a name";
        }
        String wrong = trust.refusal(key, user, peer, now);
        if (wrong != null) {
            return wrong;
        }
        Admission admission = admissions.get(user);
        return admission == null ? "the rental has no lease here" : admission.closedBecause(now);
    }

    /** Lets a proven certificate in; returns why not, or null. */
    @Nullable String letIn(ServerSession session, String user, OpenSshCertificate certificate) {
        Instant now = clock.instant();
        Admission admission = admissions.get(user);
        if (admission == null) {
            return "the rental has no lease here";
        }
        Instant certified = CertificateCheck.end(certificate);
        Instant granted = trust.end(certificate);
        var connection = new LiveConnection(
                session, admission, certificate, certified.isBefore(granted) ? certified : granted, clock, timer);
        String refusal = admission.enter(connection, now);
        if (refusal != null) {
            return refusal;
        }
        try {
            listener.on(new GatewayEvent.Accepted(
                    now,
                    remote(session),
                    user,
                    Names.shown(certificate.getId()),
                    certificate.getSerial(),
                    CertificateCheck.fingerprint(certificate.getCertPubKey())));
        } catch (RuntimeException e) {
            admission.leave(connection);
            LOG.error("login of {} refused, because the listener failed to note it", user, e);
            return "the login could not be recorded";
        }
        session.setAttribute(LiveConnection.KEY, connection);
        anteroom.leave(session.getIoSession());
        connection.watch();
        // It may have been revoked while it came in.
        String revoked = trust.revocation(certificate, user, clock.instant());
        if (revoked != null) {
            connection.cut("%s ended: %s".formatted(user, revoked));
        }
        if (session.isClosing()) {
            left(session);
        }
        return null;
    }

    void refused(ServerSession session, String user, String reason) {
        tell(new GatewayEvent.Refused(clock.instant(), remote(session), Names.shown(user), reason));
        anteroom.refused(session.getIoSession());
        int refusals = session.computeAttributeIfAbsent(REFUSALS, key -> new AtomicInteger())
                .incrementAndGet();
        if (refusals >= limits.loginAttempts()) {
            try {
                session.disconnect(
                        SshConstants.SSH2_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, "too many refused logins");
            } catch (IOException e) {
                session.close(true);
            }
        }
    }

    void channelOpened(Session session, Lease lease) {
        tell(new GatewayEvent.ChannelOpened(clock.instant(), remote(session), lease.principal(), lease.vmName()));
    }

    void channelRefused(Session session, String asked, String reason) {
        LiveConnection connection = session.getAttribute(LiveConnection.KEY);
        String principal = connection == null ? "" : connection.lease().principal();
        tell(new GatewayEvent.ChannelRefused(clock.instant(), remote(session), principal, Names.shown(asked), reason));
    }

    /** A session is over, authenticated or not. */
    void left(Session session) {
        LiveConnection connection = session.getAttribute(LiveConnection.KEY);
        if (connection != null && connection.release()) {
            tell(new GatewayEvent.Closed(
                    clock.instant(),
                    remote(session),
                    connection.lease().principal(),
                    connection.closed().join()));
        }
    }

    private void dropped(IoSession connection, String reason) {
        tell(new GatewayEvent.Dropped(clock.instant(), connection.getRemoteAddress(), reason));
    }

    private void tell(GatewayEvent event) {
        try {
            listener.on(event);
        } catch (RuntimeException e) {
            LOG.error("the gateway's listener failed on {}", event, e);
        }
    }

    private static SocketAddress remote(Session session) {
        return session.getIoSession().getRemoteAddress();
    }
}
