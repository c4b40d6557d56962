package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.placement.EqualPlaces;
import org.computehive.placement.Place;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.Steps.Outcome;
import org.computehive.schedule.Window;

/**
 * Finds a session another place when its own fails.
 *
 * <p>Lender, terms and escrow stay: what the lender signed binds the rental's terms by their hash, which names the first
 * place; an equal one of the same lender gives the renter what it pays for, at the same rate, and the renter may end the
 * session at any time and pay for the time used. Nobody else's gpus are ever taken.
 */
final class Relocation {
    private final RentalStore store;
    private final Hosts hosts;
    private final GpuHealth health;
    private final SessionWatch watch;
    private final Journal journal;
    private final RentalPolicy policy;

    Relocation(
            RentalStore store,
            Hosts hosts,
            GpuHealth health,
            SessionWatch watch,
            Journal journal,
            RentalPolicy policy) {
        this.store = store;
        this.hosts = hosts;
        this.health = health;
        this.watch = watch;
        this.journal = journal;
        this.policy = policy;
    }

    /** Returns the moment by which the session must be usable. */
    Instant deadline(Rental rental) {
        Instant limit = rental.runs()
                .interruptedAt()
                .map(at -> at.plus(policy.recovery().limit()))
                .orElseGet(() -> rental.terms().window().start().plus(policy.startLimit()));
        return limit.isBefore(rental.sessionEnd()) ? limit : rental.sessionEnd();
    }

    /** Returns whether there is another place at all, be it free now or not, and a move left to go there. */
    boolean isPossible(Rental rental) {
        return rental.runs().moves() < policy.recovery().moves()
                && !places(rental, gpu -> mayServe(rental, gpu)).isEmpty();
    }

    Outcome place(Rental rental) {
        Runs runs = rental.runs();
        if (runs.moves() < policy.recovery().moves() && journal.now().isBefore(deadline(rental))) {
            Optional<Place> place = runs.hostLost() && isBack(rental)
                    ? Optional.of(rental.place())
                    : places(rental, gpu -> mayServe(rental, gpu) && isFree(rental, gpu)).stream()
                            .findFirst();
            if (place.isPresent()) {
                return new Outcome.Happened(placed(rental, place.get()));
            }
            // An interrupted renter is better served late than never; one that never began may book elsewhere at once.
            if (runs.everUsable() && (runs.hostLost() || isPossible(rental))) {
                return new Outcome.Wait(journal.now().plus(policy.retry()));
            }
        }
        return new Outcome.Happened(givenUp(rental));
    }

    private RentalEvent placed(Rental rental, Place place) {
        if (place.equals(rental.place())) {
            health.foundAgain(rental.id(), place);
        } else if (rental.runs().hostLost()) {
            health.lost(rental.id(), rental.place());
        }
        return new RentalEvent.Placed(
                journal.now(),
                place.host(),
                place.gpus(),
                rental.runs().faults().getLast().what());
    }

    /** Returns what ends the search: a session that was usable was lost, another could not start. */
    RentalEvent givenUp(Rental rental) {
        return rental.runs().everUsable()
                ? new RentalEvent.Ending(journal.now(), EndCause.MACHINE_LOST)
                : new RentalEvent.StartFailed(
                        journal.now(), rental.runs().faults().getLast());
    }

    /** Returns whether the lost host answers and still runs the VM: then nothing of the session is lost. */
    private boolean isBack(Rental rental) {
        try {
            return hosts.vmOf(rental).isPresent();
        } catch (HypervisorException e) {
            return false;
        }
    }

    private List<Place> places(Rental rental, Predicate<GpuId> usable) {
        Optional<Listing> agreed = store.quote(rental.id()).map(Quote::offered);
        Optional<Host> home = agreed.flatMap(listing -> store.host(listing.host()));
        return agreed.flatMap(listing -> home.flatMap(host -> EqualPlaces.to(listing, host)))
                .map(equals -> equals.among(eligible(rental), store.listings(), needed(rental), usable))
                .orElse(List.of());
    }

    private List<Host> eligible(Rental rental) {
        return store.hosts().stream()
                .filter(host -> host.lender().equals(rental.terms().lender()))
                // Its VM is named after the rental, so a host that still has one left gets no second.
                .filter(host -> rental.runs().left().stream()
                        .noneMatch(place -> place.host().equals(host.id())))
                .filter(host -> !(rental.runs().hostLost() && host.id().equals(rental.host())))
                .filter(host -> hosts.answers(host.id()))
                .toList();
    }

    private boolean mayServe(Rental rental, GpuId gpu) {
        return !rental.runs().failed().contains(gpu) && !health.isQuarantined(gpu);
    }

    private boolean isFree(Rental rental, GpuId gpu) {
        return rental.gpus().contains(gpu) || store.isFree(List.of(gpu), needed(rental));
    }

    private Window needed(Rental rental) {
        Instant start = rental.terms().window().start();
        Instant from = journal.now().isAfter(start) ? journal.now() : start;
        Instant end = rental.sessionEnd().plus(rental.terms().turnover());
        // An extension that is held already moves along.
        Instant held = rental.occupied().stream()
                .map(occupancy -> occupancy.window().end())
                .max(Instant::compareTo)
                .orElse(end);
        return new Window(from, held.isAfter(end) ? held : end);
    }

    /** A host that does not answer is waited for, but not for ever: then the session is tried elsewhere. */
    Outcome leaveSilentHost(Rental rental, HypervisorException why) {
        Optional<Fault> lost = watch.silence(rental);
        boolean elsewhere = lost.isPresent() && !rental.runs().hostLost() && isPossible(rental);
        return elsewhere
                ? Outcome.happened(new RentalEvent.PlacementFailed(journal.now(), true, lost.get()))
                : Outcome.retry(rental, why);
    }
}
