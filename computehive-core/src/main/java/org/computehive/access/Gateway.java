package org.computehive.access;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.sshd.server.SshServer;

/**
 * The jump host through which renters reach their VMs: {@code ssh -J <principal>@gateway user@<vm name>}.
 *
 * <p>The session is encrypted from renter to VM; the gateway passes it on and can't read it. Thread-safe; all of it lives
 * in memory, so whoever restarts it admits the leases anew.
 *
 * <h2>Security guarantees</h2>
 *
 * <ul>
 *   <li>Only a user certificate of a trusted authority, with the lease's principal, within the lease's window, enters.
 *   <li>It can open connections to the lease's target and do nothing else: no shell, command, subsystem, listener, agent,
 *       display or socket, and no name is resolved for it.
 *   <li>Live connections end with the certificate or the lease, whichever is first, and at once when the lease is revoked;
 *       the peer is told why. Every packet asks before it passes, so the end of all is one instant and how long it takes to
 *       close them doesn't count. The clock is read at least every second, so that a clock that is set is followed.
 *   <li>Connections that don't log in are limited in number and time; addresses that guess are shut out.
 *   <li>An operator can end access, but not enter, unless the gateway is started with break-glass access; each such grant
 *       is told to the listener before it takes effect.
 * </ul>
 *
 * <p>Audit by the {@link GatewayListener}, whose events are free of the peer's control characters. MINA's own debug log
 * (logger {@code org.apache.sshd}) is not.
 */
public final class Gateway implements AutoCloseable {
    private static final Duration FAREWELL = Duration.ofMillis(500);

    private final SshServer server;
    private final Doorkeeper doorkeeper;
    private final InstantSource clock;
    private final ScheduledThreadPoolExecutor timer;
    private final InetSocketAddress address;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Gateway(
            SshServer server,
            Doorkeeper doorkeeper,
            InstantSource clock,
            ScheduledThreadPoolExecutor timer,
            InetSocketAddress address) {
        this.server = server;
        this.doorkeeper = doorkeeper;
        this.clock = clock;
        this.timer = timer;
        this.address = address;
    }

    /**
     * Starts listening.
     *
     * @param config what to start with
     * @param clock the time
     * @param listener is told what happens
     * @throws AccessException.CannotListen if the port is taken, not allowed or the address isn't this machine's
     */
    public static Gateway start(GatewayConfig config, InstantSource clock, GatewayListener listener) {
        if (config.bind().isUnresolved()) {
            throw new AccessException.CannotListen(
                    "gateway address %s is unknown: give an address of this machine".formatted(config.bind()), null);
        }
        ThreadFactory threads = Thread.ofPlatform()
                .daemon()
                .name("computehive-gateway-timer-", 0)
                .factory();
        var timer = new ScheduledThreadPoolExecutor(2, threads);
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        var doorkeeper = new Doorkeeper(new Trust(config), config.limits(), clock, listener, timer);
        SshServer server = JumpHost.configure(config, doorkeeper);
        try {
            server.start();
            var address =
                    (InetSocketAddress) server.getBoundAddresses().iterator().next();
            return new Gateway(server, doorkeeper, clock, timer, address);
        } catch (IOException e) {
            timer.shutdownNow();
            server.close(true);
            String remedy = e instanceof BindException
                    ? "another program listens there, or this user may not: stop it, or choose another port (0 takes a free one)"
                    : "check address and port";
            throw new AccessException.CannotListen(
                    "the gateway can't listen on %s port %d (%s): %s"
                            .formatted(
                                    config.bind().getAddress().getHostAddress(),
                                    config.bind().getPort(),
                                    e.getMessage(),
                                    remedy),
                    e);
        }
    }

    /** Returns where it listens, with the true port. */
    public InetSocketAddress address() {
        return address;
    }

    /**
     * Lets a rental in from now on, within its window. Repeating the same lease changes nothing; one for the same VM with
     * another window takes its place, and live connections end with that, or with their certificate if it is first.
     *
     * @throws AccessException.OutsideWindow if the lease is over
     * @throws AccessException.LeaseRefused if the principal's lease was revoked, or it has one for another VM
     */
    public void admit(Lease lease) {
        doorkeeper.admit(lease);
    }

