package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.placement.Place;
import org.computehive.rental.RentalEvent.Activated;
import org.computehive.rental.RentalEvent.EndedByOperator;
import org.computehive.rental.RentalEvent.Ending;
import org.computehive.rental.RentalEvent.Interrupted;
import org.computehive.rental.RentalEvent.Invited;
import org.computehive.rental.RentalEvent.Placed;
import org.computehive.rental.RentalEvent.PlacementFailed;
import org.computehive.rental.RentalEvent.Swept;
import org.computehive.rental.RentalEvent.TeardownLeft;
import org.computehive.schedule.Window;

/**
 * What became of a rental's session, place by place: when it was usable, what went wrong where, and what is left behind.
 *
 * @param from from when the present place is the rental's
 * @param usable the times in which the session was usable, in order and disjoint; but the one that goes on
 * @param usableSince since when it is usable now
 * @param faults what made it leave a place, in order
 * @param interruptedAt when the session was last interrupted; empty if it never was
 * @param failed gpus that are not to be tried again
 * @param leaving whether the present place is being taken down, so that another can be found
 * @param hostLost whether that has to be left to later, since its host does not answer
 * @param left places that were left without being taken down
 * @param moves how often a place was given
 * @param movesTold how many of those moves the parties know of
 */
record Runs(
        Instant from,
        List<Window> usable,
        Optional<Instant> usableSince,
        List<Fault> faults,
        Optional<Instant> interruptedAt,
        Set<GpuId> failed,
        boolean leaving,
        boolean hostLost,
        List<Place> left,
        int moves,
        int movesTold) {

    static Runs from(Instant start) {
        return new Runs(
                start,
                List.of(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Set.of(),
                false,
                false,
                List.of(),
                0,
                0);
    }

    /**
     * Returns what became of the session after an event.
     *
     * @param place where it was before
     * @param sessionEnd when it was to end before
     */
    Runs after(RentalEvent event, Place place, Instant sessionEnd) {
        return switch (event) {
            case Activated e -> usableFrom(e.at());
            case Interrupted e ->
                usableUntil(earlier(e.lastUsable(), sessionEnd))
                        .interrupted(e.at())
                        .leaving(e.fault(), e.hostLost(), place.gpus());
            case PlacementFailed e -> leaving(e.fault(), e.hostLost(), place.gpus());
            case Placed e -> placed(e.at(), place, new Place(e.host(), e.gpus()));
            case TeardownLeft e -> left(place);
            case Swept e -> leftAt(e.host()).map(this::swept).orElse(this);
            case Ending e -> usableUntil(earlier(e.at(), sessionEnd));
            case EndedByOperator e -> usableUntil(earlier(e.at(), sessionEnd));
            case Invited e -> told();
            default -> this;
        };
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /** Returns the place at a host that was left without being taken down. */
    Optional<Place> leftAt(HostId host) {
        return left.stream().filter(place -> place.host().equals(host)).findFirst();
    }

    /** Returns whether the session was usable once. */
    boolean everUsable() {
        return usableSince.isPresent() || !usable.isEmpty() || interruptedAt.isPresent();
    }

    Duration used() {
        return usable.stream().map(Window::length).reduce(Duration.ZERO, Duration::plus);
    }

    private Runs usableFrom(Instant at) {
        // A clock that was set back must not have a second counted twice.
        Instant start = usable.isEmpty() || at.isAfter(usable.getLast().end())
                ? at
                : usable.getLast().end();
        return new Runs(
                from,
                usable,
                Optional.of(start),
                faults,
                interruptedAt,
                failed,
                leaving,
                hostLost,
                left,
                moves,
                movesTold);
    }

    private Runs usableUntil(Instant at) {
        var all = new ArrayList<>(usable);
        usableSince.filter(at::isAfter).ifPresent(since -> all.add(new Window(since, at)));
        return new Runs(
                from,
                List.copyOf(all),
                Optional.empty(),
                faults,
                interruptedAt,
                failed,
                leaving,
                hostLost,
                left,
                moves,
                movesTold);
    }

    private Runs interrupted(Instant at) {
        return new Runs(
                from, usable, usableSince, faults, Optional.of(at), failed, leaving, hostLost, left, moves, movesTold);
    }

    /** The place is given up: for a fault of the lender's its gpus are not tried again. */
    private Runs leaving(Fault fault, boolean isHostLost, List<GpuId> gpus) {
        var allFaults = new ArrayList<>(faults);
        allFaults.add(fault);
        var allFailed = new HashSet<>(failed);
        if (fault.blame() == Fault.Blame.LENDER) {
            allFailed.addAll(gpus);
        }
        return new Runs(
                from,
                usable,
                usableSince,
                List.copyOf(allFaults),
                interruptedAt,
                Set.copyOf(allFailed),
                true,
                isHostLost,
                left,
                moves,
                movesTold);
    }

    /** Another place is given; one whose host was lost stays to be taken down. */
    private Runs placed(Instant at, Place before, Place now) {
        var stillLeft = new ArrayList<>(left);
        if (hostLost && !before.equals(now)) {
            stillLeft.add(before);
        }
        // The parties are told of a fresh machine. One that was only out of sight is the old one, with all that is on
        // it.
        boolean same = hostLost && before.equals(now);
        return new Runs(
                at,
                usable,
                usableSince,
                faults,
                interruptedAt,
                failed,
                false,
                false,
                List.copyOf(stillLeft),
                moves + 1,
                same ? movesTold + 1 : movesTold);
    }

    private Runs left(Place place) {
        var more = new ArrayList<>(left);
        more.add(place);
        return withLeft(more);
    }

    private Runs swept(Place place) {
        return withLeft(left.stream().filter(other -> !other.equals(place)).toList());
    }

    private Runs withLeft(List<Place> places) {
        return new Runs(
                from,
                usable,
                usableSince,
                faults,
                interruptedAt,
                failed,
                leaving,
                hostLost,
                List.copyOf(places),
                moves,
                movesTold);
    }

    /** Returns whether the parties are to be told that a session that was usable goes on with nothing on its disk. */
    boolean isNewsOfAFreshMachine() {
        return interruptedAt.isPresent() && movesTold < moves;
    }

    private Runs told() {
        return new Runs(
                from, usable, usableSince, faults, interruptedAt, failed, leaving, hostLost, left, moves, moves);
    }
}
