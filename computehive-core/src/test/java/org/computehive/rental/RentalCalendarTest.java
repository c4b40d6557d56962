package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.rental.Notifier.Notice;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.Alarm;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.CalendarMessage.Method;
import org.computehive.schedule.CalendarUser;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

class RentalCalendarTest {
    private static final Instant NOW = Sample.NOW.plusMillis(700);
    private static final Window WINDOW = Sample.WINDOW;
    private final RentalCalendar calendar = new RentalCalendar();

    private CalendarMessage message(Rental rental) {
        return calendar.message(rental, Sample.RENTER, NOW).orElseThrow();
    }

    private static Rental told(Rental rental, Told told) {
        return rental.after(
                new RentalEvent.Invited(Sample.NOW, "REQUEST", rental.lastInvitation() + 1, Optional.of(told)));
    }

    @Test
    void invitation_isThePlatforms_toBothParties() {
        Rental rental = Sample.funded();
        CalendarMessage message = message(rental);
        assertEquals(Method.REQUEST, message.method());
        assertEquals(0, message.sequence());
        assertEquals(Sample.NOW, message.stamp());
        assertEquals(rental.id() + "@computehive", message.booking().uid());
        assertEquals(WINDOW, message.booking().window());
        assertEquals(
                URI.create("urn:computehive:platform"),
                message.booking().organizer().address());
        assertEquals(
                List.of("Renter 0x0000…00bb", "Lender 0x0000…00aa"),
                message.booking().attendees().stream().map(CalendarUser::name).toList());
        assertEquals(
                List.of(Duration.ZERO, Duration.ofMinutes(10)),
                message.booking().alarms().stream().map(Alarm::before).toList());
        assertTrue(message.booking().description().endsWith("You are the renter."));
        assertTrue(calendar.message(rental, Sample.LENDER, NOW)
                .orElseThrow()
                .booking()
                .description()
                .endsWith("You are the lender."));
    }

    @Test
    void parties_areNamedByTheDirectory() {
        var known = new CalendarUser(URI.create("mailto:renter@example.org"), "R. Enter");
        var platform = new CalendarUser(URI.create("mailto:rentals@platform.example"), "The platform");
        var own = new RentalCalendar(
                platform, account -> account.equals(Sample.RENTER) ? Optional.of(known) : Optional.empty());
        CalendarMessage message =
                own.message(Sample.funded(), Sample.RENTER, NOW).orElseThrow();
        assertEquals(platform, message.booking().organizer());
        assertEquals(known, message.booking().attendees().getFirst());
        assertEquals(
                "Lender 0x0000…00aa", message.booking().attendees().getLast().name());
    }

    @Test
    void update_saysInWordsWhatChanged_underTheSameUid() {
        Told now = Told.of(Sample.terms());
        Rental invited = told(Sample.active(), now);
        assertEquals(Optional.empty(), calendar.message(invited, Sample.RENTER, NOW));

        Told before = new Told(
                new Window(WINDOW.start(), WINDOW.end().minusSeconds(600)),
                new ListingId("old-listing"),
                new HostId("old-host"));
        CalendarMessage update = message(told(invited, before));
        assertEquals(Method.REQUEST, update.method());
        assertEquals(3, update.sequence());
        String text = update.booking().description();
        assertTrue(
                text.startsWith("Extended: it ends at 2026-11-22 13:10:00 UTC instead of 2026-11-22 13:00:00 UTC.\n"),
                text);
        assertTrue(text.contains("Moved: it runs on host host-1 instead of old-host.\n"), text);
        assertTrue(text.contains("Changed: it is listing listing-1 instead of old-listing.\n"), text);
    }

    @Test
    void sessionEndedEarly_isShortened() {
        Instant at = WINDOW.start().plusSeconds(60);
        Rental ended = Sample.tornDown(Sample.active().after(new RentalEvent.Ending(at, EndCause.BY_RENTER)), at);
        CalendarMessage update = message(ended);
        assertEquals(at, update.booking().window().end());
        assertTrue(update.booking().description().startsWith("Shortened: it ends at 2026-11-22 12:11:00 UTC"));
        // Too short for an alarm ten minutes before its end.
        assertEquals(1, update.booking().alarms().size());
    }