    /**
     * Ends a rental's access at once and for good: nobody enters any more, live connections are cut. No byte that a VM
     * or a renter sends after this method returned, or after the first of the connections ended, gets through. Safe to
     * repeat.
     *
     * @param principal the rental's principal
     * @param reason why, for the renter's eyes
     * @return how many connections were cut
     */
    public int revoke(String principal, String reason) {
        List<LiveConnection> live = doorkeeper.revoke(principal, reason);
        String farewell = "%s ended: %s".formatted(Names.shown(principal), Names.shown(reason));
        LiveConnection.cut(live, connection -> farewell);
        return live.size();
    }

    /**
     * Ends the connections of a rental that were made with some certificates, as {@link #revoke} does. What was cut may log
     * in again unless a {@link #revocations list} or the listener says otherwise.
     *
     * @param principal the rental's principal
     * @param serials the certificates' serials
     * @param reason why, for the renter's eyes
     * @return how many connections were cut
     */
    public int cut(String principal, Set<Long> serials, String reason) {
        List<LiveConnection> live = doorkeeper.made(principal, serials);
        String farewell = "%s ended: %s".formatted(Names.shown(principal), Names.shown(reason));
        LiveConnection.cut(live, connection -> farewell);
        return live.size();
    }

    /**
     * Takes the newest list of what was revoked: certificates on it let nobody in any more, and connections made with one
     * are cut. A list older than the known one is ignored. Where the configuration limits the list's age, hand it on again
     * and again: while the newest is older, nobody is let in, though connections that are open go on to their end.
     *
     * @param list what was revoked; make it durable before, as {@link RevocationRegister} does
     * @return how many connections were cut
     */
    public int revocations(KeyRevocationList list) {
        List<LiveConnection> live = doorkeeper.revoked(list);
        LiveConnection.cut(
                live,
                connection -> "%s ended: its certificate was revoked"
                        .formatted(connection.lease().principal()));
        return live.size();
    }

    /**
     * Lets an operator into a rental's VM, by a certificate of {@link CertificateAuthority#issue(BreakGlass, SshPublicKey)}
     * with the grant's key id. The listener is told before; if it throws, there is no grant.
     *
     * @throws AccessException.LeaseRefused if the gateway was not started with break-glass access
     * @throws AccessException.OutsideWindow if the grant is over
     */
    public void breakGlass(BreakGlass grant) {
        doorkeeper.breakGlass(grant);
    }

    /**
     * Ends a rental's lease at once, as {@link #revoke} does, but lets another lease of the same principal be admitted
     * afterwards: its VM is gone and another takes its place. Safe to repeat.
     *
     * @param principal the rental's principal
     * @param reason why, for the renter's eyes
     * @return how many connections were cut
     */
    public int withdraw(String principal, String reason) {
        List<LiveConnection> live = doorkeeper.withdraw(principal, reason);
        String farewell = "%s was interrupted: %s".formatted(Names.shown(principal), Names.shown(reason));
        LiveConnection.cut(live, connection -> farewell);
        return live.size();
    }

    /**
     * Waits until the rental's VM can be used: until its SSH server greets on the gateway's own way to it. The connection
     * is tried again until then, also before the window begins.
     *
     * @param principal a rental that was admitted
     * @param timeout how long to try at most; the lease's end comes first
     * @return completes with the greeting, or with {@link AccessException.NotUsable} when the time is over, the lease
     *     revoked or the gateway closed, or with {@link AccessException.LeaseRefused} if there is no such lease. Cancelling
     *     it stops the trying
     */
    public CompletableFuture<Banner> probe(String principal, Duration timeout) {
        Admission admission = doorkeeper.admission(principal);
        if (admission == null) {
            return CompletableFuture.failedFuture(new AccessException.LeaseRefused(
                    "%s has no lease at this gateway: admit it first".formatted(Names.shown(principal))));
        }
        Duration left = Duration.between(clock.instant(), admission.lease().notAfter());
        return new Probe(admission, clock).start(timeout.compareTo(left) < 0 ? timeout : left);
    }

    /** Returns how many connections have not logged in. */
    int unauthenticated() {
        return doorkeeper.anteroom().size();
    }

    /** Cuts all connections, telling the renters, and frees the port. Safe to repeat. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        List<LiveConnection> live = doorkeeper.revokeAll("the gateway is closing");
        LiveConnection.cut(live, connection -> "the gateway is closing");
        CompletableFuture.allOf(live.stream().map(LiveConnection::closed).toArray(CompletableFuture<?>[]::new))
                .completeOnTimeout(null, FAREWELL.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        try {
            server.stop(true);
        } catch (IOException e) {
            throw new AccessException.CannotListen("the gateway on %s did not close".formatted(address), e);
        } finally {
            timer.shutdownNow();
        }
    }
}
