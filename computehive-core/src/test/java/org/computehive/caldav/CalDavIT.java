package org.computehive.caldav;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.computehive.caldav.CalDavCollection.OnCancel;
import org.computehive.market.Account;
import org.computehive.rental.Notifier;
import org.computehive.rental.NotifierContract;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the real Radicale. */
class CalDavIT extends NotifierContract {
    private static final CalDavOptions HERE = new CalDavOptions(true, Duration.ofSeconds(20));

    @TempDir
    static Path folder;

    private static Radicale server;
    private final CalDavNotifier notifier = notifier("rentals", OnCancel.MARK);

    @BeforeAll
    static void startServer() throws Exception {
        server = Radicale.start(folder);
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @AfterEach
    void close() {
        notifier.close();
    }

    private static CalDavNotifier notifier(String calendar, OnCancel onCancel) {
        return new CalDavNotifier(
                account -> Optional.of(new CalDavCollection(
                        server.collection(user(account), calendar),
                        new CalDavCredential.Basic(user(account), server.password(user(account))),
                        onCancel)),
                HERE);
    }

    private static String user(Account account) {
        return account.equals(RENTER) ? "renter" : "lender";
    }

    @Override
    protected Notifier notifier() {
        return notifier;
    }

    @Override
    protected List<String> shown(Account party, RentalId rental) throws Exception {
        HttpResponse<String> answer = server.send(
                user(party), HttpRequest.newBuilder(object(party, rental)).GET());
        if (answer.statusCode() == 404) {
            return List.of();
        }
        assertEquals(200, answer.statusCode());
        return List.of(answer.body().replace("\r\n ", ""));
    }

    private static URI object(Account party, RentalId rental) {
        return server.collection(user(party), "rentals").resolve(rental + ".ics");
    }

    private static HttpResponse<String> put(URI object, String text) throws Exception {
        return server.send(
                "renter",
                HttpRequest.newBuilder(object)
                        .header("Content-Type", "text/calendar")
                        .PUT(BodyPublishers.ofString(text)));
    }

    @Test
    void event_isServedAsItWasPut_toAReportOfItsDay() throws Exception {
        RentalId rental = RentalId.random();
        notifier.deliver(request(rental, RENTER, 0, "v0"));
        String text = shown(RENTER, rental).getFirst();
        assertFalse(text.contains("METHOD:"), text);
        assertTrue(text.contains("TRIGGER;RELATED=END:-PT10M\r\n"), text);
        assertTrue(text.contains("SCHEDULE-AGENT=CLIENT"), text);

        // RFC 4791 section 7.8.1: what a client asks for to show a day.
        String query = """
                <?xml version="1.0"?>
                <c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
                <d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name="VCALENDAR">
                <c:comp-filter name="VEVENT"><c:time-range start="%s" end="%s"/></c:comp-filter>
                </c:comp-filter></c:filter></c:calendar-query>""";
        URI collection = server.collection("renter", "rentals");
        String during = report(collection, query.formatted("20270301T130000Z", "20270301T131500Z"));
        assertTrue(during.contains(rental.value()), during);
        String after = report(collection, query.formatted("20270301T140000Z", "20270301T150000Z"));
        assertFalse(after.contains(rental.value()), after);
    }

    private static String report(URI collection, String query) throws Exception {
        HttpResponse<String> answer = server.send(
                "renter",
                HttpRequest.newBuilder(collection)
                        .header("Depth", "1")
                        .header("Content-Type", "application/xml")
                        .method("REPORT", BodyPublishers.ofString(query)));
        assertEquals(207, answer.statusCode(), answer.body());
        return answer.body();
    }

    @Test
    void server_thatIsDown_isSaidSo_andTakesTheEventOnceItIsBack() throws Exception {
        RentalId rental = RentalId.random();
        server.close();
        try {
            assertThrows(CalDavException.Unreachable.class, () -> notifier.deliver(request(rental, RENTER, 0, "v0")));
        } finally {
            server.start();
        }
        notifier.deliver(request(rental, RENTER, 0, "v0"));
        assertEquals(1, shown(RENTER, rental).size());
    }

    @Test
    void wrongPassword_isRefused_andNotShown() {
        var wrong = new CalDavCredential.Basic("renter", "not-the-password");
        try (var refused = new CalDavNotifier(
                account ->
                        Optional.of(new CalDavCollection(server.collection("renter", "rentals"), wrong, OnCancel.MARK)),
                HERE)) {
            var error = assertThrows(
                    CalDavException.Refused.class, () -> refused.deliver(request(RentalId.random(), RENTER, 0, "v0")));
            assertTrue(error.getMessage().contains("credential"), error.getMessage());
            assertFalse(error.toString().contains("not-the-password"), error.toString());
        }
    }

    @Test
    void calendarOfSomebodyElse_isRefused() {
        try (var foreign = new CalDavNotifier(
                account -> Optional.of(new CalDavCollection(
                        server.collection("lender", "rentals"),
                        new CalDavCredential.Basic("renter", server.password("renter")),
                        OnCancel.MARK)),
                HERE)) {
            assertThrows(
                    CalDavException.Refused.class, () -> foreign.deliver(request(RentalId.random(), RENTER, 0, "v0")));
        }
    }

    @Test
    void calendarThatIsNotThere_isRefused() throws Exception {
        try (var nowhere = notifier("nothing/here", OnCancel.MARK)) {
            assertThrows(CalDavException.class, () -> nowhere.deliver(request(RentalId.random(), RENTER, 0, "v0")));
        }
        assertEquals(List.of(), server.files("renter", "other"));
    }

    @Test
    void event_thatItsOwnerChanged_staysUntilThereIsNews() throws Exception {
        RentalId rental = RentalId.random();
        notifier.deliver(request(rental, RENTER, 0, "v0"));
        HttpResponse<String> ours = server.send(
                "renter", HttpRequest.newBuilder(object(RENTER, rental)).GET());
        assertTrue(put(object(RENTER, rental), ours.body().replace("GPU rental v0", "mine!"))
                        .statusCode()
                < 300);
        notifier.deliver(request(rental, RENTER, 0, "v0"));
        assertTrue(shown(RENTER, rental).getFirst().contains("SUMMARY:mine!\r\n"));
        notifier.deliver(request(rental, RENTER, 1, "v1"));
        assertTrue(shown(RENTER, rental).getFirst().contains("SUMMARY:GPU rental v1\r\n"));
    }

    @Test
    void event_thatItsOwnerDeleted_comesBackWithTheNextNews() throws Exception {
        RentalId rental = RentalId.random();
        notifier.deliver(request(rental, RENTER, 0, "v0"));
        assertTrue(server.send(
                                "renter",
                                HttpRequest.newBuilder(object(RENTER, rental)).DELETE())
                        .statusCode()
                < 300);
        notifier.deliver(request(rental, RENTER, 1, "v1"));
        assertTrue(shown(RENTER, rental).getFirst().contains("SUMMARY:GPU rental v1\r\n"));
    }

    @Test
    void anotherEvent_atTheRentalsPlace_isLeftAlone() throws Exception {
        RentalId rental = RentalId.random();
        notifier.deliver(request(RentalId.random(), RENTER, 0, "v0"));
        String other =
                request(RentalId.random(), RENTER, 0, "not ours").message().storedText();
        assertTrue(put(object(RENTER, rental), other).statusCode() < 300);
        assertThrows(CalDavException.Refused.class, () -> notifier.deliver(request(rental, RENTER, 5, "v5")));
        assertTrue(shown(RENTER, rental).getFirst().contains("SUMMARY:GPU rental not ours\r\n"));
    }

    @Test
    void cancellation_whereTheyAreToBeRemoved_removesTheEvent() throws Exception {
        RentalId rental = RentalId.random();
        try (var removing = notifier("other", OnCancel.REMOVE)) {
            removing.deliver(request(rental, LENDER, 0, "v0"));
            assertEquals(List.of(rental + ".ics"), server.files("lender", "other"));
            removing.deliver(cancel(rental, LENDER, 1));
            assertEquals(List.of(), server.files("lender", "other"));
            removing.deliver(cancel(rental, LENDER, 1));
            removing.deliver(cancel(RentalId.random(), LENDER, 1));
            assertEquals(List.of(), server.files("lender", "other"));
        }
    }
}
