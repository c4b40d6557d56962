package org.computehive.server.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.data.ParserException;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import net.fortuna.ical4j.model.Content;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;

/** Reads the calendar messages that a party got, as a calendar program would. Stateless. */
final class Calendars {
    private static final DateTimeFormatter BASIC =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final Path folder;

    Calendars(Path folder) {
        this.folder = folder;
    }

    /** What a message says; empty texts for what it does not say. */
    record Message(
            String method,
            int sequence,
            String uid,
            String organizer,
            String status,
            Instant start,
            Instant end,
            boolean valid) {}

    /** What one party got about one rental, by sequence. */
    record Conversation(List<Message> messages) {
        /** Returns whether every message is valid, by the platform, of one uid, and ends as the rental did. */
        boolean isSound(Rental rental) {
            Instant end = messages.isEmpty() ? Instant.MAX : messages.getLast().end();
            return messages.stream().allMatch(Message::valid)
                    && messages.stream().map(Message::uid).distinct().count() == 1
                    && messages.stream().allMatch(message -> message.organizer().equals("urn:computehive:platform"))
                    && messages.stream()
                            .allMatch(message -> message.method().equals("CANCEL")
                                    == message.status().equals("CANCELLED"))
                    && !end.isAfter(rental.terms().window().end());
        }

        @Override
        public String toString() {
            return messages.stream()
                    .map(message -> message.method() + " " + message.sequence())
                    .collect(Collectors.joining(", "));
        }
    }

    /** Returns what a party got about a rental. */
    Conversation read(RentalId rental, Account party) throws IOException, ParserException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.getFileName().toString().startsWith(rental + "-" + party.address()))
                    .sorted()
                    .toList();
        }
        var messages = new ArrayList<Message>();
        for (Path file : files) {
            messages.add(parse(file));
        }
        messages.sort(Comparator.comparingInt(Message::sequence));
        return new Conversation(List.copyOf(messages));
    }

    private static Message parse(Path file) throws IOException, ParserException {
        try (var in = Files.newInputStream(file)) {
            Calendar calendar = new CalendarBuilder().build(in);
            var events = calendar.getComponents(Component.VEVENT);
            var event = events.getFirst();
            return new Message(
                    calendar.getProperty("METHOD").map(Content::getValue).orElse(""),
                    Integer.parseInt(value(event, "SEQUENCE")),
                    value(event, "UID"),
                    value(event, "ORGANIZER"),
                    value(event, "STATUS"),
                    BASIC.parse(value(event, "DTSTART"), Instant::from),
                    BASIC.parse(value(event, "DTEND"), Instant::from),
                    events.size() == 1 && !calendar.validate().hasErrors());
        }
    }

    private static String value(Component event, String name) {
        return event.getProperty(name).map(Content::getValue).orElse("");
    }
}
