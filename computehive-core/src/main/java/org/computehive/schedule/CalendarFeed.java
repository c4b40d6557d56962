package org.computehive.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import net.fortuna.ical4j.model.ComponentList;
import net.fortuna.ical4j.model.ParameterList;
import net.fortuna.ical4j.model.Property;
import net.fortuna.ical4j.model.PropertyList;
import net.fortuna.ical4j.model.component.CalendarComponent;
import net.fortuna.ical4j.model.component.Standard;
import net.fortuna.ical4j.model.component.VFreeBusy;
import net.fortuna.ical4j.model.component.VTimeZone;
import net.fortuna.ical4j.model.parameter.FbType;
import net.fortuna.ical4j.model.property.Comment;
import net.fortuna.ical4j.model.property.DtEnd;
import net.fortuna.ical4j.model.property.DtStamp;
import net.fortuna.ical4j.model.property.DtStart;
import net.fortuna.ical4j.model.property.Name;
import net.fortuna.ical4j.model.property.RefreshInterval;
import net.fortuna.ical4j.model.property.TzId;
import net.fortuna.ical4j.model.property.TzOffsetFrom;
import net.fortuna.ical4j.model.property.TzOffsetTo;
import net.fortuna.ical4j.model.property.Uid;
import net.fortuna.ical4j.model.property.XProperty;
import net.fortuna.ical4j.model.property.immutable.ImmutableMethod;
import net.fortuna.ical4j.model.property.immutable.ImmutableStatus;
import org.computehive.schedule.CalendarText.Attendance;

/**
 * Calendars that others subscribe to (iTIP {@code PUBLISH}, RFC 5546 sections 3.2.1 and 3.3.1), in UTC.
 *
 * <p>The same values give the same text, to the octet. Stateless and thread-safe.
 */
public final class CalendarFeed {
    private static final DateTimeFormatter UTC =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private CalendarFeed() {}

    /**
     * A booking in a feed.
     *
     * @param booking what it shows; its attendees are not published
     * @param sequence that of the latest change
     * @param modified when it changed last, in whole seconds
     * @param cancelled whether it was called off
     */
    public record Entry(Booking booking, int sequence, Instant modified, boolean cancelled) {
        /**
         * Checks form and limits.
         *
         * @throws IllegalArgumentException if the sequence is negative or the time not in whole seconds
         */
        public Entry {
            CalendarText.checkSequence(sequence);
            CalendarText.checkInstant("modification", modified);
        }
    }

    /**
     * Returns a calendar of bookings.
     *
     * @param name what subscribers see it called: one line, at most 200 characters
     * @param refresh how often to look for changes
     * @param entries the bookings
     */
    public static String events(String name, Duration refresh, List<Entry> entries) {
        return publish(
                name,
                refresh,
                entries.stream()
                        .map(entry -> CalendarText.event(
                                entry.booking(),
                                entry.sequence(),
                                entry.modified(),
                                entry.modified(),
                                entry.cancelled() ? ImmutableStatus.VEVENT_CANCELLED : ImmutableStatus.VEVENT_CONFIRMED,
                                Attendance.PUBLISHED))
                        .toList());
    }

    /**
     * Returns a calendar that says when things are taken.
     *
     * @param name what subscribers see it called: one line, at most 200 characters
     * @param refresh how often to look for changes
     * @param stamp of when this is, in whole seconds
     * @param things what is taken when
     */
    public static String freeBusy(String name, Duration refresh, Instant stamp, List<FreeBusy> things) {
        CalendarText.checkInstant("stamp", stamp);
        return publish(
                name,
                refresh,
                things.stream().map(thing -> component(thing, stamp)).toList());
    }

    private static String publish(String name, Duration refresh, List<? extends CalendarComponent> components) {
        Booking.checkText("name", name, Booking.MAX_SUMMARY, false);
        List<Property> about = List.of(
                // RFC 7986, and what was used before it.
                new Name(name),
                new XProperty("X-WR-CALNAME", name),
                new RefreshInterval(CalendarText.duration(), refresh),
                new XProperty("X-PUBLISHED-TTL", refresh.toString()));
        // A calendar has at least one component (RFC 5545 section 3.4).
        return CalendarText.of(
                Optional.of(ImmutableMethod.PUBLISH), about, components.isEmpty() ? List.of(utc()) : components);
    }

    private static VTimeZone utc() {
        var standard = new Standard(new PropertyList()
                .add(new DtStart<>(LocalDateTime.of(1970, 1, 1, 0, 0)))
                .add(new TzOffsetFrom(ZoneOffset.UTC))
                .add(new TzOffsetTo(ZoneOffset.UTC)));
        return new VTimeZone(new PropertyList().add(new TzId("UTC")), new ComponentList<>(List.of(standard)));
    }

    private static VFreeBusy component(FreeBusy thing, Instant stamp) {
        VFreeBusy component = new VFreeBusy(false);
        component.add(new Uid(thing.uid()));
        component.add(new DtStamp(stamp));
        component.add(new DtStart<>(thing.range().start()));
        component.add(new DtEnd<>(thing.range().end()));
        component.add(CalendarText.organizer(thing.owner(), Attendance.PUBLISHED));
        component.add(new Comment(thing.comment()));
        add(component, FbType.BUSY, thing.busy());
        add(component, FbType.BUSY_TENTATIVE, thing.tentative());
        return component;
    }

    /** A property for each period: readers stumble over several in one, though that is allowed. */
    private static void add(VFreeBusy component, FbType kind, List<Window> periods) {
        for (Window period : periods) {
            component.add(new net.fortuna.ical4j.model.property.FreeBusy(
                    new ParameterList(List.of(kind)), UTC.format(period.start()) + "/" + UTC.format(period.end())));
        }
    }
}
