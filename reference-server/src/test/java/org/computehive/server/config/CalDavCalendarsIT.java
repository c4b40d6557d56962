package org.computehive.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.computehive.caldav.CalDavNotifier;
import org.computehive.caldav.Radicale;
import org.computehive.market.Account;
import org.computehive.rental.Notifier;
import org.computehive.rental.NotifierContract;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A notifier as it is configured, against the real Radicale: one password from a file, one from the environment. */
class CalDavCalendarsIT extends NotifierContract {
    private static final CalDavSettings HERE = new CalDavSettings(Duration.ofSeconds(20), true);

    @TempDir
    static Path folder;

    private static Radicale server;
    private static Path passwordFile;
    private CalDavNotifier notifier;

    @BeforeAll
    static void startServer() throws Exception {
        server = Radicale.start(folder);
        passwordFile = Files.createFile(
                folder.resolve("password"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(passwordFile, server.password("renter") + "\n");
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void configure() {
        notifier = notifier(renter("mine"), lender("theirs"));
    }

    @AfterEach
    void close() {
        notifier.close();
    }

    private static CalDavNotifier notifier(CalDavCalendar... calendars) {
        return CalDavCalendars.notifier(
                HERE,
                List.of(calendars),
                name -> name.equals("LENDERS_PASSWORD") ? Optional.of(server.password("lender")) : Optional.empty());
    }

    private static CalDavCalendar renter(String name) {
        return calendar(name, RENTER, "renter", Optional.of(passwordFile.toString()), Optional.empty(), "mark");
    }

    private static CalDavCalendar lender(String name) {
        return calendar(name, LENDER, "lender", Optional.empty(), Optional.of("LENDERS_PASSWORD"), "mark");
    }

    private static CalDavCalendar calendar(
            String name,
            Account account,
            String user,
            Optional<String> file,
            Optional<String> variable,
            String onCancel) {
        return new CalDavCalendar(
                name,
                Optional.of(account.address()),
                Optional.of(server.collection(user, "rentals").toString()),
                Optional.of(user),
                file,
                variable,
                onCancel);
    }

    @Override
    protected Notifier notifier() {
        return notifier;
    }

    @Override
    protected List<String> shown(Account party, RentalId rental) throws Exception {
        String user = party.equals(RENTER) ? "renter" : "lender";
        HttpResponse<String> answer = server.send(
                user,
                HttpRequest.newBuilder(server.collection(user, "rentals").resolve(rental + ".ics"))
                        .GET());
        if (answer.statusCode() == 404) {
            return List.of();
        }
        assertEquals(200, answer.statusCode());
        return List.of(answer.body().replace("\r\n ", ""));
    }

    private static void refused(String expected, CalDavCalendar... calendars) {
        var error = assertThrows(ConfigurationException.class, () -> notifier(calendars));
        assertTrue(error.getMessage().contains(expected), error.getMessage());
        assertFalse(error.toString().contains("secret"), error.toString());
    }

    @Test
    void keysThatMakeNoSense_areNamed() {
        String key = "computehive.caldav.calendars.a";
        Optional<String> file = Optional.of(passwordFile.toString());
        Optional<String> none = Optional.empty();
        refused(key + ".on-cancel", calendar("a", RENTER, "renter", file, none, "hide"));
        refused("password-variable", calendar("a", RENTER, "renter", none, none, "mark"));
        refused("password-variable", calendar("a", RENTER, "renter", file, Optional.of("X"), "mark"));
        refused("no variable X", calendar("a", RENTER, "renter", none, Optional.of("X"), "mark"));
        refused(key + ".user", calendar("a", RENTER, "a:b", file, none, "mark"));
        refused("has a calendar already", renter("a"), renter("b"));
        refused(
                key + ".url",
                new CalDavCalendar(
                        "a",
                        Optional.of(RENTER.address()),
                        Optional.of("http://example.org/mine/"),
                        Optional.of("renter"),
                        file,
                        none,
                        "mark"));
        refused(key + ".account", new CalDavCalendar("a", none, none, none, file, none, "mark"));
    }

    @Test
    void passwordFile_thatOthersMayRead_isRefused() throws Exception {
        Path open = Files.writeString(folder.resolve("open"), "secret");
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
        refused("chmod 600", calendar("a", RENTER, "renter", Optional.of(open.toString()), Optional.empty(), "mark"));
    }
}
