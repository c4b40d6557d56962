package org.computehive.rental;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.computehive.access.RenterFiles;
import org.computehive.access.SshPublicKey;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.schedule.Window;

/**
 * The only way into sessions: certificates that end with the window, and the gateway that checks them.
 *
 * <p>Implementations are thread-safe; every call may be repeated after a crash at any instant.
 *
 * <h2>Security guarantees</h2>
 *
 * Nobody gets in before the window's start or stays in after its end, {@link #cut} or a restart; live connections
 * included. A renter's private key never comes here.
 */
public interface SessionAccess extends AutoCloseable {

    /** Makes what a VM's SSH server needs to know its renter and to prove itself; a fresh host key each time. */
    GuestAccess guestAccess(RentalId id, Window window);

    /** Returns the public keys that guests trust; nothing is issued. */
    Trust trust();

    /**
     * Certifies the host key that a confidential guest made itself. Only for a guest that has proved itself to an
     * {@link Attestor}.
     *
     * @param hostKey its public key, one line in OpenSSH's format
     * @return the certificate, one line in OpenSSH's format
     * @throws org.computehive.access.AccessException.KeyRefused if it is not a key that is accepted
     */
    String certify(RentalId id, Window window, String hostKey);

    /**
     * Lets a rental's renter in to its VM within the window. Safe to repeat; a repeated call with another window moves the
     * window, also that of live connections, as far as their certificates reach.
     *
     * @throws org.computehive.access.AccessException if the window is over, the rental was {@link #cut}, or it was admitted
     *     to another address
     */
    void admit(RentalId id, Window window, InetSocketAddress vm);

    /**
     * Proves that a session is usable: waits for its SSH banner, read the way a renter's connection goes.
     *
     * @param id a rental that was admitted
     * @param limit how long to wait
     * @return the banner, such as {@code SSH-2.0-OpenSSH_9.2p1}
     * @throws HypervisorException.GuestFailed if no banner came in time
     */
    String probe(RentalId id, Duration limit);

    /**
     * Issues a certificate that is worth nothing outside the window.
     *
     * @param id the rental
     * @param window its window
     * @param publicKey the renter's public key, one line in OpenSSH's format
     * @throws IllegalArgumentException if it is not a public key that is accepted; the message says why
     */
    Grant issue(RentalId id, Window window, String publicKey);

    /**
     * Lets an operator into a rental's VM for a while, by a certificate of its own kind: off unless the access was opened
     * with it. The listener is told ({@code glass-broken}) before it takes effect; if it throws, nobody is let in.
     *
     * @param id a rental that was admitted
     * @param operator who enters; 1 to 48 of a-z, 0-9 and inner hyphens
     * @param reason why, for the record; 1 to 200 characters
     * @param until when it ends; the rental's window ends it, too
     * @param publicKey the operator's public key, one line in OpenSSH's format
     * @throws org.computehive.access.AccessException.LeaseRefused if it is off
     * @throws org.computehive.access.AccessException.OutsideWindow if it would be over, or last longer than it may
     * @throws IllegalArgumentException if a part is malformed
     */
    Grant breakGlass(RentalId id, String operator, String reason, Instant until, String publicKey);

    /**
     * Closes every connection of a rental's, telling the renter why, and lets none in again.
     *
     * @return how many connections were closed
     */
    int cut(RentalId id, String why);

    /**
     * Closes the connections of a rental's that were made with some of its certificates, telling the renter why. Whether
     * they are let in again, the listener says.
     *
     * @param serials the certificates' serials
     * @return how many connections were closed
     */
    int cut(RentalId id, Set<String> serials, String why);

    /**
     * Closes every connection of a rental's, telling the renter why, and forgets its VM, so that it can be {@link #admit
     * admitted} to another. Of a rental that was {@link #cut} nothing changes.
     *
     * @return how many connections were closed
     */
    int withdraw(RentalId id, String why);

    /** Tells a listener of every connection that was let in, refused or closed; it must return at once. */
    void onDecision(Consumer<Decision> listener);

    /** Closes the gateway and every connection. */
    @Override
    void close();

    /**
     * Whom guests trust.
     *
     * @param userAuthorities the authorities whose user certificates open a guest, one line each
     * @param hostAuthority the authority that signs host certificates, one line
     */
    record Trust(String userAuthorities, String hostAuthority) {}

    /**
     * What a renter needs to log in, besides its own private key.
     *
     * @param certificate the certificate, one line in OpenSSH's format
     * @param entrance where to enter, and as whom
     * @param hostAuthorities the public keys that may have signed the gateway's and the VM's host certificates, so that no
     *     trust on first use is needed
     * @param serial the certificate's serial number
     * @param keyFingerprint the SHA-256 fingerprint of the renter's key
     * @param notAfter the end of its validity
     */
    record Grant(
            String certificate,
            RenterFiles.Entrance entrance,
            List<SshPublicKey> hostAuthorities,
            String serial,
            String keyFingerprint,
            Instant notAfter) {
        /** Copies the list. */
        public Grant {
            hostAuthorities = List.copyOf(hostAuthorities);
        }

        /**
         * Returns what the renter's OpenSSH client needs.
         *
         * @param folder an absolute folder on the renter's machine, in which {@code id}, {@code id-cert.pub},
         *     {@code ssh_config} and {@code known_hosts} will lie
         */
        public RenterFiles files(Path folder) {
            return RenterFiles.of(
                    entrance,
                    new RenterFiles.Paths(
                            folder.resolve("ssh_config"),
                            folder.resolve("known_hosts"),
                            folder.resolve("id"),
                            folder.resolve("id-cert.pub")),
                    hostAuthorities);
        }

        @Override
        public String toString() {
            return "Grant[serial=" + serial + ", key=" + keyFingerprint + ", notAfter=" + notAfter + "]";
        }
    }

    /**
     * What was decided about a connection.
     *
     * @param at when
     * @param kind what, such as {@code accepted}, {@code refused} or {@code closed}; {@code glass-accepted} is an operator
     * @param principal the principal it asked for, or what it claimed
     * @param serial the certificate's serial; empty where none was shown, or it doesn't matter
     * @param detail why, for people; no key material
     */
    record Decision(Instant at, String kind, String principal, String serial, String detail) {
        /** About no certificate. */
        public Decision(Instant at, String kind, String principal, String detail) {
            this(at, kind, principal, "", detail);
        }
    }
}
