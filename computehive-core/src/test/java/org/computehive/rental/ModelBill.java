package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/** What the legs of a rental may cost: counted anew from its events and its terms, and not by the code that is tested. */
final class ModelBill {
    private final Rental rental;
    private final List<RentalEvent> events;

    ModelBill(Rental rental, List<RentalEvent> events) {
        this.rental = rental;
        this.events = events;
    }

    /** Returns the whole seconds that the receipt of a leg is to be for. */
    Duration owed(Leg leg) {
        Cancellation terms = rental.terms().cancellation();
        Optional<RentalEvent.Cancelled> off = first(RentalEvent.Cancelled.class);
        if (off.isPresent()) {
            Instant free = leg.window().start().minus(terms.notice());
            boolean late = off.get().by().equals(rental.terms().renter())
                    && off.get().at().isAfter(free);
            return late && !leg.isDropped() ? share(leg, terms.lateShare()) : Duration.ZERO;
        }
        if (leg.isDropped()) {
            return Duration.ZERO;
        }
        Duration used = used(leg.window());
        boolean noShow = first(RentalEvent.Ending.class)
                .filter(ending -> ending.cause() == EndCause.NO_SHOW)
                .isPresent();
        boolean late = first(RentalEvent.Ending.class)
                .filter(ending -> ending.cause() == EndCause.BY_RENTER
                        && ending.at().isAfter(leg.window().start().minus(terms.notice())))
                .isPresent();
        Duration least = noShow ? share(leg, terms.noShowShare()) : Duration.ZERO;
        least = late ? share(leg, terms.lateShare()) : least;
        return used.compareTo(least) < 0 ? least : used;
    }

    private static Duration share(Leg leg, int basisPoints) {
        return Duration.ofSeconds(leg.window().length().toSeconds() * basisPoints / 10_000);
    }

    private Duration used(Window window) {
        Duration sum = Duration.ZERO;
        for (Window usable : usable()) {
            Instant from = later(usable.start(), window.start());
            Instant to = earlier(usable.end(), window.end());
            sum = from.isBefore(to) ? sum.plus(Duration.between(from, to)) : sum;
        }
        return Duration.ofSeconds(sum.toSeconds());
    }

    /**
     * From each proof that a session can be used to its last sign of life, or its end. What runs on past the end that was
     * known then lets nobody in: an extension whose payment is seen only after that came too late.
     */
    private List<Window> usable() {
        var times = new ArrayList<Window>();
        @Nullable Instant since = null;
        Instant known = rental.terms().window().end();
        for (RentalEvent event : events) {
            if (event instanceof OfLeg.Funded funded) {
                known = later(known, rental.legs().get(funded.leg()).window().end());
            }
            @Nullable Instant until = switch (event) {
                case RentalEvent.Interrupted e -> e.lastUsable();
                case RentalEvent.Ending e -> e.at();
                case RentalEvent.EndedByOperator e -> e.at();
                default -> null;
            };
            if (event instanceof RentalEvent.Activated) {
                since = event.at();
            } else if (until != null && since != null) {
                Instant end = earlier(known, until);
                end = rental.reclaimedAt().isPresent()
                        ? earlier(rental.reclaimedAt().get(), end)
                        : end;
                if (since.isBefore(end)) {
                    times.add(new Window(since, end));
                }
                since = null;
            }
        }
        return times;
    }

    /**
     * Returns what the chain may have paid for a leg, each for a reason.
     *
     * @param byHand what it paid by what a party said to it by itself, if one did
     */
    Set<Amount> allowed(Leg leg, Optional<Amount> byHand) {
        var amounts = new HashSet<Amount>();
        byHand.ifPresent(amounts::add);
        if (leg.hasReceipt() && leg.isCountersigned()) {
            amounts.add(leg.rate().cost(owed(leg)));
        }
        boolean released = events.stream()
                .flatMap(event -> OfLeg.of(event).stream())
                .anyMatch(event -> event instanceof OfLeg.ReleaseSigned && event.leg() == leg.number());
        if (released) {
            amounts.add(Amount.ZERO);
        }
        boolean toItsEnd = first(RentalEvent.Ending.class)
                .filter(ending -> !ending.at().isBefore(leg.window().end()))
                .isPresent();
        if (!leg.hasReceipt()
                && toItsEnd
                && first(RentalEvent.Interrupted.class).isEmpty()
                && first(RentalEvent.Activated.class).isPresent()) {
            amounts.add(leg.rate().cost(leg.window().length()));
        }
        return amounts;
    }

    private <E extends RentalEvent> Optional<E> first(Class<E> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).findFirst();
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
