package org.computehive.schedule;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a calendar shows of a rental.
 *
 * <p>Immutable and thread-safe.
 *
 * @param uid stays the same for the life of the rental: 1 to 255 of {@code A-Z a-z 0-9 . _ @ -}
 * @param window when, in whole seconds
 * @param organizer who invites: {@code urn:} or {@code mailto:}
 * @param attendees who is invited, 1 to {@value #MAX_ATTENDEES}: {@code urn:} or {@code mailto:}
 * @param summary one line, at most {@value #MAX_SUMMARY} characters
 * @param description may have several lines, at most {@value #MAX_DESCRIPTION} characters
 * @param reminder how long before the start the alarm rings: whole seconds, zero to 7 days
 */
public record Booking(
        String uid,
        Window window,
        URI organizer,
        List<URI> attendees,
        String summary,
        String description,
        Duration reminder) {
    static final int MAX_ATTENDEES = 16;
    static final int MAX_SUMMARY = 200;
    static final int MAX_DESCRIPTION = 4000;
    private static final int MAX_URI = 255;
    private static final Duration MAX_REMINDER = Duration.ofDays(7);
    private static final Pattern UID = Pattern.compile("[A-Za-z0-9._@-]{1,255}");

    // RFC 3986's characters without quotes, and percent-encoding only where it is whole.
    private static final Pattern ADDRESS =
            Pattern.compile("(urn|mailto):([A-Za-z0-9._~:/?#@!$&()*+,;=-]|%[0-9A-Fa-f]{2})+");

    /**
     * Checks form and limits.
     *
     * @throws IllegalArgumentException naming the value, its limit and what to do
     */
    public Booking {
        attendees = List.copyOf(attendees);
        if (!UID.matcher(uid).matches()) {
            throw new IllegalArgumentException(
                    "calendar uid %s must be 1 to 255 of A-Z a-z 0-9 . _ @ -".formatted(Line.quote(uid)));
        }
        CalendarMessage.checkInstant("start", window.start());
        CalendarMessage.checkInstant("end", window.end());
        checkAddress(organizer);
        if (attendees.isEmpty() || attendees.size() > MAX_ATTENDEES) {
            throw new IllegalArgumentException(
                    "%d attendees can't be invited: name 1 to %d".formatted(attendees.size(), MAX_ATTENDEES));
        }
        attendees.forEach(Booking::checkAddress);
        checkText("summary", summary, MAX_SUMMARY, false);
        checkText("description", description, MAX_DESCRIPTION, true);
        if (reminder.isNegative() || reminder.compareTo(MAX_REMINDER) > 0 || reminder.getNano() != 0) {
            throw new IllegalArgumentException(
                    "reminder %s must be whole seconds from zero to %s".formatted(reminder, MAX_REMINDER));
        }
    }

    private static void checkAddress(URI address) {
        String text = address.toString();
        if (text.length() > MAX_URI || !ADDRESS.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "calendar address %s must be a urn: or mailto: URI of at most %d ASCII characters"
                            .formatted(Line.quote(text), MAX_URI));
        }
    }

    private static void checkText(String what, String text, int limit, boolean lines) {
        boolean control = text.chars().anyMatch(c -> Character.isISOControl(c) && !(lines && c == '\n'));
        boolean broken = text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        if (text.isBlank() || text.length() > limit || control || broken) {
            throw new IllegalArgumentException("calendar %s %s must be 1 to %d characters without control characters%s"
                    .formatted(what, Line.quote(text), limit, lines ? " but line feeds" : " on one line"));
        }
    }
}
