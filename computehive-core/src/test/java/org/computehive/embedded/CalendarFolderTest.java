package org.computehive.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.rental.Notifier;
import org.computehive.rental.NotifierContract;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder keeps every message; what a party has to go by is the one of the highest sequence. */
class CalendarFolderTest extends NotifierContract {
    @TempDir
    Path folder;

    @Override
    protected Notifier notifier() {
        return new CalendarFolder(folder);
    }

    @Override
    protected List<String> shown(Account party, RentalId rental) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            Comparator<Path> bySequence = Comparator.comparingInt(
                    file -> Integer.parseInt(file.getFileName().toString().split("-")[2]));
            List<Path> own = files.filter(
                            file -> file.getFileName().toString().startsWith(rental + "-" + party.address() + "-"))
                    .sorted(bySequence.reversed())
                    .limit(1)
                    .toList();
            return own.isEmpty() ? List.of() : List.of(Files.readString(own.getFirst()));
        }
    }

    @Test
    void folderThatCantBeWritten_throws_andLeavesNothing() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThrows(
                UncheckedIOException.class,
                () -> new CalendarFolder(file.resolve("in")).deliver(request(RentalId.random(), RENTER, 0, "v0")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }
}
