package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Maintenance;
import org.computehive.rental.Asking.Answering;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What lenders and operators do to keep hosts in order: maintenance, reclaims, steps that are stuck. */
final class Operations {
    private static final Logger LOG = LoggerFactory.getLogger(Operations.class);

    private final RentalStore store;
    private final Rentals rentals;
    private final Journal journal;
    private final SessionAccess access;
    /**
     * Held from the note in the audit log to the change that it notes. The note comes first, so that nothing is acknowledged
     * that a crash kept out of the log; of requests that come together only one notes.
     */
    private final ReentrantLock maintaining = new ReentrantLock();

    Operations(RentalStore store, Rentals rentals, Journal journal, SessionAccess access) {
        this.store = store;
        this.rentals = rentals;
        this.journal = journal;
        this.access = access;
    }

    Maintenance block(Account lender, Maintenance maintenance, Answering<Maintenance> answering) {
        Host host = ownHost(lender, maintenance.host());
        for (GpuId gpu : maintenance.gpus()) {
            if (host.gpus().stream().noneMatch(known -> known.address().equals(gpu.address()))) {
                throw new RentalException.NotFound("host %s has no gpu at %s".formatted(host.id(), gpu.address()));
            }
        }
        if (!maintenance.window().end().isAfter(journal.now())) {
            throw new RentalException.Unacceptable(
                    "maintenance window %s is in the past: it is %s".formatted(maintenance.window(), journal.now()));
        }
        if (maintenance.window().start().getNano() % 1000 != 0
                || maintenance.window().end().getNano() % 1000 != 0) {
            throw new RentalException.Unacceptable(
                    "maintenance window %s is finer than a microsecond: give whole seconds"
                            .formatted(maintenance.window()));
        }
        maintaining.lock();
        try {
            if (!store.maintenances(host.id()).contains(maintenance)) {
                note("maintenance.set", maintenance, "%s for %s: %s");
            }
            put(maintenance, answering);
            return maintenance;
        } finally {
            maintaining.unlock();
        }
    }

    private void put(Maintenance maintenance, Answering<Maintenance> answering) {
        try {
            answering
                    .keeping(maintenance)
                    .ifPresentOrElse(
                            answer -> store.putMaintenance(maintenance, answer),
                            () -> store.putMaintenance(maintenance));
        } catch (RentalException.Overlap | IllegalArgumentException e) {
            note("maintenance.refused", maintenance, "%s for %s: %s");
            throw e;
        }
    }

    private void note(String type, Maintenance maintenance, String words) {
        journal.note(
                type,
                maintenance.host() + "/" + maintenance.name(),
                journal.now(),
                words.formatted(maintenance.gpus(), maintenance.window(), maintenance.why()));
    }

    boolean unblock(Account lender, HostId hostId, String name, Answering<Boolean> answering) {
        Host host = ownHost(lender, hostId);
        maintaining.lock();
        try {
            for (Maintenance maintenance : store.maintenances(host.id())) {
                if (maintenance.name().equals(name)) {
                    note("maintenance.removed", maintenance, "%s for %s: %s");
                    if (remove(maintenance, answering)) {
                        return true;
                    }
                }
            }
            answering.keeping(false).ifPresent(store::putAnswer);
            return false;
        } finally {
            maintaining.unlock();
        }
    }

    private boolean remove(Maintenance maintenance, Answering<Boolean> answering) {
        return answering
                .keeping(true)
                .map(answer -> store.removeMaintenance(maintenance.host(), maintenance.name(), answer))
                .orElseGet(() -> store.removeMaintenance(maintenance.host(), maintenance.name()));
    }

    List<Maintenance> maintenances(Account lender, HostId host) {
        return store.maintenances(ownHost(lender, host).id());
    }

    private Host ownHost(Account lender, HostId id) {
        return store.host(id)
                .filter(known -> known.lender().equals(lender))
                .orElseThrow(() -> new RentalException.NotFound("lender %s has no host %s".formatted(lender, id)));
    }

    Rental reclaim(RentalId id, Account lender, Instant at, Answering<Rental> answering) {
        while (true) {
            Rental rental = rentals.ofParty(id, lender);
            if (!lender.equals(rental.terms().lender())) {
                throw new RentalException.NotAllowed("only the lender of %s may do this".formatted(id));
            }
            if (rental.reclaimedAt().filter(at::equals).isPresent()) {
                return rentals.unchanged(rental, answering);
            }
            checkReclaim(rental, at);
            try {
                return journal.commit(rental, new RentalEvent.ReclaimAnnounced(journal.now(), at), answering);
            } catch (RentalException.Superseded e) {
                LOG.debug("{} changed meanwhile; looking again", rental);
            }
        }
    }

