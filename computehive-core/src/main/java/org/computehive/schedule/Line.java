package org.computehive.schedule;

/** Values in messages. */
final class Line {
    private static final int QUOTE_LIMIT = 80;

    private Line() {}

    /** Quotes a value for a message: control characters replaced, long values cut. */
    static String quote(String value) {
        String shown = value.length() > QUOTE_LIMIT ? value.substring(0, QUOTE_LIMIT) + "…" : value;
        return '"' + shown.replaceAll("\\p{Cntrl}", "\u2423") + '"';
    }
}
