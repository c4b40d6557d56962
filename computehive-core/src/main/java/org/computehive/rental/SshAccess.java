package org.computehive.rental;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.computehive.access.AccessException;
import org.computehive.access.BreakGlass;
import org.computehive.access.CertificateAuthority;
import org.computehive.access.Gateway;
import org.computehive.access.GatewayConfig;
import org.computehive.access.GatewayEvent;
import org.computehive.access.GatewayLimits;
import org.computehive.access.HostCertificateRequest;
import org.computehive.access.HostKeyPair;
import org.computehive.access.Lease;
import org.computehive.access.RenterFiles;
import org.computehive.access.RevocationFeed;
import org.computehive.access.SoftwareSigner;
import org.computehive.access.SshPublicKey;
import org.computehive.access.Traffic;
import org.computehive.access.UserCertificate;
import org.computehive.access.UserCertificateRequest;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/**
 * Access over SSH: a certificate authority and a jump-host gateway in this process.
 *
 * <p>Thread-safe.
 */
public final class SshAccess implements SessionAccess {
    /** The user that a renter is in its VM. */
    public static final String GUEST_USER = "renter";

    private static final Duration GATEWAY_CERTIFICATE_LIFE = Duration.ofDays(90);

    private final CertificateAuthority authority;
    private final Gateway gateway;
    private final String publicHost;
    private final Traffic traffic;
    private final InstantSource clock;
    private final @Nullable Duration breakGlass;
    private final @Nullable RevocationFeed feed;
    private volatile Consumer<Decision> listener = decision -> {};

    private SshAccess(CertificateAuthority authority, Path keys, Settings settings, InstantSource clock) {
        this.authority = authority;
        HostKeyPair key = HostKeyPair.loadOrGenerate(keys.resolve("gateway"));
        var certificate = authority.issue(new HostCertificateRequest(
                RenterFiles.GATEWAY_NAME,
                RenterFiles.GATEWAY_NAME,
                key.publicKey(),
                clock.instant().plus(GATEWAY_CERTIFICATE_LIFE)));
        var config =
                new GatewayConfig(settings.bind(), key, certificate, authority.userAuthorities(), settings.limits());
        if (settings.breakGlass() != null) {
            config = config.withBreakGlass();
        }
        Settings.Revocations revocations = settings.revocations();
        if (revocations != null) {
            config = config.withFeedLimit(revocations.limit());
        }
        this.gateway = Gateway.start(config, clock, this::decided);
        this.feed = revocations == null
                ? null
                : RevocationFeed.follow(
                        revocations.file(),
                        authority.userAuthorities(),
                        revocations.limit().dividedBy(Settings.Revocations.LOOKS),
                        gateway::revocations);
        this.clock = clock;
        this.breakGlass = settings.breakGlass();
        this.publicHost = settings.publicHost();
        this.traffic = settings.traffic();
    }

