package org.computehive.rental;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.Stuck;

/**
 * Which steps of a rental don't succeed.
 *
 * @param since when the rental last got on: what is tried now has failed since then at the most
 * @param stuck the steps that failed for longer than the policy allows
 */
record Trouble(Instant since, Map<Step, Stuck> stuck) {
    Trouble {
        stuck = Map.copyOf(stuck);
    }

    Trouble after(RentalEvent event) {
        return switch (event) {
            case Stuck e -> {
                var more = new HashMap<>(stuck);
                more.put(e.step(), e);
                yield new Trouble(since, more);
            }
            // What is left is an operator's to look at from the start.
            case RentalEvent.TeardownLeft e ->
                new Trouble(e.at(), Map.of(Step.SWEEP, new Stuck(e.at(), Step.SWEEP, e.why())));
            case RentalEvent.Resumed e -> new Trouble(e.at(), without(e.step()));
            case RentalEvent.Invited e -> new Trouble(since, without(Step.NOTIFY));
            case RentalEvent.Swept e -> new Trouble(since, without(Step.SWEEP));
            case RentalEvent.CertificateIssued e -> this;
            case RentalEvent.CertificatesRevoked e -> this;
            // It got on: what is to be done now is another step, but for those that go on beside it.
            default -> {
                var kept = new HashMap<>(stuck);
                kept.keySet().retainAll(Set.of(Step.NOTIFY, Step.SWEEP));
                yield new Trouble(event.at(), kept);
            }
        };
    }

    private Map<Step, Stuck> without(Step step) {
        var fewer = new HashMap<>(stuck);
        fewer.remove(step);
        return fewer;
    }
}
