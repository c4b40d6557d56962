package org.computehive.market;

import java.util.regex.Pattern;

/** Checks of names that come from outside. */
final class Text {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern REGION = Pattern.compile("[a-z0-9-]{1,64}");
    private static final int QUOTE_LIMIT = 80;

    private Text() {}

    static String label(String what, String value) {
        if (!LABEL.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "%s %s is not a label: use 1 to 63 of a-z, 0-9 and inner hyphens".formatted(what, quote(value)));
        }
        return value;
    }

    static String region(String value) {
        if (!REGION.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "region %s is malformed: use 1 to 64 of a-z, 0-9 and hyphens, such as eu-central"
                            .formatted(quote(value)));
        }
        return value;
    }

    static String line(String what, String value, int limit) {
        if (value.isBlank() || value.length() > limit || value.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "%s %s must be 1 to %d characters on one line".formatted(what, quote(value), limit));
        }
        return value;
    }

    /** Quotes a value for a message: control characters replaced, long values cut. */
    static String quote(String value) {
        String shown = value.length() > QUOTE_LIMIT ? value.substring(0, QUOTE_LIMIT) + "…" : value;
        return '"' + shown.replaceAll("\\p{Cntrl}", "\u2423") + '"';
    }
}