    /**
     * How the gateway listens.
     *
     * @param bind where it listens; port 0 takes a free one
     * @param publicHost under which host name or address renters reach it
     * @param limits what it puts up with
     * @param traffic how much may flow to and from each rental
     * @param breakGlass how long {@link #breakGlass break-glass access} may last at the most; null where it is off
     * @param revocations a list that somebody else keeps of certificates that count no more; null for none
     */
    public record Settings(
            InetSocketAddress bind,
            String publicHost,
            GatewayLimits limits,
            Traffic traffic,
            @Nullable Duration breakGlass,
            @Nullable Revocations revocations) {
        /**
         * A file that a {@link RevocationFeed} follows.
         *
         * @param file the file
         * @param limit how old it may be; while it is older, or can't be read, nobody is let in
         */
        public record Revocations(Path file, Duration limit) {
            /** How often it is looked at before it is too old. */
            private static final int LOOKS = 4;

            /**
             * Checks the limit.
             *
             * @throws IllegalArgumentException if it is under a second
             */
            public Revocations {
                if (limit.compareTo(Duration.ofSeconds(1)) < 0) {
                    throw new IllegalArgumentException(
                            "a list of revocations can't be at most %s old: give a second or more".formatted(limit));
                }
            }
        }

        /** Traffic is {@link Traffic#UNLIMITED unlimited}, break-glass access is off. */
        public Settings(InetSocketAddress bind, String publicHost, GatewayLimits limits) {
            this(bind, publicHost, limits, Traffic.UNLIMITED, null, null);
        }

        /**
         * Checks the time.
         *
         * @throws IllegalArgumentException if break-glass access would be for no time
         */
        public Settings {
            if (breakGlass != null && !breakGlass.isPositive()) {
                throw new IllegalArgumentException(
                        "break-glass access of at most %s lets nobody in: give a positive time, or none to leave it off"
                                .formatted(breakGlass));
            }
        }

        /** Returns the same with a limit to what flows to and from each rental. */
        public Settings withTraffic(Traffic each) {
            return new Settings(bind, publicHost, limits, each, breakGlass, revocations);
        }

        /** Returns the same with {@link #breakGlass break-glass access}, for so long at the most. */
        public Settings withBreakGlass(Duration most) {
            return new Settings(bind, publicHost, limits, traffic, most, revocations);
        }

        /** Returns the same, following a list of revocations. */
        public Settings withRevocations(Revocations list) {
            return new Settings(bind, publicHost, limits, traffic, breakGlass, list);
        }

        /** On this machine's loopback address alone, at a port. */
        public static Settings loopback(int port) {
            return new Settings(new InetSocketAddress("127.0.0.1", port), "127.0.0.1", GatewayLimits.DEFAULT);
        }
    }

    /**
     * Opens the authority's keys, unencrypted files in the folder, and starts the gateway.
     *
     * @param keys a folder for the keys of both authorities and the gateway; made for this user alone if it is missing
     * @param settings how the gateway listens
     * @param clock the time
     * @throws AccessException if a key can't be read, or the gateway can't listen
     */
    public static SshAccess open(Path keys, Settings settings, InstantSource clock) {
        made(keys);
        var authority = new CertificateAuthority(
                SoftwareSigner.loadOrGenerate(keys.resolve("user-authority")),
                SoftwareSigner.loadOrGenerate(keys.resolve("host-authority")),
                clock);
        return open(authority, keys, settings, clock);
    }

    /**
     * Starts the gateway for an authority whose keys live elsewhere: encrypted, in a token, in a key service.
     *
     * @param authority who certifies
     * @param keys a folder for the gateway's own key; made for this user alone if it is missing
     * @param settings how the gateway listens
     * @param clock the time
     * @throws AccessException if the gateway's key can't be read, or it can't listen
     */
    public static SshAccess open(CertificateAuthority authority, Path keys, Settings settings, InstantSource clock) {
        made(keys);
        return new SshAccess(authority, keys, settings, clock);
    }

