package org.computehive.rental;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.computehive.access.AccessException;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.schedule.Window;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This engine's access, kept in step with what other replicas do: whom one of them cut off is let in here no more, and whose
 * VM one of them moved is let in to the new one. A login asks the store; connections that are open are looked after at the
 * policy's pace.
 *
 * <p>Thread-safe.
 */
final class Doors implements SessionAccess {
    static final String REVOKED = "its certificate was revoked";
    private static final Logger LOG = LoggerFactory.getLogger(Doors.class);

    private final SessionAccess access;
    private final RentalStore store;
    private final Duration pace;
    private final Set<RentalId> admitted = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService follower = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("computehive-doors").factory());

    /**
     * Creates one.
     *
     * @param access what is kept in step; closed with this
     * @param pace how often the store is asked about those who are let in
     */
    Doors(SessionAccess access, RentalStore store, Duration pace) {
        this.access = access;
        this.store = store;
        this.pace = pace;
    }

    void start() {
        var unused = follower.scheduleWithFixedDelay(
                this::lookQuietly, pace.toMillis(), pace.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void lookQuietly() {
        try {
            look();
        } catch (RuntimeException e) {
            LOG.warn("whether sessions ended elsewhere can't be read; looking again", e);
        }
    }

    /** Cuts off whoever is let in here though its session is over, or its VM gone. */
    void look() {
        for (RentalId id : admitted) {
            Optional<Rental> rental = store.rental(id);
            if (rental.filter(Doors::isOver).isPresent()) {
                cut(id, "rental " + id + " ended");
            } else if (rental.filter(Rental::isLeaving).isPresent()) {
                withdraw(id, "rental " + id + " lost its VM; another is sought");
            } else {
                rental.map(Rental::revokedSerials)
                        .filter(serials -> !serials.isEmpty())
                        .ifPresent(serials -> cut(id, serials, REVOKED));
            }
        }
    }

    private static boolean isOver(Rental rental) {
        return !rental.mayEnter();
    }

    @Override
    public void admit(RentalId id, Window window, InetSocketAddress vm) {
        try {
            access.admit(id, window, vm);
        } catch (AccessException.LeaseRefused e) {
            // Another replica took down the VM that was known here, and made one elsewhere. Who was cut stays so.
            access.withdraw(id, "rental " + id + " has another VM");
            access.admit(id, window, vm);
        }
        admitted.add(id);
    }

    @Override
    public int cut(RentalId id, String why) {
        admitted.remove(id);
        return access.cut(id, why);
    }

    @Override
    public int cut(RentalId id, Set<String> serials, String why) {
        return access.cut(id, serials, why);
    }

    @Override
    public int withdraw(RentalId id, String why) {
        admitted.remove(id);
        return access.withdraw(id, why);
    }

    @Override
    public void onDecision(Consumer<Decision> listener) {
        access.onDecision(decision -> {
            if (decision.kind().equals("accepted") || decision.kind().equals("glass-accepted")) {
                check(decision);
            }
            listener.accept(decision);
        });
    }

    /** What is thrown keeps the renter out. */
    private void check(Decision decision) {
        Optional<Rental> rental = RentalId.ofPrincipal(decision.principal()).flatMap(store::rental);
        rental.filter(known -> known.revokedSerials().contains(decision.serial()))
                .ifPresent(known -> {
                    throw new RentalException.NotAllowed(
                            "certificate %s of rental %s was revoked".formatted(decision.serial(), known.id()));
                });
        rental.filter(known -> isOver(known) || known.isLeaving()).ifPresent(known -> {
            throw new RentalException.WrongState("rental %s is %s: its renter is let in no more"
                    .formatted(known.id(), known.isLeaving() ? "without a VM" : known.state()));
        });
    }

    @Override
    public GuestAccess guestAccess(RentalId id, Window window) {
        return access.guestAccess(id, window);
    }

    @Override
    public Trust trust() {
        return access.trust();
    }

    @Override
    public String certify(RentalId id, Window window, String hostKey) {
        return access.certify(id, window, hostKey);
    }

    @Override
    public String probe(RentalId id, Duration limit) {
        return access.probe(id, limit);
    }

    @Override
    public Grant issue(RentalId id, Window window, String publicKey) {
        return access.issue(id, window, publicKey);
    }

    @Override
    public Grant breakGlass(RentalId id, String operator, String reason, Instant until, String publicKey) {
        return access.breakGlass(id, operator, reason, until, publicKey);
    }

    @Override
    public void close() {
        follower.shutdownNow();
        access.close();
    }
}
