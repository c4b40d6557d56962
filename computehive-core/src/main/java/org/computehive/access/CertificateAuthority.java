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

/**
 * Issues OpenSSH certificates: to renters with one key, to servers with another.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>A renter's certificate has exactly one principal, a serial that is never 0, no validity outside the window it was
 * asked for, and no permission but a terminal and port forwarding. Serials are 63 random bits, so authorities that know
 * nothing of each other don't repeat one. The format is OpenSSH's PROTOCOL.certkeys. Thread-safe.
 */
public final class CertificateAuthority {
    /** How far a certificate's validity begins before its issue, for clocks that run behind. */
    private static final Duration CLOCK_TOLERANCE = Duration.ofSeconds(60);

    private static final int USER = 1;
    private static final int HOST = 2;
    private static final int NONCE_BYTES = 32;
    /** In the order of their names, as the format demands. */
    private static final List<String> USER_EXTENSIONS = List.of("permit-port-forwarding", "permit-pty");

    private final Signer users;
    private final Signer hosts;
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
        if (users.publicKey().equals(hosts.publicKey())) {
            throw new IllegalArgumentException(
                    "users and hosts have the same authority key %s: give each its own".formatted(users.publicKey()));
        }
        this.users = users;
        this.hosts = hosts;
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /** Returns the key that VMs and the gateway trust for renters ({@code TrustedUserCAKeys}). */
    public SshPublicKey userAuthority() {
        return users.publicKey();
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
     * Issues a renter's certificate: valid from the window's start, but not from more than 60 seconds before now, to the
     * window's end, both rounded into the window to whole seconds.
     *
     * @throws AccessException.OutsideWindow if the window is over, empty or shorter than its rounding
     */
    public UserCertificate issue(UserCertificateRequest request) {
        Instant after = validAfter(request.windowStart());
        Instant before = validBefore(after, request.windowEnd());
        var nonceAndSerial = new Fresh(random);
        String line = sign(
                users,
                request.key(),
                nonceAndSerial,
                USER,
                request.keyId(),
                request.principal(),
                after,
                before,
                USER_EXTENSIONS);
        return new UserCertificate(
                line, nonceAndSerial.serial, request.keyId(), request.principal(), request.key(), after, before);
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
        Instant earliest = clock.instant().minus(CLOCK_TOLERANCE);
        Instant after = start.isAfter(earliest) ? start : earliest;
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
