package org.computehive.access;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Issues OpenSSH certificates: to renters with one key, to servers with another.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>A renter's certificate has exactly one principal, a serial that is never 0, no validity past the window it was asked
 * for, and no permission but a terminal and port forwarding. It is valid from a minute before the window, for the clock of
 * a VM that runs behind; that nobody enters before the window is the gateway's to hold, which is the only way in and
 * compares the {@link Lease} to the nanosecond. Serials are 63 random bits, so authorities that know
 * nothing of each other don't repeat one. The format is OpenSSH's PROTOCOL.certkeys. Thread-safe.
 */
public final class CertificateAuthority {
    /** How far a certificate's validity begins before its issue and its window, for clocks that run behind. */
    private static final Duration CLOCK_TOLERANCE = Duration.ofSeconds(60);

    private static final int USER = 1;
    private static final int HOST = 2;
    private static final int NONCE_BYTES = 32;
    /** In the order of their names, as the format demands. */
    private static final List<String> USER_EXTENSIONS = List.of("permit-port-forwarding", "permit-pty");

    private final Signer users;
    private final Signer hosts;
    private final List<SshPublicKey> userAuthorities;
    private final List<SshPublicKey> hostAuthorities;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();

    /**
     * Creates an authority.
     *
     * @param users signs renters' certificates
     * @param hosts signs servers' certificates
     * @param clock the time
     * @throws IllegalArgumentException if both are the same key: whoever held a VM's certificate could then enter VMs
     */
    public CertificateAuthority(Signer users, Signer hosts, InstantSource clock) {
        this(users, hosts, List.of(), List.of(), clock);
    }