    private static void made(Path keys) {
        try {
            Files.createDirectories(
                    keys, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new UncheckedIOException("the key folder %s can't be made".formatted(keys), e);
        }
    }

    /** Returns where the gateway listens, with the true port. */
    public InetSocketAddress address() {
        return gateway.address();
    }

    @Override
    public GuestAccess guestAccess(RentalId id, Window window) {
        HostKeyPair key = HostKeyPair.generate();
        var certificate =
                authority.issue(new HostCertificateRequest(id.value(), id.vmName(), key.publicKey(), window.end()));
        return new GuestAccess(key.privateKeyText(), certificate.line(), userAuthorities(), id.principal());
    }

    /** Returns the keys that guests trust for renters, one line each. */
    private String userAuthorities() {
        return authority.userAuthorities().stream().map(SshPublicKey::line).collect(Collectors.joining("\n"));
    }

    @Override
    public Trust trust() {
        return new Trust(userAuthorities(), authority.hostAuthority().line());
    }

    @Override
    public String certify(RentalId id, Window window, String hostKey) {
        SshPublicKey key = SshPublicKey.parse(hostKey);
        return authority
                .issue(new HostCertificateRequest(id.value(), id.vmName(), key, window.end()))
                .line();
    }

    @Override
    public void admit(RentalId id, Window window, InetSocketAddress vm) {
        gateway.admit(new Lease(id.principal(), id.vmName(), vm, window.start(), window.end(), traffic));
    }

    @Override
    public String probe(RentalId id, Duration limit) {
        try {
            return gateway.probe(id.principal(), limit).get().text();
        } catch (ExecutionException e) {
            throw new HypervisorException.GuestFailed(
                    "the SSH server of rental %s was not reached: %s".formatted(id, e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HypervisorException.Unreachable("interrupted while waiting for rental " + id, e);
        }
    }

    @Override
    public Grant issue(RentalId id, Window window, String publicKey) {
        SshPublicKey key = SshPublicKey.parse(publicKey);
        return grant(
                id,
                authority.issue(
                        new UserCertificateRequest(id.value(), id.principal(), key, window.start(), window.end())));
    }

    @Override
    public Grant breakGlass(RentalId id, String operator, String reason, Instant until, String publicKey) {
        var grant = new BreakGlass(id.principal(), operator, reason, until);
        SshPublicKey key = SshPublicKey.parse(publicKey);
        if (breakGlass != null && until.isAfter(clock.instant().plus(breakGlass))) {
            throw new AccessException.OutsideWindow(
                    "break-glass access until %s is too long: it lasts %s at the most".formatted(until, breakGlass));
        }
        gateway.breakGlass(grant);
        return grant(id, authority.issue(grant, key));
    }

    private Grant grant(RentalId id, UserCertificate certificate) {
        var entrance = new RenterFiles.Entrance(
                publicHost, gateway.address().getPort(), id.principal(), id.vmName(), GUEST_USER);
        return new Grant(
                certificate.line(),
                entrance,
                authority.hostAuthorities(),
                Long.toUnsignedString(certificate.serial()),
                certificate.key().fingerprint(),
                certificate.validBefore());
    }

    @Override
    public int cut(RentalId id, String why) {
        return gateway.revoke(id.principal(), why);
    }

    @Override
    public int cut(RentalId id, Set<String> serials, String why) {
        return gateway.cut(
                id.principal(), serials.stream().map(Long::parseUnsignedLong).collect(Collectors.toSet()), why);
    }

    @Override
    public int withdraw(RentalId id, String why) {
        return gateway.withdraw(id.principal(), why);
    }

    @Override
    public void onDecision(Consumer<Decision> value) {
        listener = value;
    }

    private void decided(GatewayEvent event) {
        switch (event) {
            case GatewayEvent.Accepted e -> accepted(e);
            case GatewayEvent.Refused e -> tell(e.at(), "refused", e.user(), e.reason());
            case GatewayEvent.ChannelOpened e -> tell(e.at(), "entered", e.principal(), e.vmName());
            case GatewayEvent.ChannelRefused e -> tell(e.at(), "refused", e.principal(), e.asked() + ": " + e.reason());
            case GatewayEvent.Closed e -> tell(e.at(), "closed", e.principal(), e.reason());
            case GatewayEvent.GlassBroken e ->
                tell(
                        e.at(),
                        "glass-broken",
                        e.principal(),
                        "by %s until %s: %s".formatted(e.operator(), e.until(), e.reason()));
            // Anybody on the network can cause these without a certificate: they stay out of the audit log.
            case GatewayEvent.Dropped e -> {}
        }
    }

    /** An operator's login must not count as the renter's. */
    private void accepted(GatewayEvent.Accepted e) {
        String serial = Long.toUnsignedString(e.serial());
        String how = "serial %s, key %s".formatted(serial, e.key());
        listener.accept(
                BreakGlass.marks(e.keyId())
                        ? new Decision(e.at(), "glass-accepted", e.principal(), serial, how + ", key id " + e.keyId())
                        : new Decision(e.at(), "accepted", e.principal(), serial, how));
    }

    private void tell(Instant at, String kind, String principal, String detail) {
        listener.accept(new Decision(at, kind, principal, detail));
    }

    @Override
    public void close() {
        if (feed != null) {
            feed.close();
        }
        gateway.close();
    }
}
