package org.computehive.rental;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.AccessCut;
import org.computehive.rental.RentalEvent.DiskErased;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.EndedByOperator;
import org.computehive.rental.RentalEvent.Ending;
import org.computehive.rental.RentalEvent.MachineDestroyed;
import org.computehive.rental.RentalEvent.MachineStarted;
import org.computehive.rental.RentalEvent.Placed;
import org.computehive.rental.RentalEvent.Reserved;
import org.computehive.rental.RentalEvent.StartFailed;
import org.computehive.rental.RentalEvent.TurnedOver;

/**
 * The latest event of each kind that still counts: all that later decisions look at. Immutable.
 *
 * @param byKind the events
 */
record LatestEvents(Map<Class<? extends RentalEvent>, RentalEvent> byKind) {
    /** What is true of one place alone. */
    private static final Set<Class<? extends RentalEvent>> OF_A_PLACE =
            Set.of(MachineStarted.class, AccessCut.class, MachineDestroyed.class, DiskErased.class, TurnedOver.class);

    LatestEvents {
        byKind = Map.copyOf(byKind);
    }

    static LatestEvents of(Reserved first) {
        return new LatestEvents(Map.of(Reserved.class, first));
    }

    LatestEvents after(RentalEvent event) {
        var known = new HashMap<>(byKind);
        known.put(event.getClass(), event);
        if (event instanceof Placed) {
            known.keySet().removeAll(OF_A_PLACE);
        } else if (event instanceof Ending || event instanceof EndedByOperator || event instanceof StartFailed) {
            // Access that was only withdrawn from a place is now to be cut for good.
            known.remove(AccessCut.class);
        }
        if (event instanceof EndedByOperator ended) {
            known.put(Ending.class, new Ending(ended.at(), EndCause.BY_OPERATOR));
        }
        return new LatestEvents(known);
    }

    <E extends RentalEvent> Optional<E> find(Class<E> kind) {
        return Optional.ofNullable(byKind.get(kind)).map(kind::cast);
    }

    boolean has(Class<? extends RentalEvent> kind) {
        return byKind.containsKey(kind);
    }

    /**
     * Returns what is to be taken down next at a place that is being left; empty once all that can be was.
     *
     * @param hostLost whether nothing but access can be taken down now
     */
    Optional<Step> nextTeardown(boolean hostLost) {
        if (!has(AccessCut.class)) {
            return Optional.of(Step.CUT_ACCESS);
        }
        if (hostLost || has(TurnedOver.class)) {
            return Optional.empty();
        }
        if (!has(MachineDestroyed.class)) {
            return Optional.of(Step.DESTROY);
        }
        return Optional.of(has(DiskErased.class) ? Step.TURN_OVER : Step.ERASE);
    }
}