    private void checkReclaim(Rental rental, Instant at) {
        if (at.getNano() != 0) {
            throw new RentalException.Unacceptable("reclaim at %s is not in whole seconds".formatted(at));
        }
        rental.reclaimedAt().ifPresent(announced -> {
            throw new RentalException.WrongState(
                    "rental %s is reclaimed at %s already: notice is given once".formatted(rental.id(), announced));
        });
        Duration notice = store.quote(rental.id())
                .map(quote -> quote.offered().rules().reclaimNotice())
                .orElseThrow(() -> new RentalException.NotFound("there is no quote %s".formatted(rental.id())));
        Instant earliest = journal.now().plus(notice);
        if (at.isBefore(earliest)) {
            throw new RentalException.Unacceptable(
                    "reclaim at %s is too soon: the listing's notice is %s, so %s at the earliest"
                            .formatted(at, notice, earliest));
        }
        if (!at.isBefore(rental.sessionEnd())) {
            throw new RentalException.Unacceptable("reclaim at %s is too late: rental %s ends at %s anyway"
                    .formatted(at, rental.id(), rental.sessionEnd()));
        }
    }

    List<Rental> stuck() {
        return store.stuck(RentalStore.MOST);
    }

    SessionAccess.Grant breakGlass(RentalId id, String operator, String reason, Instant until, String publicKey) {
        Rental rental = rentals.existing(id);
        if (!rental.mayEnter()) {
            throw new RentalException.WrongState(
                    "rental %s is %s: there is nothing to enter".formatted(id, rental.state()));
        }
        if (until.isAfter(rental.sessionEnd())) {
            throw new RentalException.Unacceptable("break-glass access until %s is too long: rental %s ends at %s"
                    .formatted(until, id, rental.sessionEnd()));
        }
        return access.breakGlass(id, operator, reason, until, publicKey);
    }

    Rental revokeCertificates(RentalId id, Account renter, Set<String> serials) {
        rentals.ofRenter(id, renter);
        return revokeCertificates(id, serials, "the renter asked");
    }

    Rental revokeCertificates(RentalId id, Set<String> serials, String why) {
        if (why.isBlank()) {
            throw new RentalException.Unacceptable(
                    "certificates of rental %s are revoked with a reason: say why".formatted(id));
        }
        Rental after = rentals.commitAll(id, rental -> revoked(rental, serials, why), Answering.none());
        // At once, here; other replicas find it at their next look, and at each login.
        access.cut(id, after.revokedSerials(), Doors.REVOKED);
        return after;
    }

    private List<RentalEvent> revoked(Rental rental, Set<String> serials, String why) {
        Set<String> issued = store.history(rental.id()).stream()
                .map(RentalStore.Recorded::event)
                .filter(RentalEvent.CertificateIssued.class::isInstance)
                .map(event -> ((RentalEvent.CertificateIssued) event).serial())
                .collect(Collectors.toSet());
        serials.stream().filter(serial -> !issued.contains(serial)).findFirst().ifPresent(serial -> {
            throw new RentalException.NotFound(
                    "rental %s has no certificate of serial %.40s".formatted(rental.id(), serial));
        });
        Set<String> all = new TreeSet<>(rental.revokedSerials());
        if (!all.addAll(serials.isEmpty() ? issued : serials)) {
            return List.of();
        }
        if (!rental.mayEnter()) {
            throw new RentalException.WrongState(
                    "rental %s is %s: its certificates are worth nothing".formatted(rental.id(), rental.state()));
        }
        return List.of(new RentalEvent.CertificatesRevoked(journal.now(), List.copyOf(all), Reason.of(why)));
    }

    Rental resume(RentalId id, String note, Answering<Rental> answering) {
        if (note.isBlank()) {
            throw new RentalException.Unacceptable("rental %s is resumed with a note: say what was done".formatted(id));
        }
        return rentals.commitAll(id, rental -> resumed(rental, note), answering);
    }

    private List<RentalEvent> resumed(Rental rental, String note) {
        if (rental.stuck().isEmpty()) {
            throw new RentalException.WrongState("rental %s has no step that is stuck".formatted(rental.id()));
        }
        return rental.stuck().keySet().stream()
                .sorted()
                .<RentalEvent>map(step -> new RentalEvent.Resumed(journal.now(), step, Reason.of(note)))
                .toList();
    }
}
