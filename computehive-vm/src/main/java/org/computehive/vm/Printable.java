package org.computehive.vm;

/**
 * Makes text from guests and other programs fit for a log: one line, no control characters that a terminal would obey,
 * no characters that reorder or hide others, bounded.
 */
final class Printable {
    private static final int LIMIT = 2_000;

    private Printable() {}

    /** Returns the text as one line of at most 2000 characters; what can't be shown becomes a question mark. */
    static String line(String text) {
        var shown = new StringBuilder(Math.min(text.length(), LIMIT));
        text.codePoints().limit(LIMIT).forEach(c -> shown.appendCodePoint(plain(c) ? c : c == '\t' ? ' ' : '?'));
        return shown.toString();
    }

    private static boolean plain(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
