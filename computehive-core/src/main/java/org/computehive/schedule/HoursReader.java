package org.computehive.schedule;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.schedule.CalendarFile.Component;
import org.computehive.schedule.CalendarFile.Property;

/** Reads the components that give open hours, and writes each again without what says nothing of time. */
final class HoursReader {
    /** How many {@code RDATE} and {@code EXDATE} values a component may have together. */
    static final int MAX_DATES = 1_000;

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("uuuuMMdd", Locale.ROOT).withResolverStyle(ResolverStyle.STRICT);
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss", Locale.ROOT).withResolverStyle(ResolverStyle.STRICT);
    private static final Pattern DURATION = Pattern.compile(
            "\\+?P(?:([0-9]{1,4})W|(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,8})S)?)?)");
    private static final int LAST_YEAR = 9999;
    private static final String OUT_OF_RANGE = "in another zone it is out of the years 0 to 9999: leave it out";
    private static final Set<String> REFUSED = Set.of("EXRULE", "RECURRENCE-ID", "RSTATUS");
    private final Optional<ZoneId> floating;

    /**
     * Makes a reader.
     *
     * @param floating the zone of times that name none
     */
    HoursReader(Optional<ZoneId> floating) {
        this.floating = floating;
    }

    /** A date, or a date and time in a zone. */
    private record Moment(ZoneId zone, boolean wholeDay, LocalDateTime local) {
        Instant instant() {
            return local.atZone(zone).toInstant();
        }

        /** Returns the time in another zone, if it is the one that {@link #instant} means there. */
        LocalDateTime in(ZoneId other) {
            return zone.equals(other) ? local : LocalDateTime.ofInstant(instant(), other);
        }

        /** Returns whether a clock change skips it. */
        boolean skipped() {
            return !wholeDay && zone.getRules().getValidOffsets(local).isEmpty();
        }

        String text(String property) {
            if (wholeDay) {
                return property + ";VALUE=DATE:" + DATE.format(local);
            }
            return zone.equals(ZoneOffset.UTC)
                    ? property + ":" + TIME.format(local) + "Z"
                    : property + ";TZID=" + zone.getId() + ":" + TIME.format(local);
        }
    }

    /** Reads one {@code VEVENT} or {@code AVAILABLE}, and appends it to a text. */
    OpenHours hours(Component component, StringBuilder text) {
        for (Property property : component.properties()) {
            if (REFUSED.contains(property.name())) {
                throw refused(property, "write its change as EXDATE and a component of its own");
            }
        }
        Property first = component
                .one("DTSTART")
                .orElseThrow(() -> new IllegalArgumentException(
                        "%s has no DTSTART: say when it begins".formatted(component.name())));
        Moment start = moment(first, first.value());
        if (start.wholeDay() && component.name().equals("AVAILABLE")) {
            throw refused(first, "RFC 7953 wants a time, not a date");
        }
        text.append("BEGIN:%s\n%s\n".formatted(component.name(), start.text("DTSTART")));
        Duration length = length(component, start);
        LocalDateTime end = start.local().plus(length);
        if (end.getYear() > LAST_YEAR) {
            throw refused(first, "it ends after the year %d: begin earlier".formatted(LAST_YEAR));
        }
        text.append(new Moment(start.zone(), start.wholeDay(), end).text("DTEND"))
                .append('\n');
        boolean zoned = first.parameters().containsKey("TZID") || first.value().endsWith("Z");
        Optional<Property> ruleLine = component.one("RRULE");
        Optional<Recurrence> rule = ruleLine.map(it -> Recurrence.parse(it.value()));
        Optional<Moment> until =
                rule.flatMap(Recurrence::until).map(it -> until(ruleLine.orElseThrow(), it, start, zoned));
        rule.ifPresent(it -> text.append("RRULE:%s\n".formatted(ruleText(it, until))));
        OpenHours hours = OpenHours.of(new OpenHours.Draft(
                start.zone(),
                start.wholeDay(),
                start.local(),
                length,
                rule,
                until.filter(it -> !it.wholeDay()).map(Moment::instant),
                until.filter(Moment::wholeDay).map(it -> it.local().toLocalDate()),
                starts(component, "RDATE", start, text),
                starts(component, "EXDATE", start, text)));
        text.append("END:%s\n".formatted(component.name()));
        return hours;
    }

    /** Reads a bound of a {@code VAVAILABILITY}, and appends it to a text. */
    Optional<Instant> bound(Component component, String name, StringBuilder text) {
        return component.one(name).map(property -> {
            Moment at = moment(property, property.value());
            if (at.wholeDay() || at.skipped()) {
                throw refused(property, "RFC 7953 wants a time that exists, not a date");
            }
            text.append(at.text(name)).append('\n');
            return at.instant();
        });
    }

    private static String ruleText(Recurrence rule, Optional<Moment> until) {
        String text = rule.toString();
        String written = rule.until().orElse("");
        return until.filter(it -> !it.wholeDay())
                .map(it -> text.replace(
                        "UNTIL=" + written,
                        "UNTIL=" + TIME.withZone(ZoneOffset.UTC).format(it.instant()) + "Z"))
                .orElse(text);
    }

