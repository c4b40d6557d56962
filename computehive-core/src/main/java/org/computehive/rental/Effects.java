package org.computehive.rental;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done outside for a rental as it stands. A step is carried out because it is among these, never because a
 * timer was set once.
 */
final class Effects {
    private final Rental rental;
    private final RentalPolicy policy;

    Effects(Rental rental, RentalPolicy policy) {
        this.rental = rental;
        this.policy = policy;
    }

    /** Returns them all; the same until an event changes the rental. */
    List<RentalEffect> all() {
        Stream<RentalEffect> beside = rental.runs().left().isEmpty() ? Stream.empty() : Stream.of(atOnce(Step.SWEEP));
        return Stream.concat(ofState().stream(), beside).toList();
    }

    private List<RentalEffect> ofState() {
        Window window = rental.window();
        return switch (rental.state()) {
            case RESERVED -> List.of(atOnce(rental.offer().isEmpty() ? Step.WRITE_OFFER : Step.WATCH_FUNDING));
            case FUNDED ->
                Stream.of(
                                rental.invitationDue().isEmpty() ? null : atOnce(Step.NOTIFY),
                                new RentalEffect(Step.START, window.start().minus(policy.lead())),
                                extensionStep(),
                                atOnce(Step.WATCH_ESCROW))
                        .filter(Objects::nonNull)
                        .toList();
            // A calendar that is slow must not hold up what has its time: it comes after.
            case STARTING -> thenNotify(toStart());
            case ACTIVE ->
                thenNotify(Stream.of(
                                end(),
                                Dues.noShowDue(rental)
                                        .map(due -> new RentalEffect(Step.END_NO_SHOW, due))
                                        .orElse(null),
                                rental.allLegs().toldMachine().equals(window.end()) ? null : atOnce(Step.MOVE_END),
                                extensionStep(),
                                atOnce(Step.WATCH_ESCROW))
                        .filter(Objects::nonNull)
                        .toArray(RentalEffect[]::new));
            case ENDING, FAILED -> List.of(atOnce(rental.nextTeardown().orElseThrow()));
            case CANCELLED -> rental.funded() ? notifyThenSettle() : List.of();
            case ENDED -> notifyThenSettle();
            case SETTLED -> thenNotify();
            case DISPUTED -> notifyThenSettle();
            case EXPIRED -> List.of();
        };
    }

    private @Nullable RentalEffect extensionStep() {
        return rental.pendingExtension()
                .map(leg -> atOnce(leg.offer().isEmpty() ? Step.WRITE_EXTENSION : Step.WATCH_EXTENSION))
                .orElse(null);
    }

    private RentalEffect[] toStart() {
        if (rental.isLeaving()) {
            return new RentalEffect[] {atOnce(rental.nextTeardown().orElse(Step.PLACE)), end()};
        }
        RentalEffect next = rental.machine().isEmpty()
                ? atOnce(Step.BOOT)
                : new RentalEffect(Step.PROVE, rental.terms().window().start());
        return Stream.of(rental.reclaimedAt().isPresent() ? end() : null, next, extensionStep())
                .filter(Objects::nonNull)
                .toArray(RentalEffect[]::new);
    }

    private RentalEffect end() {
        return rental.neverBegins(rental.sessionEnd())
                ? atOnce(Step.END)
                : new RentalEffect(Step.END, rental.sessionEnd());
    }

    private List<RentalEffect> thenNotify(RentalEffect... first) {
        var all = new ArrayList<>(List.of(first));
        rental.invitationDue().ifPresent(method -> all.add(atOnce(Step.NOTIFY)));
        return List.copyOf(all);
    }

    private List<RentalEffect> notifyThenSettle() {
        return rental.invitationDue().isPresent()
                ? List.of(atOnce(Step.NOTIFY), atOnce(Step.SETTLE))
                : List.of(atOnce(Step.SETTLE));
    }

    private static RentalEffect atOnce(Step step) {
        return new RentalEffect(step, Instant.EPOCH);
    }
}
