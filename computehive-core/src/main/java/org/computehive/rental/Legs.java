package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.market.Amount;
import org.computehive.rental.RentalEvent.OfLeg;

/**
 * The legs of a rental, in the order in which they were agreed, and which end of the session its VM knows. Immutable.
 *
 * @param all the legs; each one's place is its number
 * @param toldMachine the end that VM and gateway know
 */
record Legs(List<Leg> all, Instant toldMachine) {
    Legs {
        all = List.copyOf(all);
    }

    static Legs of(RentalTerms terms) {
        Instant end = terms.window().end();
        return new Legs(List.of(Leg.booked(terms)), end);
    }

    Leg first() {
        return all.getFirst();
    }

    Optional<Leg> find(int number) {
        return number >= 0 && number < all.size() ? Optional.of(all.get(number)) : Optional.empty();
    }

    /** The extension that waits to be funded; there is one at most while a session is not over. */
    Optional<Leg> pending() {
        return all.stream().skip(1).filter(Leg::isPending).findFirst();
    }

    /** Where the session ends: what was booked, and what was funded after it. */
    Instant end() {
        return last().window().end();
    }

    /** The last leg whose time comes. */
    Leg last() {
        Leg last = first();
        for (Leg leg : all.subList(1, all.size())) {
            if (leg.isFunded() && !leg.isDropped()) {
                last = leg;
            }
        }
        return last;
    }

    boolean areClosed() {
        return all.stream().allMatch(Leg::isClosed);
    }

    /** What the renter locked over all legs. */
    Amount deposit() {
        return all.stream().filter(Leg::isFunded).map(Leg::deposit).reduce(Amount.ZERO, Amount::plus);
    }

    /** What the chain paid, and bonds lost, over all legs that are settled; the transaction is the last one. */
    Optional<RentalEvent.Settled> settlement() {
        return all.stream()
                .flatMap(leg -> leg.settlement().stream())
                .map(e -> new RentalEvent.Settled(
                        e.at(), e.paid(), e.refunded(), e.slashed(), e.forfeited(), e.transaction()))
                .reduce((one, other) -> new RentalEvent.Settled(
                        other.at(),
                        one.paid().plus(other.paid()),
                        one.refunded().plus(other.refunded()),
                        one.slashed().plus(other.slashed()),
                        one.forfeited().plus(other.forfeited()),
                        other.transaction()));
    }

    /** Whether an event of a leg can happen, as far as the legs alone can say. */
    boolean canFollow(OfLeg event) {
        if (event instanceof OfLeg.Held held) {
            return held.leg() == all.size()
                    && pending().isEmpty()
                    && held.extension().window().start().equals(end())
                    && last().offer()
                            .filter(offer ->
                                    offer.digest().equals(held.extension().follows()))
                            .isPresent();
        }
        return find(event.leg()).filter(leg -> leg.canFollow(event)).isPresent();
    }

    /**
     * Returns the legs after any event of their rental.
     *
     * @param mayEnter whether the session was not over before it
     */
    Legs following(RentalEvent event, boolean mayEnter) {
        return switch (event) {
            case RentalEvent.MachineStarted e -> toldMachine(end());
            case RentalEvent.EndMoved e -> toldMachine(e.end());
            // A deposit that is taken back while the session is not over takes the session's end back with it.
            case OfLeg.Settled e when mayEnter -> after(e).dropFrom(e.leg());
            default -> OfLeg.of(event).map(this::after).orElse(this);
        };
    }

    Legs after(OfLeg event) {
        var legs = new ArrayList<>(all);
        if (event instanceof OfLeg.Held held) {
            legs.add(Leg.held(held));
        } else {
            legs.set(event.leg(), all.get(event.leg()).after(event));
        }
        return new Legs(legs, toldMachine);
    }

    /** A leg whose deposit went back before its time takes those after it along. */
    private Legs dropFrom(int number) {
        return new Legs(
                all.stream()
                        .map(leg -> leg.number() < number ? leg : leg.drop())
                        .toList(),
                toldMachine);
    }

    private Legs toldMachine(Instant end) {
        return new Legs(all, end);
    }

    /** What a rental holds after an event that led to these legs. */
    Holdings holdings(Holdings before, RentalEvent event, Duration turnover) {
        return switch (event) {
            case OfLeg.Held e -> before.with(all.get(e.leg()), turnover);
            case OfLeg.Lapsed e -> free(before, e.leg(), turnover);
            case OfLeg.Settled e -> free(before, e.leg(), turnover);
            case RentalEvent.Settled e -> before.withoutLane(first().lane());
            default -> before;
        };
    }

    private Holdings free(Holdings before, int number, Duration turnover) {
        Holdings then = before.withoutLane(all.get(number).lane());
        for (Leg leg : all.subList(1, all.size())) {
            if (leg.number() == number || leg.isDropped()) {
                then = then.without(leg, turnover);
            }
        }
        return then;
    }
}
