package org.computehive.rental;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.schedule.Booking;
import org.computehive.schedule.CalendarMessage;

/** Sends the parties their calendar messages (iTIP, RFC 5546): one event in UTC, a stable UID, a rising sequence. */
final class Invitations {
    private static final Duration ALARM = Duration.ofMinutes(10);

    private final Notifier notifier;

    Invitations(Notifier notifier) {
        this.notifier = notifier;
    }

    RentalEvent.Invited send(Rental rental, Instant now) {
        String method = rental.state() == RentalState.FUNDED ? "REQUEST" : "CANCEL";
        // A cancellation of what was never sent still comes after an invitation, which has the sequence 0.
        int sequence = Math.max(rental.lastInvitation() + 1, method.equals("CANCEL") ? 1 : 0);
        for (Account recipient : List.of(rental.terms().renter(), rental.terms().lender())) {
            String text = write(rental, recipient, method, sequence, now);
            notifier.deliver(new Notifier.Notice(rental.id(), recipient, method, sequence, text));
        }
        return new RentalEvent.Invited(now, method, sequence);
    }

    private static String write(Rental rental, Account recipient, String method, int sequence, Instant now) {
        RentalTerms terms = rental.terms();
        var booking = new Booking(
                rental.id() + "@computehive",
                terms.window(),
                address(terms.lender()),
                List.of(address(terms.renter()), address(terms.lender())),
                "GPU rental " + terms.listing() + (terms.emulated() ? " (emulated device)" : ""),
                """
                Rental %s
                Host %s, listing %s
                %s at %s, deposit %s
                You are the %s.""".formatted(
                                rental.id(),
                                terms.host(),
                                terms.listing(),
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
