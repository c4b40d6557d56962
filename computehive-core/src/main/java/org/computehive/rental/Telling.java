package org.computehive.rental;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.computehive.rental.RentalEvent.Invited;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.Window;

/** What the parties' calendars are to show of a rental, what they were told, and which message is due. */
final class Telling {
    private Telling() {}

    /** What the last calendar message told. */
    static Optional<Told> told(Rental rental) {
        return rental.find(Invited.class).map(sent -> sent.told().orElseGet(() -> Told.of(rental.terms())));
    }

    /** What is to be shown; empty if the window has nothing to show. */
    static Optional<Told> toTell(Rental rental) {
        Window window = rental.window();
        if (rental.calledOffBy().isPresent() || Endings.neverTookPlace(rental)) {
            return Optional.empty();
        }
        Instant end = rental.endedAt()
                .map(at -> at.truncatedTo(ChronoUnit.SECONDS))
                .filter(rental.sessionEnd()::isAfter)
                .orElse(rental.sessionEnd());
        return end.isAfter(window.start())
                ? Optional.of(
                        new Told(new Window(window.start(), end), rental.terms().listing(), rental.host()))
                : Optional.empty();
    }

    /** What is to be shown, or for a rental that is off what was shown last. */
    static Told shown(Rental rental) {
        return toTell(rental).or(() -> told(rental)).orElseGet(() -> Told.of(rental.terms()));
    }

    /** When the parties were told last; when it was reserved, if never. */
    static Instant toldAt(Rental rental) {
        return rental.find(Invited.class).map(Invited::at).orElse(rental.reservedAt());
    }

    /** The message that is due because the parties know nothing yet, or what no longer holds. */
    static Optional<CalendarMessage.Method> due(Rental rental) {
        boolean concerns = rental.funded()
                && switch (rental.state()) {
                    case FUNDED, STARTING, ACTIVE, CANCELLED, ENDED, SETTLED -> true;
                    case RESERVED, EXPIRED, ENDING, FAILED, DISPUTED -> false;
                };
        boolean cancelled = rental.find(Invited.class)
                .filter(sent -> sent.method().equals(CalendarMessage.Method.CANCEL.name()))
                .isPresent();
        Optional<Told> current = toTell(rental);
        boolean known = current.equals(told(rental))
                && rental.runs().movesTold() == rental.runs().moves();
        if (!concerns || (current.isEmpty() ? cancelled : !cancelled && known)) {
            return Optional.empty();
        }
        return Optional.of(current.isEmpty() ? CalendarMessage.Method.CANCEL : CalendarMessage.Method.REQUEST);
    }
}
