package org.computehive.rental;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.computehive.market.Account;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.Alarm;
import org.computehive.schedule.Booking;
import org.computehive.schedule.CalendarFeed;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.CalendarUser;

/**
 * How a rental looks in its parties' calendars: the same uid for its whole life, one event in UTC.
 *
 * <p>The organizer is the platform, not the lender: only an organizer may send requests and cancellations (RFC 5546
 * section 1.4), and it is the platform that sends them, to the lender too. Renter and lender take part; both have agreed by
 * signing, so nobody is asked to reply.
 *
 * <p>Immutable and thread-safe, if the directory of users is.
 */
public final class RentalCalendar {
    private static final Duration BEFORE_END = Duration.ofMinutes(10);
    private static final DateTimeFormatter UTC =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss 'UTC'").withZone(ZoneOffset.UTC);

    private final CalendarUser organizer;
    private final Function<Account, Optional<CalendarUser>> users;

    /** Creates one whose organizer is {@code urn:computehive:platform} and whose parties are named by their accounts. */
    public RentalCalendar() {
        this(new CalendarUser(URI.create("urn:computehive:platform"), "ComputeHive"), account -> Optional.empty());
    }

    /**
     * Creates one for a platform with a name of its own.
     *
     * @param organizer the platform
     * @param users who the parties are; one that is not known is named by its account. Both parties see these
     */
    public RentalCalendar(CalendarUser organizer, Function<Account, Optional<CalendarUser>> users) {
        this.organizer = organizer;
        this.users = users;
    }

    /**
     * Returns the message to a party that is {@link Rental#invitationDue due}.
     *
     * @param rental the rental
     * @param recipient its renter or lender
     * @param now when the message is made
     * @return empty if none is due
     */
    public Optional<CalendarMessage> message(Rental rental, Account recipient, Instant now) {
        return rental.invitationDue()
                .map(method -> new CalendarMessage(
                        method,
                        booking(rental, recipient, changes(rental, method)),
                        nextSequence(rental, method),
                        now.truncatedTo(ChronoUnit.SECONDS)));
    }

    private static int nextSequence(Rental rental, CalendarMessage.Method method) {
        // A cancellation of what was never sent still comes after an invitation, which has the sequence 0.
        return Math.max(rental.lastInvitation() + 1, method == CalendarMessage.Method.CANCEL ? 1 : 0);
    }

    /**
     * Returns what a party's feed shows of a rental as it is now; empty if its deposit was never locked.
     *
     * @param rental the rental
     * @param party its renter or lender
     */
    public Optional<CalendarFeed.Entry> entry(Rental rental, Account party) {
        if (!rental.funded()) {
            return Optional.empty();
        }
        int sequence = rental.invitationDue()
                .map(method -> nextSequence(rental, method))
                .orElse(Math.max(rental.lastInvitation(), 0));
        return Optional.of(new CalendarFeed.Entry(
                booking(rental, party, List.of()),
                sequence,
                Telling.toldAt(rental).truncatedTo(ChronoUnit.SECONDS),
                rental.toTell().isEmpty()));
    }

    /** Returns who an account is in calendars. */
    public CalendarUser user(Account account, String role) {
        String address = account.address();
        return users.apply(account)
                .orElseGet(() -> new CalendarUser(
                        URI.create("urn:computehive:account:" + address),
                        "%s %s…%s".formatted(role, address.substring(0, 6), address.substring(address.length() - 4))));
    }

    private Booking booking(Rental rental, Account party, List<String> changes) {
        RentalTerms terms = rental.terms();
        Told told = Telling.shown(rental);
        String summary = "GPU rental " + told.listing() + (terms.emulated() ? " (emulated device)" : "");
        var lines = new ArrayList<>(changes);
        lines.add("Rental " + rental.id());
        lines.add("Host %s, listing %s".formatted(told.host(), told.listing()));
        lines.add("%s at %s: at most %s"
                .formatted(
                        told.window().length(),
                        terms.rate().inTokensPerHour(terms.token()),
                        terms.rate().cost(told.window().length()).inTokens(terms.token())));
        lines.add("You are the " + (party.equals(terms.renter()) ? "renter." : "lender."));
        return new Booking(
                rental.id() + "@computehive",
                told.window(),
                organizer,
                List.of(user(terms.renter(), "Renter"), user(terms.lender(), "Lender")),
                summary,
                String.join("\n", lines),
                alarms(summary, told.window().length()),
                Optional.empty(),
                rental.reservedAt().truncatedTo(ChronoUnit.SECONDS));
    }

    private static List<Alarm> alarms(String summary, Duration length) {
        var starts = new Alarm(Alarm.End.START, Duration.ZERO, summary + " begins");
        return length.compareTo(BEFORE_END) > 0
                ? List.of(starts, new Alarm(Alarm.End.END, BEFORE_END, summary + " ends in 10 minutes"))
                : List.of(starts);
    }

    /** Says in words what a party that knows the message before does not know yet. */
    private static List<String> changes(Rental rental, CalendarMessage.Method method) {
        if (method == CalendarMessage.Method.CANCEL) {
            return List.of(whyCancelled(rental));
        }
        var lines = new ArrayList<>(rental.told()
                .map(old -> differences(old, Telling.shown(rental)))
                .orElse(List.of()));
        if (rental.runs().isNewsOfAFreshMachine()) {
            lines.add("Interrupted: it goes on with a fresh machine, and what was on its disk is gone.");
        }
        if (rental.reclaimedAt().isPresent()) {
            lines.add("The lender takes its gpus back then; only the time used is paid.");
        }
        return lines;
    }

    private static List<String> differences(Told old, Told now) {
        var lines = new ArrayList<String>();
        if (!now.window().start().equals(old.window().start())) {
            lines.add("Changed: it starts at %s instead of %s."
                    .formatted(
                            UTC.format(now.window().start()),
                            UTC.format(old.window().start())));
        }
        Instant end = now.window().end();
        Instant oldEnd = old.window().end();
        if (!end.equals(oldEnd)) {
            lines.add((end.isAfter(oldEnd)
                            ? "Extended: it ends at %s instead of %s."
                            : "Shortened: it ends at %s instead of %s.")
                    .formatted(UTC.format(end), UTC.format(oldEnd)));
        }
        if (!now.host().equals(old.host())) {
            lines.add("Moved: it runs on host %s instead of %s.".formatted(now.host(), old.host()));
        }
        if (!now.listing().equals(old.listing())) {
            lines.add("Changed: it is listing %s instead of %s.".formatted(now.listing(), old.listing()));
        }
        return lines;
    }

    /** Names who, but no detail: a calendar may lie on somebody else's server. */
    private static String whyCancelled(Rental rental) {
        if (rental.reclaimedAt().isPresent() && rental.usable().isEmpty()) {
            return "Cancelled: the lender took its gpus back.";
        }
        return rental.fault()
                .map(fault -> switch (fault.blame()) {
                    case LENDER -> "Cancelled: it failed, and the lender answers for it.";
                    case RENTER -> "Cancelled: it failed, and the renter answers for it.";
                    case PLATFORM -> "Cancelled: it failed, and the platform answers for it.";
                    case NOBODY -> "Cancelled: it failed, and nobody is at fault.";
                })
                .orElseGet(() -> rental.calledOffBy()
                        .map(by -> by.equals(rental.terms().renter())
                                ? "Cancelled: the renter called it off."
                                : "Cancelled: the lender called it off.")
                        .orElse("Cancelled: it was ended before it began."));
    }
}
