package org.computehive.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.StringWriter;
import java.time.Instant;
import net.fortuna.ical4j.data.CalendarOutputter;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.ParameterList;
import net.fortuna.ical4j.model.PropertyList;
import net.fortuna.ical4j.model.component.VAlarm;
import net.fortuna.ical4j.model.component.VEvent;
import net.fortuna.ical4j.model.property.Attendee;
import net.fortuna.ical4j.model.property.Description;
import net.fortuna.ical4j.model.property.DtEnd;
import net.fortuna.ical4j.model.property.DtStamp;
import net.fortuna.ical4j.model.property.DtStart;
import net.fortuna.ical4j.model.property.Method;
import net.fortuna.ical4j.model.property.Organizer;
import net.fortuna.ical4j.model.property.ProdId;
import net.fortuna.ical4j.model.property.Sequence;
import net.fortuna.ical4j.model.property.Status;
import net.fortuna.ical4j.model.property.Summary;
import net.fortuna.ical4j.model.property.Uid;
import net.fortuna.ical4j.model.property.immutable.ImmutableAction;
import net.fortuna.ical4j.model.property.immutable.ImmutableCalScale;
import net.fortuna.ical4j.model.property.immutable.ImmutableMethod;
import net.fortuna.ical4j.model.property.immutable.ImmutableStatus;
import net.fortuna.ical4j.model.property.immutable.ImmutableTransp;
import net.fortuna.ical4j.model.property.immutable.ImmutableVersion;
import net.fortuna.ical4j.validate.ValidationException;

/**
 * The invitation to a rental, or its cancellation, as iTIP text (RFC 5545, RFC 5546): one event in UTC.
 *
 * <p>A newer message replaces an older one of the same uid by its sequence, which the caller raises with each message. No
 * text can break out of its line: lines end with CRLF, are folded at 75 octets, and control characters are refused. Neither
 * a time zone database nor the network is used. Stateless.
 */
public final class CalendarMessage {
    private static final int MAX_OCTETS = 75;
    private static final int UNFOLDED = Integer.MAX_VALUE;
    private static final String PRODUCT = "-//ComputeHive//Rentals//EN";
    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant END = Instant.parse("+10000-01-01T00:00:00Z");

    private CalendarMessage() {}

    /**
     * Returns an invitation, or its change.
     *
     * @param booking what is booked
     * @param sequence 0 for the first message, higher for each later one
     * @param stamp when the message is made, in whole seconds
     * @throws IllegalArgumentException if the sequence is negative or the stamp is not in whole seconds
     */
    public static String request(Booking booking, int sequence, Instant stamp) {
        PropertyList alarm = new PropertyList()
                .add(ImmutableAction.DISPLAY)
                .add(new net.fortuna.ical4j.model.property.Trigger(
                        booking.reminder().negated()))
                .add(new Description(booking.summary()));
        VEvent event = event(booking, sequence, stamp, ImmutableStatus.VEVENT_CONFIRMED);
        event.add(new VAlarm(alarm));
        return text(ImmutableMethod.REQUEST, event);
    }

    /**
     * Returns the cancellation of an invitation.
     *
     * @param booking what was booked, under the same uid
     * @param sequence higher than that of every message before
     * @param stamp when the message is made, in whole seconds
     * @throws IllegalArgumentException if the sequence is not positive or the stamp is not in whole seconds
     */
    public static String cancel(Booking booking, int sequence, Instant stamp) {
        if (sequence < 1) {
            throw new IllegalArgumentException(
                    "sequence %d of a cancellation must be higher than the invitation's, at least 1"
                            .formatted(sequence));
        }
        return text(ImmutableMethod.CANCEL, event(booking, sequence, stamp, ImmutableStatus.VEVENT_CANCELLED));
    }

    private static VEvent event(Booking booking, int sequence, Instant stamp, Status status) {
        if (sequence < 0) {
            throw new IllegalArgumentException("sequence %d is negative: begin with 0".formatted(sequence));
        }
        checkInstant("stamp", stamp);
        VEvent event = new VEvent(false);
        event.add(new Uid(booking.uid()));
        event.add(new DtStamp(stamp));
        event.add(new Sequence(sequence));
        event.add(new DtStart<>(booking.window().start()));
        event.add(new DtEnd<>(booking.window().end()));
        event.add(new Organizer(new ParameterList(), booking.organizer()));
        booking.attendees().forEach(attendee -> event.add(new Attendee(new ParameterList(), attendee)));
        event.add(new Summary(booking.summary()));
        event.add(new Description(booking.description()));
        event.add(status);
        event.add(ImmutableTransp.OPAQUE);
        return event;
    }

    static void checkInstant(String what, Instant instant) {
        if (instant.getNano() != 0 || instant.isBefore(FIRST) || !instant.isBefore(END)) {
            throw new IllegalArgumentException(
                    "calendar %s %s must be in whole seconds in the years 0 to 9999".formatted(what, instant));
        }
    }

    private static String text(Method method, VEvent event) {
        Calendar calendar = new Calendar();
        calendar.add(new ProdId(PRODUCT));
        calendar.add(ImmutableVersion.VERSION_2_0);
        calendar.add(ImmutableCalScale.GREGORIAN);
        calendar.add(method);
        calendar.add(event);
        StringWriter out = new StringWriter();
        try {
            calendar.validate();
            new CalendarOutputter(true, UNFOLDED).output(calendar, out);
        } catch (ValidationException | IOException e) {
            throw new IllegalStateException("a checked booking gave an invalid calendar message", e);
        }
        return fold(out.toString());
    }

    /** Folds at octets: the library counts characters, which lets lines of non-ASCII text grow too long. */
    private static String fold(String unfolded) {
        StringBuilder folded = new StringBuilder(unfolded.length() + unfolded.length() / MAX_OCTETS * 3);
        int octets = 0;
        for (int i = 0; i < unfolded.length(); ) {
            int codePoint = unfolded.codePointAt(i);
            String character = Character.toString(codePoint);
            i += character.length();
            if (codePoint == '\r' || codePoint == '\n') {
                octets = 0;
            } else {
                int length = character.getBytes(UTF_8).length;
                if (octets + length > MAX_OCTETS) {
                    folded.append("\r\n ");
                    octets = 1;
                }
                octets += length;
            }
            folded.append(character);
        }
        return folded.toString();
    }
}
