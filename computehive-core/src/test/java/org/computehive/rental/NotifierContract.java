package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.computehive.market.Account;
import org.computehive.rental.Notifier.Notice;
import org.computehive.schedule.Alarm;
import org.computehive.schedule.Booking;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.CalendarUser;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every {@link Notifier} promises. A test class per implementation extends it. */
@Timeout(120)
public abstract class NotifierContract {
    protected static final Instant NOON = Instant.parse("2027-03-01T12:00:00Z");
    protected static final Account RENTER = new Account("0x" + "ab".repeat(20));
    protected static final Account LENDER = new Account("0x" + "ab".repeat(19) + "ac");

    /** Returns the notifier, which can reach both parties. */
    protected abstract Notifier notifier();

    /** Returns, as iCalendar text, all that a party's calendar has about a rental. */
    protected abstract List<String> shown(Account party, RentalId rental) throws Exception;

    /** Returns a request whose summary names a version. */
    protected static Notice request(RentalId rental, Account recipient, int sequence, String version) {
        return new Notice(
                rental,
                recipient,
                CalendarMessage.request(booking(rental, version), sequence, NOON.plusSeconds(sequence)));
    }

    /** Returns a cancellation. */
    protected static Notice cancel(RentalId rental, Account recipient, int sequence) {
        return new Notice(
                rental,
                recipient,
                CalendarMessage.cancel(booking(rental, "cancelled"), sequence, NOON.plusSeconds(sequence)));
    }

    private static Booking booking(RentalId rental, String version) {
        var platform = new CalendarUser(URI.create("urn:computehive:platform"), "ComputeHive");
        return new Booking(
                rental + "@computehive",
                Window.of(NOON, Duration.ofHours(2)),
                platform,
                List.of(new CalendarUser(URI.create("mailto:renter@example.org"), "Renter, the „first“")),
                "GPU rental " + version,
                "Zwölf GPUs; 50 %, \\ 🐝\nBEGIN:VEVENT",
                List.of(new Alarm(Alarm.End.END, Duration.ofMinutes(10), "ends soon")),
                Optional.empty(),
                NOON.minusSeconds(60));
    }

    private String only(Account party, RentalId rental) throws Exception {
        List<String> shown = shown(party, rental);
        assertEquals(1, shown.size(), shown.toString());
        return shown.getFirst();
    }

    @Test
    void notice_reachesItsRecipientAlone() throws Exception {
        RentalId rental = RentalId.random();
        notifier().deliver(request(rental, RENTER, 0, "v0"));
        String text = only(RENTER, rental);
        assertTrue(text.contains("UID:" + rental + "@computehive\r\n"), text);
        assertTrue(text.contains("SUMMARY:GPU rental v0\r\n"), text);
        assertEquals(List.of(), shown(LENDER, rental));
    }

    @Test
    void notice_deliveredAgain_changesNothing() throws Exception {
        RentalId rental = RentalId.random();
        notifier().deliver(request(rental, RENTER, 0, "v0"));
        String once = only(RENTER, rental);
        notifier().deliver(request(rental, RENTER, 0, "v0"));
        assertEquals(once, only(RENTER, rental));
    }

    @Test
    void notice_ofAHigherSequence_replacesTheOneBefore() throws Exception {
        RentalId rental = RentalId.random();
        notifier().deliver(request(rental, RENTER, 0, "v0"));
        notifier().deliver(request(rental, RENTER, 1, "v1"));
        String text = only(RENTER, rental);
        assertTrue(text.contains("SUMMARY:GPU rental v1\r\n"), text);
        assertTrue(text.contains("SEQUENCE:1\r\n"), text);
    }

    @Test
    void notice_thatIsOlder_doesNotComeBack() throws Exception {
        RentalId rental = RentalId.random();
        notifier().deliver(request(rental, RENTER, 0, "v0"));
        notifier().deliver(request(rental, RENTER, 2, "v2"));
        notifier().deliver(request(rental, RENTER, 1, "v1"));
        assertTrue(only(RENTER, rental).contains("SUMMARY:GPU rental v2\r\n"));
    }

    @Test
    void cancellation_leavesNothingConfirmed() throws Exception {
        RentalId rental = RentalId.random();
        notifier().deliver(request(rental, RENTER, 0, "v0"));
        notifier().deliver(cancel(rental, RENTER, 1));
        notifier().deliver(cancel(rental, RENTER, 1));
        assertTrue(
                shown(RENTER, rental).stream().allMatch(text -> text.contains("STATUS:CANCELLED\r\n")),
                shown(RENTER, rental).toString());
    }

    @Test
    void cancellation_ofWhatWasNeverDelivered_isTaken() throws Exception {
        RentalId rental = RentalId.random();
        notifier().deliver(cancel(rental, RENTER, 1));
        assertTrue(shown(RENTER, rental).stream().allMatch(text -> text.contains("STATUS:CANCELLED\r\n")));
    }

    @Test
    void notices_ofManyThreads_leaveOneEntryForEach() throws Exception {
        List<RentalId> rentals =
                IntStream.range(0, 4).mapToObj(i -> RentalId.random()).toList();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var work = rentals.stream()
                    .flatMap(rental -> IntStream.range(0, 4).mapToObj(i -> (Callable<Void>) () -> {
                        notifier().deliver(request(rental, i % 2 == 0 ? RENTER : LENDER, 0, "v0"));
                        return null;
                    }))
                    .toList();
            for (var done : threads.invokeAll(work)) {
                done.get();
            }
        }
        for (RentalId rental : rentals) {
            assertTrue(only(RENTER, rental).contains("SUMMARY:GPU rental v0\r\n"));
            assertTrue(only(LENDER, rental).contains("SUMMARY:GPU rental v0\r\n"));
        }
    }
}
