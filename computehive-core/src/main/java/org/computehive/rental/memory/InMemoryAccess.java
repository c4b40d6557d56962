package org.computehive.rental.memory;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.computehive.access.AccessException;
import org.computehive.access.HostKeyPair;
import org.computehive.access.RenterFiles;
import org.computehive.access.SshPublicKey;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.SessionAccess;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.schedule.Window;

/**
 * Access that exists in memory alone: it decides as a gateway would, but no SSH server listens and its certificates are
 * worth nothing anywhere.
 *
 * <p>Thread-safe.
 */
public final class InMemoryAccess implements SessionAccess {
    private final InstantSource clock;
    private final Map<RentalId, Admitted> admitted = new ConcurrentHashMap<>();
    private final Set<RentalId> cut = ConcurrentHashMap.newKeySet();
    private final Set<RentalId> certified = ConcurrentHashMap.newKeySet();
    private final AtomicLong serials = new AtomicLong();
    private final SshPublicKey authority = HostKeyPair.generate().publicKey();
    private volatile Consumer<Decision> listener = decision -> {};

    /** Creates one that tells the time by a clock. */
    public InMemoryAccess(InstantSource clock) {
        this.clock = clock;
    }

    private record Admitted(Window window, InetSocketAddress vm) {}

    @Override
    public GuestAccess guestAccess(RentalId id, Window window) {
        certified.add(id);
        return new GuestAccess("in-memory", "in-memory", "in-memory", id.principal());
    }

    @Override
    public Trust trust() {
        return new Trust("in-memory", authority.line());
    }

    @Override
    public String certify(RentalId id, Window window, String hostKey) {
        SshPublicKey key = SshPublicKey.parse(hostKey);
        certified.add(id);
        return "in-memory certificate of " + key.fingerprint();
    }

    /** Returns the rentals for whose guests a host certificate was issued. */
    public Set<RentalId> certified() {
        return Set.copyOf(certified);
    }

    @Override
    public synchronized void admit(RentalId id, Window window, InetSocketAddress vm) {
        if (!clock.instant().isBefore(window.end())) {
            throw new AccessException.OutsideWindow("the window of rental %s is over: %s".formatted(id, window));
        }
        var place = new Admitted(window, vm);
        Admitted before = admitted.get(id);
        if (cut.contains(id) || (before != null && !before.vm().equals(vm))) {
            throw new AccessException.LeaseRefused("rental %s was cut, or is admitted to another VM".formatted(id));
        }
        admitted.put(id, place);
    }

    @Override
    public String probe(RentalId id, Duration limit) {
        if (!admitted.containsKey(id)) {
            throw new HypervisorException.GuestFailed("rental %s was not admitted".formatted(id), null);
        }
        return "SSH-2.0-in-memory";
    }

    @Override
    public Grant issue(RentalId id, Window window, String publicKey) {
        SshPublicKey key = SshPublicKey.parse(publicKey);
        String serial = Long.toString(serials.incrementAndGet());
        var entrance = new RenterFiles.Entrance("127.0.0.1", 22, id.principal(), id.vmName(), "renter");
        return new Grant(
                "in-memory certificate " + serial,
                entrance,
                List.of(authority),
                serial,
                key.fingerprint(),
                window.end());
    }

    /**
     * Tries to enter, as a renter's client would.
     *
     * @return where it leads; empty if it is refused
     */
    public Optional<InetSocketAddress> enter(RentalId id) {
        return enter(id, "");
    }

    /**
     * Tries to enter by a certificate.
     *
     * @param serial its serial
     * @return where it leads; empty if it is refused
     * @throws RuntimeException what the listener throws, which keeps the renter out
     */
    public Optional<InetSocketAddress> enter(RentalId id, String serial) {
        Instant now = clock.instant();
        Optional<InetSocketAddress> way = Optional.ofNullable(admitted.get(id))
                .filter(place -> place.window().contains(now))
                .map(Admitted::vm);
        listener.accept(
                new Decision(now, way.isPresent() ? "accepted" : "refused", id.principal(), serial, "in memory"));
        return way;
    }

    /** It is off. */
    @Override
    public Grant breakGlass(RentalId id, String operator, String reason, Instant until, String publicKey) {
        throw new AccessException.LeaseRefused("break-glass access is off: an operator enters no rental in memory");
    }

    @Override
    public synchronized int cut(RentalId id, String why) {
        cut.add(id);
        return admitted.remove(id) == null ? 0 : 1;
    }

    /** No connection stays open in memory. */
    @Override
    public int cut(RentalId id, Set<String> serials, String why) {
        return 0;
    }

    @Override
    public synchronized int withdraw(RentalId id, String why) {
        return admitted.remove(id) == null ? 0 : 1;
    }

    @Override
    public void onDecision(Consumer<Decision> value) {
        listener = value;
    }

    @Override
    public void close() {
        admitted.clear();
    }
}
