package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.computehive.market.GpuId;
import org.computehive.placement.Place;
import org.computehive.rental.Steps.Outcome;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps that leave nothing of a session at a place: access cut, VM destroyed, disk erased, gpus turned over. Where the
 * host was lost, or can't do it for too long, that comes once it can.
 */
final class Teardown {
    private static final Logger LOG = LoggerFactory.getLogger(Teardown.class);

    private final Hosts hosts;
    private final SessionAccess access;
    private final GpuHealth health;
    private final SessionWatch watch;
    private final Relocation relocation;
    private final Journal journal;
    private final RentalPolicy policy;

    Teardown(
            Hosts hosts,
            SessionAccess access,
            GpuHealth health,
            SessionWatch watch,
            Relocation relocation,
            Journal journal,
            RentalPolicy policy) {
        this.hosts = hosts;
        this.access = access;
        this.health = health;
        this.watch = watch;
        this.relocation = relocation;
        this.journal = journal;
        this.policy = policy;
    }

    Outcome cutAccess(Rental rental) {
        watch.forget(rental.id());
        int closed = rental.isLeaving()
                ? access.withdraw(rental.id(), "rental " + rental.id() + " lost its VM; another is sought")
                : access.cut(rental.id(), "rental " + rental.id() + " ended: " + reason(rental));
        return Outcome.happened(new RentalEvent.AccessCut(journal.now(), closed));
    }

    Outcome destroy(Rental rental) {
        try {
            return Outcome.happened(new RentalEvent.MachineDestroyed(
                    journal.now(), hypervisorOf(rental).destroy(rental.id()).facts()));
        } catch (HypervisorException.Unreachable e) {
            return rental.isLeaving() ? relocation.leaveSilentHost(rental, e) : failed(rental, e);
        } catch (HypervisorException e) {
            return failed(rental, e);
        }
    }

    Outcome erase(Rental rental) {
        try {
            return Outcome.happened(new RentalEvent.DiskErased(
                    journal.now(), hypervisorOf(rental).erase(rental.id()).facts()));
        } catch (HypervisorException e) {
            return failed(rental, e);
        }
    }

    Outcome turnOver(Rental rental) {
        try {
            List<Hypervisor.Turnover> results = hypervisorOf(rental)
                    .turnOver(
                            rental.id(),
                            rental.gpus().stream().map(GpuId::address).toList());
            Optional<Fault> noted =
                    rental.isLeaving() ? Optional.of(rental.runs().faults().getLast()) : Optional.empty();
            health.turnedOver(rental.id(), rental.host(), results, noted);
            return Outcome.happened(new RentalEvent.TurnedOver(journal.now(), results));
        } catch (HypervisorException e) {
            return failed(rental, e);
        }
    }

    /** The money does not wait for ever for a host: at last only the gpus do. */
    private Outcome failed(Rental rental, HypervisorException why) {
        Instant limit = rental.tryingSince().plus(policy.recovery().teardownLimit());
        if (rental.isLeaving() || journal.now().isBefore(limit)) {
            return Outcome.retry(rental, why);
        }
        LOG.warn("{}: settled without waiting for host {}, which an operator should look at", rental, rental.host());
        health.lost(rental.id(), rental.place());
        return Outcome.happened(new RentalEvent.TeardownLeft(journal.now(), rental.host(), Reason.of(why)));
    }

    /** Takes down what is left at a place whose host was lost; its gpus can be rented again then. */
    Outcome sweep(Rental rental) {
        try {
            Place place = rental.runs().left().getFirst();
            Hypervisor hypervisor = hosts.of(place.host());
            hypervisor.destroy(rental.id());
            hypervisor.erase(rental.id());
            List<Hypervisor.Turnover> results = hypervisor.turnOver(
                    rental.id(), place.gpus().stream().map(GpuId::address).toList());
            health.turnedOver(rental.id(), place.host(), results, Optional.empty());
            LOG.info("{}: host {} is back and was swept", rental, place.host());
            return Outcome.happened(new RentalEvent.Swept(journal.now(), place.host(), results));
        } catch (HypervisorException e) {
            return Outcome.retry(rental, e);
        }
    }

    private Hypervisor hypervisorOf(Rental rental) {
        return hosts.of(rental.host());
    }

    private static String reason(Rental rental) {
        return rental.endCause()
                .map(cause -> switch (cause) {
                    case WINDOW_OVER -> "the window is over";
                    case BY_RENTER -> "the renter ended it";
                    case BY_LENDER -> "the lender ended it";
                    case NO_SHOW -> "the renter never came";
                    case BY_OPERATOR -> "the operator ended it";
                    case ESCROW_CLOSED -> "the escrow was closed";
                    case MACHINE_LOST -> "the VM was lost";
                    case RECLAIMED -> "the lender took its gpus back, as announced";
                })
                .orElse("it could not start");
    }
}
