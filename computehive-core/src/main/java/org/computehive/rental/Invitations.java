package org.computehive.rental;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.Booking;
import org.computehive.schedule.CalendarMessage;

/** Sends the parties their calendar messages (iTIP, RFC 5546): one event in UTC, a stable UID, a rising sequence. */
final class Invitations {
    private static final Duration ALARM = Duration.ofMinutes(10);

    private final Notifier notifier;

    Invitations(Notifier notifier) {
        this.notifier = notifier;
    }

    /** Sends both parties the message that is {@link Rental#invitationDue due}. */
    RentalEvent.Invited send(Rental rental, Instant now) {
        String method = rental.invitationDue().orElseThrow();
        // A cancellation of what was never sent still comes after an invitation, which has the sequence 0.
        int sequence = Math.max(rental.lastInvitation() + 1, method.equals("CANCEL") ? 1 : 0);
        Told told = rental.toTell().or(rental::told).orElseGet(() -> Told.of(rental.terms()));
        for (Account recipient : List.of(rental.terms().renter(), rental.terms().lender())) {
            String text = write(rental, told, recipient, method, sequence, now);
            notifier.deliver(new Notifier.Notice(rental.id(), recipient, method, sequence, text));
        }
        return new RentalEvent.Invited(now, method, sequence, Optional.of(told));
    }

    private static String write(Rental rental, Told told, Account recipient, String method, int sequence, Instant now) {
        RentalTerms terms = rental.terms();
        var booking = new Booking(
                rental.id() + "@computehive",
                told.window(),
                address(terms.lender()),
                List.of(address(terms.renter()), address(terms.lender())),
                "GPU rental " + told.listing() + (terms.emulated() ? " (emulated device)" : ""),
                """
                Rental %s
                Host %s, listing %s
                %s at %s, deposit %s
                You are the %s.""".formatted(
                                rental.id(),
                                told.host(),
                                told.listing(),
                                terms.window().length(),
                                terms.rate().inTokensPerHour(terms.token()),
                                terms.deposit().inTokens(terms.token()),
                                recipient.equals(terms.renter()) ? "renter" : "lender"),
                ALARM);
        Instant stamp = now.truncatedTo(ChronoUnit.SECONDS);
        return method.equals("REQUEST")
                ? CalendarMessage.request(booking, sequence, stamp)
                : CalendarMessage.cancel(booking, sequence, stamp);
    }

    private static URI address(Account account) {
        return URI.create("urn:computehive:account:" + account);
    }
}
