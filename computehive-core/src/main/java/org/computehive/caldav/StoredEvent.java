package org.computehive.caldav;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * What an object on a server says of its event: enough to know whether a message is newer. Read from text that anybody may
 * have written; what can't be read counts as oldest.
 *
 * @param uid the event's; empty if it has none
 * @param sequence the event's; -1 if it has none
 * @param stamp the event's; the far past if it has none
 */
record StoredEvent(String uid, long sequence, Instant stamp) {
    private static final DateTimeFormatter UTC = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'");

    static StoredEvent read(String text) {
        String uid = "";
        long sequence = -1;
        Instant stamp = Instant.MIN;
        Deque<String> in = new ArrayDeque<>();
        for (String line : unfolded(text)) {
            int colon = line.indexOf(':');
            if (colon < 0) {
                continue;
            }
            String value = line.substring(colon + 1);
            switch (name(line.substring(0, colon))) {
                case "BEGIN" -> in.push(value.strip());
                case "END" -> in.poll();
                case "UID" -> uid = isEvent(in) ? value.strip() : uid;
                case "SEQUENCE" -> sequence = isEvent(in) ? number(value.strip()) : sequence;
                case "DTSTAMP" -> stamp = isEvent(in) ? instant(value.strip()) : stamp;
                default -> {
                    // Says nothing about which is newer.
                }
            }
        }
        return new StoredEvent(uid, sequence, stamp);
    }

    private static List<String> unfolded(String text) {
        return text.replace("\r\n", "\n")
                .replace("\n ", "")
                .replace("\n\t", "")
                .lines()
                .toList();
    }

    private static String name(String before) {
        int semicolon = before.indexOf(';');
        return semicolon < 0 ? before : before.substring(0, semicolon);
    }

    private static boolean isEvent(Deque<String> in) {
        return "VEVENT".equals(in.peek());
    }

    private static long number(String text) {
        return text.matches("[0-9]{1,9}") ? Long.parseLong(text) : -1;
    }

    private static Instant instant(String text) {
        try {
            return LocalDateTime.parse(text, UTC).toInstant(ZoneOffset.UTC);
        } catch (DateTimeException e) {
            return Instant.MIN;
        }
    }

    /** Whether a message of a sequence and stamp says nothing that this does not (RFC 5546 section 2.1.5). */
    boolean isAsNewAs(int otherSequence, Instant otherStamp) {
        return sequence > otherSequence || (sequence == otherSequence && !stamp.isBefore(otherStamp));
    }
}
