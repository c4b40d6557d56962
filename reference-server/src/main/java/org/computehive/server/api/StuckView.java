package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.computehive.rental.Rental;

/** A rental with steps that failed for too long, for an operator. */
@Schema(name = "StuckRental")
record StuckView(String rental, long version, String state, String host, List<StepView> steps) {
    static StuckView of(Rental rental) {
        return new StuckView(
                rental.id().value(),
                rental.version(),
                rental.state().name(),
                rental.host().value(),
                rental.stuck().values().stream()
                        .map(stuck -> new StepView(stuck.step().name(), stuck.at(), stuck.why()))
                        .sorted(Comparator.comparing(StepView::since).thenComparing(StepView::step))
                        .toList());
    }

    /** One such step. */
    @Schema(name = "StuckStep")
    record StepView(String step, Instant since, String why) {}
}