    /**
     * Creates an authority whose keys are being rotated: others' certificates count beside its own.
     *
     * <p>To replace a key, first let the new one count everywhere beside the old, then sign with the new and let the old
     * count until the last certificate that it signed is over.
     *
     * @param users signs renters' certificates
     * @param hosts signs servers' certificates
     * @param otherUsers keys whose renters' certificates count as well
     * @param otherHosts keys whose servers' certificates count as well
     * @param clock the time
     * @throws IllegalArgumentException if a key is among those for users and those for hosts
     */
    public CertificateAuthority(
            Signer users,
            Signer hosts,
            List<SshPublicKey> otherUsers,
            List<SshPublicKey> otherHosts,
            InstantSource clock) {
        userAuthorities = all(users, otherUsers);
        hostAuthorities = all(hosts, otherHosts);
        if (userAuthorities.stream().anyMatch(hostAuthorities::contains)) {
            throw new IllegalArgumentException("users and hosts have the same authority key among %s: give each its own"
                    .formatted(userAuthorities));
        }
        this.users = users;
        this.hosts = hosts;
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /** Returns the key that VMs and the gateway trust for renters ({@code TrustedUserCAKeys}). */
    public SshPublicKey userAuthority() {
        return users.publicKey();
    }

    private static List<SshPublicKey> all(Signer signer, List<SshPublicKey> others) {
        return Stream.concat(Stream.of(signer.publicKey()), others.stream())
                .distinct()
                .toList();
    }

    /** Returns the keys that VMs and the gateway trust for renters: the signing one first. */
    public List<SshPublicKey> userAuthorities() {
        return userAuthorities;
    }

    /** Returns the keys that renters trust for servers: the signing one first. */
    public List<SshPublicKey> hostAuthorities() {
        return hostAuthorities;
    }

    /** Returns the key that renters trust for servers. */
    public SshPublicKey hostAuthority() {
        return hosts.publicKey();
    }

    /**
     * Returns the line of a {@code known_hosts} file that makes a client trust this authority's servers at first contact.
     *
     * @param pattern host names or patterns, comma-separated, for example {@code ch-*}
     * @throws IllegalArgumentException if the pattern has other characters than a-z, 0-9, . - * ? and comma
     */
    public String knownHostsLine(String pattern) {
        if (!pattern.matches("[a-z0-9.*?,-]{1,255}")) {
            throw new IllegalArgumentException(
                    "host pattern \"%s\" is not allowed: use 1 to 255 of a-z, 0-9, . - * ? and comma"
                            .formatted(Names.shown(pattern)));
        }
        return "@cert-authority " + pattern + " " + hosts.publicKey().line();
    }

    /**
     * Issues a renter's certificate: valid from 60 seconds before now or the window's start, whichever is later, to the
     * window's end, both rounded inwards to whole seconds.
     *
     * @throws AccessException.OutsideWindow if the window is over, empty or shorter than its rounding
     */
    public UserCertificate issue(UserCertificateRequest request) {
        Instant after = validAfter(request.windowStart());
        Instant before = validBefore(request.windowStart(), request.windowEnd());
        return user(request.keyId(), request.principal(), request.key(), after, before);
    }

    /**
     * Issues an operator's certificate for a break-glass grant. It is worth nothing where no such {@link
     * Gateway#breakGlass grant} is open.
     *
     * @param grant for which rental and until when
     * @param key the operator's public key
     * @throws AccessException.OutsideWindow if the grant is over
     */
    public UserCertificate issue(BreakGlass grant, SshPublicKey key) {
        Instant after = validAfter(Instant.EPOCH);
        return user(grant.keyId(), grant.principal(), key, after, validBefore(after, grant.until()));
    }

    private UserCertificate user(String keyId, String principal, SshPublicKey key, Instant after, Instant before) {
        var nonceAndSerial = new Fresh(random);
        String line = sign(users, key, nonceAndSerial, USER, keyId, principal, after, before, USER_EXTENSIONS);
        return new UserCertificate(line, nonceAndSerial.serial, keyId, principal, key, after, before);
    }

    /**
     * Issues a server's certificate, valid from 60 seconds before now.
     *
     * @throws AccessException.OutsideWindow if the time asked for is over
     */
    public HostCertificate issue(HostCertificateRequest request) {
        Instant after = validAfter(Instant.EPOCH);
        Instant before = validBefore(after, request.notAfter());
        var nonceAndSerial = new Fresh(random);
        String line = sign(
                hosts,
                request.key(),
                nonceAndSerial,
                HOST,
                request.keyId(),
                request.hostName(),
                after,
                before,
                List.of());
        return new HostCertificate(
                line, nonceAndSerial.serial, request.keyId(), request.hostName(), request.key(), after, before);
    }

    private Instant validAfter(Instant start) {
        Instant now = clock.instant();
        Instant after = (start.isAfter(now) ? start : now).minus(CLOCK_TOLERANCE);
        Instant second = after.truncatedTo(ChronoUnit.SECONDS);
        return second.equals(after) ? after : second.plusSeconds(1);
    }

    private Instant validBefore(Instant after, Instant end) {
        Instant before = end.truncatedTo(ChronoUnit.SECONDS);
        Instant now = clock.instant();
        if (!before.isAfter(now) || !before.isAfter(after)) {
            throw new AccessException.OutsideWindow(
                    "no certificate fits: it would be valid from %s to %s and now is %s; ask before the window's end, for a window of at least 1 second"
                            .formatted(after, before, now));
        }
        return before;
    }

    private static String sign(
            Signer authority,
            SshPublicKey key,
            Fresh fresh,
            int type,
            String keyId,
            String principal,
            Instant after,
            Instant before,
            List<String> extensions) {
        var plain = new Wire.Reader(key.blob());
        String name = plain.text() + "-cert-v01@openssh.com";
        var flags = new Wire.Writer();
        extensions.forEach(extension -> flags.string(extension).string(""));
        byte[] signed = new Wire.Writer()
                .string(name)
                .string(fresh.nonce)
                .bytes(plain.rest())
                .uint64(fresh.serial)
                .uint32(type)
                .string(keyId)
                .string(new Wire.Writer().string(principal).toBytes())
                .uint64(after.getEpochSecond())
                .uint64(before.getEpochSecond())
                .string("") // critical options
                .string(flags.toBytes())
                .string("") // reserved
                .string(authority.publicKey().blob())
                .toBytes();
        byte[] signature = new Wire.Writer()
                .string(authority.algorithm())
                .string(authority.sign(signed))
                .toBytes();
        byte[] certificate = new Wire.Writer().bytes(signed).string(signature).toBytes();
        return name + " " + Base64.getEncoder().encodeToString(certificate);
    }

    /** The random parts of one certificate. */
    private static final class Fresh {
        final byte[] nonce = new byte[NONCE_BYTES];
        final long serial;

        Fresh(SecureRandom random) {
            random.nextBytes(nonce);
            var number = new byte[Long.BYTES];
            long candidate;
            do {
                random.nextBytes(number);
                candidate = ByteBuffer.wrap(number).getLong() & Long.MAX_VALUE;
            } while (candidate == 0);
            serial = candidate;
        }
    }
}