    @Test
    void cancellation_saysWhose_andNoDetailOfTheFault() {
        Rental byRenter = Sample.funded().after(new RentalEvent.Cancelled(Sample.NOW, Sample.RENTER));
        assertEquals(Method.CANCEL, message(byRenter).method());
        assertEquals(1, message(byRenter).sequence());
        assertTrue(message(byRenter).booking().description().startsWith("Cancelled: the renter called it off."));
        Rental byLender = Sample.funded().after(new RentalEvent.ReleaseSigned(Sample.NOW, Sample.SIGNATURE));
        assertTrue(message(byLender).booking().description().startsWith("Cancelled: the lender called it off."));
        Rental failed = Sample.tornDown(
                Sample.starting()
                        .after(new RentalEvent.StartFailed(
                                Sample.NOW, new Fault(Fault.Blame.LENDER, "10.0.0.7:\r\nno\0disk"))),
                Sample.NOW);
        String text = message(failed).booking().description();
        assertTrue(text.startsWith("Cancelled: it failed, and the lender answers for it."), text);
        assertFalse(text.contains("10.0.0.7"), text);
    }

    @Test
    void entry_ofAFeed_isWhatTheMessagesSay() {
        assertEquals(Optional.empty(), calendar.entry(Sample.signed(), Sample.RENTER));
        Rental invited = told(told(Sample.funded(), Told.of(Sample.terms())), Told.of(Sample.terms()));
        var entry = calendar.entry(invited, Sample.RENTER).orElseThrow();
        assertEquals(1, entry.sequence());
        assertFalse(entry.cancelled());
        assertEquals(WINDOW, entry.booking().window());
        var cancelled = calendar.entry(
                        invited.after(new RentalEvent.Cancelled(Sample.NOW, Sample.RENTER)), Sample.LENDER)
                .orElseThrow();
        assertTrue(cancelled.cancelled());
        assertEquals(2, cancelled.sequence());
    }

    @Test
    void recipientThatFails_keepsTheOtherNeitherFromItsMessageNorSendsItTwice() {
        var delivered = new ArrayList<Notice>();
        var down = new ArrayList<Account>(List.of(Sample.RENTER));
        var invitations = new Invitations(
                notice -> {
                    if (down.contains(notice.recipient())) {
                        throw new IllegalStateException(notice.recipient() + " is down");
                    }
                    delivered.add(notice);
                },
                calendar);
        Rental rental = Sample.funded();
        for (int i = 0; i < 3; i++) {
            assertThrows(IllegalStateException.class, () -> invitations.send(rental, NOW));
        }
        assertEquals(List.of(Sample.LENDER), recipients(delivered));
        down.clear();
        RentalEvent.Invited invited = invitations.send(rental, NOW);
        assertEquals(List.of(Sample.LENDER, Sample.RENTER), recipients(delivered));
        assertEquals(0, invited.sequence());
        assertEquals(rental.toTell(), invited.told());
        // Another event came first, so that it could not be recorded.
        assertEquals(invited, invitations.send(rental, NOW));
        assertEquals(2, delivered.size());
    }

    @Test
    void rentalThatChangesWhileARecipientIsDown_isToldAgainToTheOther() {
        var delivered = new ArrayList<Notice>();
        var down = new ArrayList<Account>(List.of(Sample.LENDER));
        var invitations = new Invitations(
                notice -> {
                    if (down.contains(notice.recipient())) {
                        throw new IllegalStateException("down");
                    }
                    delivered.add(notice);
                },
                calendar);
        Rental rental = Sample.funded();
        assertThrows(IllegalStateException.class, () -> invitations.send(rental, NOW));
        Rental cancelled = rental.after(new RentalEvent.Cancelled(Sample.NOW, Sample.RENTER));
        assertThrows(IllegalStateException.class, () -> invitations.send(cancelled, NOW));
        down.clear();
        invitations.send(cancelled, NOW);
        assertEquals(List.of(Sample.RENTER, Sample.RENTER, Sample.LENDER), recipients(delivered));
        assertEquals(
                List.of(Method.REQUEST, Method.CANCEL, Method.CANCEL),
                delivered.stream().map(Notice::method).toList());
    }

    private static List<Account> recipients(List<Notice> notices) {
        return notices.stream().map(Notice::recipient).toList();
    }
}
