package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.schedule.Window;

/**
 * What a rental keeps others from having while it is not over. Events change it; {@link Rental} says from when until when
 * it counts.
 *
 * @param host where the VM runs, or is to run
 * @param gpus the devices it has there
 * @param occupied the gpus and times that nobody else may have
 * @param lanes the lender's storage slots on the chain
 */
record Holdings(HostId host, List<GpuId> gpus, Set<Occupancy> occupied, Set<Long> lanes) {
    Holdings {
        gpus = List.copyOf(gpus);
        occupied = Set.copyOf(occupied);
        lanes = Set.copyOf(lanes);
    }

    static Holdings of(RentalTerms terms) {
        return new Holdings(
                terms.host(),
                terms.gpus(),
                terms.gpus().stream()
                        .map(gpu -> new Occupancy(gpu, terms.occupied()))
                        .collect(Collectors.toSet()),
                Set.of(terms.lane()));
    }

    /** Returns what is held after an event that moves or shortens the time of what is occupied. */
    Holdings after(RentalEvent event, Duration turnover) {
        return switch (event) {
            case RentalEvent.Placed e when e.gpus().size() == gpus.size() -> movedTo(e.host(), e.gpus(), e.at());
            case RentalEvent.GpusTaken e -> from(e.at());
            case RentalEvent.ReclaimAnnounced e -> until(e.ends().plus(turnover));
            default -> this;
        };
    }

    /** Returns from when something is occupied. */
    Instant from() {
        return occupied.stream()
                .map(one -> one.window().start())
                .min(Comparator.naturalOrder())
                .orElse(Instant.MAX);
    }

    /** Returns these with the first time of each gpu beginning earlier. */
    private Holdings from(Instant earlier) {
        Instant first = from();
        return new Holdings(
                host,
                gpus,
                occupied.stream()
                        .map(one -> one.window().start().equals(first)
                                ? new Occupancy(
                                        one.gpu(),
                                        new Window(earlier, one.window().end()))
                                : one)
                        .collect(Collectors.toSet()),
                lanes);
    }

    /** Returns these and further times of gpus. */
    Holdings with(Collection<Occupancy> further) {
        var all = new HashSet<>(occupied);
        all.addAll(further);
        return new Holdings(host, gpus, all, lanes);
    }

    /** Returns these and a further lane. */
    Holdings withLane(long lane) {
        var all = new HashSet<>(lanes);
        all.add(lane);
        return new Holdings(host, gpus, occupied, all);
    }

    /** Returns these and the time of a further leg, which follows what is occupied already. */
    Holdings with(Leg leg, Duration turnover) {
        return with(gpus.stream()
                        .map(gpu -> new Occupancy(gpu, later(leg.window(), turnover)))
                        .toList())
                .withLane(leg.lane());
    }

    /** Returns these without the time of a further leg. */
    Holdings without(Leg leg, Duration turnover) {
        Window time = later(leg.window(), turnover);
        return new Holdings(
                host,
                gpus,
                occupied.stream().filter(one -> !time.covers(one.window())).collect(Collectors.toSet()),
                lanes);
    }

    /** Returns these without a lane. */
    Holdings withoutLane(long lane) {
        var all = new HashSet<>(lanes);
        all.remove(lane);
        return new Holdings(host, gpus, occupied, all);
    }

    private static Window later(Window window, Duration by) {
        return new Window(window.start().plus(by), window.end().plus(by));
    }

    /**
     * Returns what is left of the same times, on other gpus.
     *
     * @param newHost where the VM is to run from now on
     * @param newGpus as many devices as before, each in the place of the one before it
     * @param from when it moves: times before that are let go
     */
    Holdings movedTo(HostId newHost, List<GpuId> newGpus, Instant from) {
        if (newGpus.size() != gpus.size()) {
            throw new IllegalArgumentException(
                    "%d gpus can't take the place of %d".formatted(newGpus.size(), gpus.size()));
        }
        Set<Occupancy> moved = occupied.stream()
                .filter(old -> old.window().end().isAfter(from))
                .map(old -> new Occupancy(
                        newGpus.get(gpus.indexOf(old.gpu())),
                        old.window().start().isBefore(from)
                                ? new Window(from, old.window().end())
                                : old.window()))
                .collect(Collectors.toSet());
        return new Holdings(newHost, newGpus, moved, lanes);
    }

    /** Returns these without the times from an instant on; a time that begins no earlier is let go altogether. */
    Holdings until(Instant end) {
        Set<Occupancy> cut = occupied.stream()
                .filter(old -> old.window().start().isBefore(end))
                .map(old -> old.window().end().isAfter(end)
                        ? new Occupancy(old.gpu(), new Window(old.window().start(), end))
                        : old)
                .collect(Collectors.toSet());
        return new Holdings(host, gpus, cut, lanes);
    }
}
