package org.computehive.schedule;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.fortuna.ical4j.model.property.Status;
import net.fortuna.ical4j.model.property.immutable.ImmutableMethod;
import net.fortuna.ical4j.model.property.immutable.ImmutableStatus;
import org.computehive.schedule.CalendarText.Attendance;

/**
 * The invitation to a rental, its update or its cancellation: one event in UTC.
 *
 * <p>A newer message replaces an older one of the same uid by its sequence, which the caller raises with each message; the
 * same uid and sequence again change nothing. An update is a request with a higher sequence (RFC 5546 section 3.2.2.1).
 *
 * <p>No text can break out of its line: lines end with CRLF, are folded at 75 octets, and control characters are refused.
 * Neither a time zone database nor the network is used. Immutable and thread-safe.
 *
 * @param method what it asks
 * @param booking what is, or was, booked
 * @param sequence 0 for the first message, higher for each later one; at least 1 for a cancellation
 * @param stamp when the message is made, in whole seconds
 */
public record CalendarMessage(Method method, Booking booking, int sequence, Instant stamp) {

    /** What a message asks of its recipient's calendar (RFC 5546). */
    public enum Method {
        /** To show the booking, in place of what it showed before. */
        REQUEST,
        /** To show it no longer. */
        CANCEL
    }

    /**
     * Checks form and limits.
     *
     * @throws IllegalArgumentException if the sequence is too low or the stamp is not in whole seconds
     */
    public CalendarMessage {
        CalendarText.checkSequence(sequence);
        if (method == Method.CANCEL && sequence < 1) {
            throw new IllegalArgumentException(
                    "sequence %d of a cancellation must be higher than the invitation's, at least 1"
                            .formatted(sequence));
        }
        CalendarText.checkInstant("stamp", stamp);
    }

    /** Returns an invitation, or its update. */
    public static CalendarMessage request(Booking booking, int sequence, Instant stamp) {
        return new CalendarMessage(Method.REQUEST, booking, sequence, stamp);
    }

    /** Returns the cancellation of an invitation. */
    public static CalendarMessage cancel(Booking booking, int sequence, Instant stamp) {
        return new CalendarMessage(Method.CANCEL, booking, sequence, stamp);
    }

    /** Returns it as iTIP text (RFC 5545, RFC 5546), to be sent to those who take part. */
    public String text() {
        return CalendarText.of(
                Optional.of(method == Method.REQUEST ? ImmutableMethod.REQUEST : ImmutableMethod.CANCEL),
                List.of(),
                List.of(CalendarText.event(booking, sequence, stamp, stamp, status(), Attendance.INVITED)));
    }

    /**
     * Returns it as the body of an object on a CalDAV server: without a method, as RFC 4791 section 4.1 wants, and asking
     * the server not to send messages of its own to those who take part (RFC 6638 section 7.1).
     */
    public String storedText() {
        return CalendarText.of(
                Optional.empty(),
                List.of(),
                List.of(CalendarText.event(booking, sequence, stamp, stamp, status(), Attendance.STORED)));
    }

    private Status status() {
        return method == Method.REQUEST ? ImmutableStatus.VEVENT_CONFIRMED : ImmutableStatus.VEVENT_CANCELLED;
    }
}
