package org.computehive.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.fortuna.ical4j.data.CalendarOutputter;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import net.fortuna.ical4j.model.ParameterList;
import net.fortuna.ical4j.model.Property;
import net.fortuna.ical4j.model.PropertyList;
import net.fortuna.ical4j.model.component.CalendarComponent;
import net.fortuna.ical4j.model.component.VAlarm;
import net.fortuna.ical4j.model.component.VEvent;
import net.fortuna.ical4j.model.parameter.Cn;
import net.fortuna.ical4j.model.parameter.PartStat;
import net.fortuna.ical4j.model.parameter.Related;
import net.fortuna.ical4j.model.parameter.Role;
import net.fortuna.ical4j.model.parameter.Rsvp;
import net.fortuna.ical4j.model.parameter.ScheduleAgent;
import net.fortuna.ical4j.model.property.Attendee;
import net.fortuna.ical4j.model.property.Created;
import net.fortuna.ical4j.model.property.Description;
import net.fortuna.ical4j.model.property.DtEnd;
import net.fortuna.ical4j.model.property.DtStamp;
import net.fortuna.ical4j.model.property.DtStart;
import net.fortuna.ical4j.model.property.LastModified;
import net.fortuna.ical4j.model.property.Method;
import net.fortuna.ical4j.model.property.Organizer;
import net.fortuna.ical4j.model.property.ProdId;
import net.fortuna.ical4j.model.property.Sequence;
import net.fortuna.ical4j.model.property.Status;
import net.fortuna.ical4j.model.property.Summary;
import net.fortuna.ical4j.model.property.Trigger;
import net.fortuna.ical4j.model.property.Uid;
import net.fortuna.ical4j.model.property.Url;
import net.fortuna.ical4j.model.property.immutable.ImmutableAction;
import net.fortuna.ical4j.model.property.immutable.ImmutableCalScale;
import net.fortuna.ical4j.model.property.immutable.ImmutableTransp;
import net.fortuna.ical4j.model.property.immutable.ImmutableVersion;
import net.fortuna.ical4j.validate.ValidationEntry;
import net.fortuna.ical4j.validate.ValidationException;

/** Writes iCalendar text (RFC 5545) with ical4j, and makes up for what that leaves to its caller. */
final class CalendarText {
    private static final int MAX_OCTETS = 75;
    private static final int UNFOLDED = Integer.MAX_VALUE;
    private static final String PRODUCT = "-//ComputeHive//Rentals//EN";
    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant END = Instant.parse("+10000-01-01T00:00:00Z");

    private CalendarText() {}

    static void checkInstant(String what, Instant instant) {
        if (instant.getNano() != 0 || instant.isBefore(FIRST) || !instant.isBefore(END)) {
            throw new IllegalArgumentException(
                    "calendar %s %s must be in whole seconds in the years 0 to 9999".formatted(what, instant));
        }
    }

    static void checkSequence(int sequence) {
        if (sequence < 0) {
            throw new IllegalArgumentException("sequence %d is negative: begin with 0".formatted(sequence));
        }
    }

    /** How an event names those who take part. */
    enum Attendance {
        /** In a message to them. */
        INVITED,
        /** In an object on a server that is to leave telling them to us (RFC 6638 section 7.1). */
        STORED,
        /** Not at all: a publication has no attendees (RFC 5546 section 3.2.1). */
        PUBLISHED
    }

    static VEvent event(
            Booking booking, int sequence, Instant stamp, Instant modified, Status status, Attendance attendance) {
        VEvent event = new VEvent(false);
        event.add(new Uid(booking.uid()));
        event.add(new DtStamp(stamp));
        event.add(new Sequence(sequence));
        event.add(new Created(booking.created()));
        event.add(new LastModified(modified));
        event.add(new DtStart<>(booking.window().start()));
        event.add(new DtEnd<>(booking.window().end()));
        event.add(organizer(booking.organizer(), attendance));
        if (attendance != Attendance.PUBLISHED) {
            booking.attendees().forEach(attendee -> event.add(attendee(attendee, attendance)));
        }
        event.add(new Summary(booking.summary()));
        event.add(new Description(booking.description()));
        booking.url().ifPresent(url -> event.add(new Url(url)));
        event.add(status);
        if (status.getValue().equals(Status.VALUE_CANCELLED)) {
            event.add(ImmutableTransp.TRANSPARENT);
        } else {
            event.add(ImmutableTransp.OPAQUE);
            booking.alarms().forEach(alarm -> event.add(alarm(alarm)));
        }
        return event;
    }

    static Organizer organizer(CalendarUser user, Attendance attendance) {
        return new Organizer(parameters(user, attendance), user.address());
    }

    private static ParameterList parameters(CalendarUser user, Attendance attendance) {
        ParameterList named = new ParameterList(List.of(new Cn(user.name())));
        return attendance == Attendance.STORED ? named.add(ScheduleAgent.CLIENT) : named;
    }

    /** Both parties signed for the rental, so nobody is asked to reply. */
    private static Attendee attendee(CalendarUser user, Attendance attendance) {
        return new Attendee(
                parameters(user, attendance)
                        .add(Role.REQ_PARTICIPANT)
                        .add(PartStat.ACCEPTED)
                        .add(Rsvp.FALSE),
                user.address());
    }

    private static VAlarm alarm(Alarm alarm) {
        ParameterList end = new ParameterList(alarm.of() == Alarm.End.END ? List.of(Related.END) : List.of());
        Duration before = alarm.before();
        return new VAlarm(new PropertyList()
                .add(ImmutableAction.DISPLAY)
                .add(new Trigger(end, before.negated()))
                .add(new Description(alarm.text())));
    }

    /**
     * Returns a calendar's text: lines end with CRLF, are folded at 75 octets, and hold no control character.
     *
     * @param method empty for an object on a CalDAV server (RFC 4791 section 4.1)
     */
    static String of(Optional<Method> method, List<Property> more, List<? extends CalendarComponent> components) {
        Calendar calendar = new Calendar();
        calendar.add(new ProdId(PRODUCT));
        calendar.add(ImmutableVersion.VERSION_2_0);
        calendar.add(ImmutableCalScale.GREGORIAN);
        method.ifPresent(calendar::add);
        more.forEach(calendar::add);
        components.forEach(calendar::add);
        StringWriter out = new StringWriter();
        try {
            check(calendar);
            new CalendarOutputter(false, UNFOLDED).output(calendar, out);
        } catch (ValidationException | IOException e) {
            throw new IllegalStateException("checked values gave an invalid calendar", e);
        }
        return fold(out.toString());
    }

    /** The library says what is wrong and goes on; its own outputter would only log it. */
    private static void check(Calendar calendar) {
        List<ValidationEntry> wrong = calendar.validate().getEntries().stream()
                .filter(entry -> entry.getSeverity() == ValidationEntry.Severity.ERROR)
                .filter(entry -> !saysThatNothingIsTaken(entry))
                .toList();
        if (!wrong.isEmpty()) {
            throw new IllegalStateException("checked values gave an invalid calendar: " + wrong);
        }
    }

    /** A VFREEBUSY without FREEBUSY: RFC 5545 section 3.6.4 allows it; the library asks for one, as RFC 2446 once did. */
    private static boolean saysThatNothingIsTaken(ValidationEntry entry) {
        return entry.getContext().equals(Component.VFREEBUSY)
                && entry.getMessage().endsWith(": " + Property.FREEBUSY);
    }

    static ParameterList duration() {
        return new ParameterList(List.of(net.fortuna.ical4j.model.parameter.Value.DURATION));
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