    private Duration length(Component component, Moment start) {
        Optional<Property> end = component.one("DTEND");
        Optional<Property> duration = component.one("DURATION");
        if (end.isPresent() && duration.isPresent()) {
            throw refused(duration.get(), "DTEND is there too: keep one of them");
        }
        if (end.isPresent()) {
            Moment until = moment(end.get(), end.get().value());
            if (until.wholeDay() != start.wholeDay() || !until.zone().equals(start.zone())) {
                throw refused(end.get(), "write it in the form and the time zone of DTSTART");
            }
            if (until.skipped()) {
                throw refused(end.get(), "that time is skipped by a clock change: choose one that exists");
            }
            return Duration.between(start.local(), until.local());
        }
        if (duration.isPresent()) {
            return duration(duration.get(), start.wholeDay());
        }
        if (start.wholeDay()) {
            return Duration.ofDays(1);
        }
        throw new IllegalArgumentException(
                "%s has no DTEND and no DURATION: say when it ends".formatted(component.name()));
    }

    private static Duration duration(Property property, boolean wholeDays) {
        Matcher form = DURATION.matcher(property.value());
        if (!form.matches()
                || property.value().endsWith("T")
                || property.value().endsWith("P")) {
            throw refused(property, "write a length like P1D or PT8H");
        }
        Duration length = Duration.ofDays(7 * number(form, 1) + number(form, 2))
                .plusHours(number(form, 3))
                .plusMinutes(number(form, 4))
                .plusSeconds(number(form, 5));
        if (wholeDays && !length.equals(Duration.ofDays(length.toDays()))) {
            throw refused(property, "DTSTART is a date: use whole days");
        }
        return length;
    }

    private static long number(Matcher form, int group) {
        String digits = form.group(group);
        return digits == null ? 0 : Long.parseLong(digits);
    }

    private static Moment until(Property line, String value, Moment start, boolean zoned) {
        boolean date = !value.contains("T");
        boolean utc = value.endsWith("Z");
        if (date != start.wholeDay() || (!date && !utc && zoned)) {
            throw refused(line, "write UNTIL as a date if DTSTART is one, else in UTC like 20301231T225959Z");
        }
        ZoneId zone = utc ? ZoneOffset.UTC : start.zone();
        Moment until = new Moment(zone, date, local(line, utc ? value.substring(0, value.length() - 1) : value, date));
        int year = LocalDateTime.ofInstant(until.instant(), ZoneOffset.UTC).getYear();
        if (year < 0 || year > LAST_YEAR) {
            throw refused(line, OUT_OF_RANGE);
        }
        if (until.skipped()) {
            throw refused(line, "UNTIL is skipped by a clock change: write it in UTC");
        }
        return until;
    }

    private List<LocalDateTime> starts(Component component, String name, Moment start, StringBuilder text) {
        List<LocalDateTime> starts = new ArrayList<>();
        for (Property property : component.all(name)) {
            for (String value : property.value().split(",", -1)) {
                Moment at = moment(property, value);
                LocalDateTime local = at.in(start.zone());
                Moment own = new Moment(start.zone(), start.wholeDay(), local);
                if (at.wholeDay() != start.wholeDay()
                        || (!at.wholeDay() && !own.instant().equals(at.instant()))) {
                    throw refused(property, "write it in the form and the time zone of DTSTART");
                }
                if (local.getYear() < 0 || local.getYear() > LAST_YEAR) {
                    throw refused(property, OUT_OF_RANGE);
                }
                if (at.skipped()) {
                    throw refused(property, "%s is skipped by a clock change: leave it out".formatted(value));
                }
                starts.add(local);
                // Values of one property share its name and parameters.
                text.append(
                        starts.size() == 1
                                ? own.text(name)
                                : "," + own.text(name).substring(own.text(name).indexOf(':') + 1));
            }
        }
        text.append(starts.isEmpty() ? "" : "\n");
        if (starts.size() > MAX_DATES) {
            throw new IllegalArgumentException(
                    "%s has %d values: at most %d, so use an RRULE".formatted(name, starts.size(), MAX_DATES));
        }
        return starts;
    }

    private Moment moment(Property property, String value) {
        String type = property.parameter("VALUE").orElse("DATE-TIME");
        boolean date = type.equals("DATE");
        if (!date && !type.equals("DATE-TIME")) {
            throw refused(property, "use VALUE=DATE-TIME or DATE");
        }
        boolean utc = value.endsWith("Z");
        String zone = property.parameters().get("TZID");
        if (zone != null && (utc || date)) {
            throw refused(property, "a date or a time in UTC has no TZID: leave it out");
        }
        LocalDateTime local = local(property, utc && !date ? value.substring(0, value.length() - 1) : value, date);
        if (utc) {
            return new Moment(ZoneOffset.UTC, false, local);
        }
        return new Moment(zone == null ? floating(property) : zone(zone), date, local);
    }

    private ZoneId floating(Property property) {
        return floating.orElseThrow(
                () -> refused(property, "it names no time zone: add TZID, or say which zone to read it in"));
    }

    /** A zone by the name the IANA database gives it: what a file's own {@code VTIMEZONE} says is not looked at. */
    static ZoneId zone(String id) {
        if (!ZoneId.getAvailableZoneIds().contains(id)) {
            throw new IllegalArgumentException(
                    "TZID %s is not known: use a name of the IANA database like Europe/Berlin"
                            .formatted(Line.quote(id)));
        }
        return id.equals("UTC") || id.equals("Etc/UTC") ? ZoneOffset.UTC : ZoneId.of(id);
    }

    private static LocalDateTime local(Property property, String value, boolean date) {
        try {
            return date ? LocalDate.parse(value, DATE).atStartOfDay() : LocalDateTime.parse(value, TIME);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "%s is no date or time: write %s"
                            .formatted(Line.quote(property.toString()), date ? "20261231" : "20261231T235959"),
                    e);
        }
    }

    private static IllegalArgumentException refused(Property property, String remedy) {
        return new IllegalArgumentException("%s can't be used: %s".formatted(Line.quote(property.toString()), remedy));
    }
}
