package org.computehive.rental;

import java.time.Instant;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.computehive.market.Account;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.CalendarMessage;
import org.jspecify.annotations.Nullable;

/**
 * Sends both parties the calendar message that is due. One that can't be reached keeps the other neither from its message
 * nor sends it the same again and again: who got a message is remembered while this process runs. After a crash, or on
 * another replica, the same uid and sequence may come once more, which changes nothing in a calendar.
 *
 * <p>Thread-safe.
 */
final class Invitations {
    private static final int REMEMBERED = 10_000;

    private final Notifier notifier;
    private final RentalCalendar calendar;
    /** Whom the latest message of a rental reached; the rentals that were spoken of last. */
    private final Map<RentalId, Reached> reached = Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<RentalId, Reached> eldest) {
            return size() > REMEMBERED;
        }
    });

    private record Reached(CalendarMessage.Method method, int sequence, Told told, Set<Account> recipients) {
        boolean isFor(CalendarMessage message, Told now) {
            return method == message.method() && sequence == message.sequence() && told.equals(now);
        }
    }

    Invitations(Notifier notifier, RentalCalendar calendar) {
        this.notifier = notifier;
        this.calendar = calendar;
    }

    /**
     * Sends the message that is due to everybody who has not got it.
     *
     * @throws RuntimeException if somebody could not be reached; the others were
     */
    RentalEvent.Invited send(Rental rental, Instant now) {
        Told told = Telling.shown(rental);
        @Nullable RuntimeException failure = null;
        @Nullable CalendarMessage sent = null;
        for (Account recipient : List.of(rental.terms().renter(), rental.terms().lender())) {
            CalendarMessage message = calendar.message(rental, recipient, now).orElseThrow();
            try {
                deliver(new Notifier.Notice(rental.id(), recipient, message), told);
            } catch (RuntimeException e) {
                failure = failure == null ? e : suppressing(failure, e);
            }
            sent = message;
        }
        if (failure != null) {
            throw failure;
        }
        CalendarMessage message = Objects.requireNonNull(sent);
        return new RentalEvent.Invited(now, message.method().name(), message.sequence(), Optional.of(told));
    }

    private void deliver(Notifier.Notice notice, Told told) {
        // Only one thread at a time works on a rental. One that changed since is told again.
        Reached before = reached.get(notice.rental());
        Set<Account> recipients =
                before != null && before.isFor(notice.message(), told) ? before.recipients() : Set.of();
        if (recipients.contains(notice.recipient())) {
            return;
        }
        notifier.deliver(notice);
        var all = new HashSet<>(recipients);
        all.add(notice.recipient());
        reached.put(notice.rental(), new Reached(notice.method(), notice.sequence(), told, Set.copyOf(all)));
    }

    private static RuntimeException suppressing(RuntimeException first, RuntimeException second) {
        if (first != second) {
            first.addSuppressed(second);
        }
        return first;
    }
}
