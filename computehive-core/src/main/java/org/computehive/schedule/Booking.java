package org.computehive.schedule;

import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a calendar shows of a rental.
 *
 * <p>Immutable and thread-safe.
 *
 * @param uid stays the same for the life of the rental: 1 to 255 of {@code A-Z a-z 0-9 . _ @ -}
 * @param window when, in whole seconds
 * @param organizer who invites, and alone may change or cancel what it invited to (RFC 5546 section 1.4)
 * @param attendees who takes part, 1 to {@value #MAX_ATTENDEES}
 * @param summary one line, at most {@value #MAX_SUMMARY} characters
 * @param description may have several lines, at most {@value #MAX_DESCRIPTION} characters
 * @param alarms when to remind, at most {@value #MAX_ALARMS}
 * @param url where more is to be found; {@code https:}, or {@code http:} on a machine's own network
 * @param created when it was booked, in whole seconds
 */
public record Booking(
        String uid,
        Window window,
        CalendarUser organizer,
        List<CalendarUser> attendees,
        String summary,
        String description,
        List<Alarm> alarms,
        Optional<URI> url,
        Instant created) {
    static final int MAX_ATTENDEES = 16;
    static final int MAX_ALARMS = 8;
    static final int MAX_SUMMARY = 200;
    static final int MAX_DESCRIPTION = 4000;
    private static final int MAX_URL = 1000;
    private static final Pattern UID = Pattern.compile("[A-Za-z0-9._@-]{1,255}");
    private static final Pattern WEB_ADDRESS =
            Pattern.compile("https?://([A-Za-z0-9._~:/?#\\[\\]@!$&()*+,;=-]|%[0-9A-Fa-f]{2})+");

    /**
     * Checks form and limits.
     *
     * @throws IllegalArgumentException naming the value, its limit and what to do
     */
    public Booking {
        attendees = List.copyOf(attendees);
        alarms = List.copyOf(alarms);
        checkUid(uid);
        CalendarText.checkInstant("start", window.start());
        CalendarText.checkInstant("end", window.end());
        CalendarText.checkInstant("creation", created);
        if (attendees.isEmpty() || attendees.size() > MAX_ATTENDEES) {
            throw new IllegalArgumentException(
                    "%d attendees can't be invited: name 1 to %d".formatted(attendees.size(), MAX_ATTENDEES));
        }
        if (alarms.size() > MAX_ALARMS) {
            throw new IllegalArgumentException(
                    "%d alarms are too many: at most %d".formatted(alarms.size(), MAX_ALARMS));
        }
        checkText("summary", summary, MAX_SUMMARY, false);
        checkText("description", description, MAX_DESCRIPTION, true);
        url.map(URI::toString).ifPresent(Booking::checkUrl);
    }

    static void checkUid(String uid) {
        if (!UID.matcher(uid).matches()) {
            throw new IllegalArgumentException(
                    "calendar uid %s must be 1 to 255 of A-Z a-z 0-9 . _ @ -".formatted(Line.quote(uid)));
        }
    }

    static void checkText(String what, String text, int limit, boolean lines) {
        boolean control = text.chars().anyMatch(c -> Character.isISOControl(c) && !(lines && c == '\n'));
        boolean broken = text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        if (text.isBlank() || text.length() > limit || control || broken) {
            throw new IllegalArgumentException("calendar %s %s must be 1 to %d characters without control characters%s"
                    .formatted(what, Line.quote(text), limit, lines ? " but line feeds" : " on one line"));
        }
    }

    private static void checkUrl(String text) {
        if (text.length() > MAX_URL || !WEB_ADDRESS.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "calendar URL %s must be an https: or http: address of at most %d ASCII characters"
                            .formatted(Line.quote(text), MAX_URL));
        }
    }
}
