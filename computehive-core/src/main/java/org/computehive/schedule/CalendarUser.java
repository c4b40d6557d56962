package org.computehive.schedule;

import java.net.URI;
import java.util.regex.Pattern;

/**
 * Somebody in a calendar: who organizes a booking, or takes part in it (RFC 5545 section 3.3.3).
 *
 * <p>Immutable and thread-safe.
 *
 * @param address {@code urn:} or {@code mailto:}, at most {@value #MAX_ADDRESS} ASCII characters
 * @param name what people are shown: 1 to {@value #MAX_NAME} characters, no double quotes, carets or control characters,
 *     which iCalendar's parameters can't hold
 */
public record CalendarUser(URI address, String name) {
    static final int MAX_ADDRESS = 255;
    static final int MAX_NAME = 100;

    // RFC 3986's characters without quotes, and percent-encoding only where it is whole.
    private static final Pattern ADDRESS =
            Pattern.compile("(urn|mailto):([A-Za-z0-9._~:/?#@!$&()*+,;=-]|%[0-9A-Fa-f]{2})+");

    /**
     * Checks form and limits.
     *
     * @throws IllegalArgumentException naming the value, its limit and what to do
     */
    public CalendarUser {
        String text = address.toString();
        if (text.length() > MAX_ADDRESS || !ADDRESS.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "calendar address %s must be a urn: or mailto: URI of at most %d ASCII characters"
                            .formatted(Line.quote(text), MAX_ADDRESS));
        }
        if (name.isBlank() || name.length() > MAX_NAME || !name.codePoints().allMatch(CalendarUser::isNameCharacter)) {
            throw new IllegalArgumentException(
                    "calendar name %s must be 1 to %d characters without double quotes, carets or control characters"
                            .formatted(Line.quote(name), MAX_NAME));
        }
    }

    private static boolean isNameCharacter(int c) {
        boolean surrogate = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
        return c != '"' && c != '^' && !Character.isISOControl(c) && !surrogate;
    }
}
