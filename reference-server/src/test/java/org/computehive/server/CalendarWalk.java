package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.computehive.caldav.Radicale;

/** Rentals in the parties' calendars on a real CalDAV server, which may be down. */
final class CalendarWalk {
    private final ApiClient api;
    private final Radicale calendars;

    CalendarWalk(ApiClient api, Radicale calendars) {
        this.api = api;
        this.calendars = calendars;
    }

    /** While the calendars can't be written to, the operator is told; the message waits until it says to go on. */
    String bookWhileItIsDown(String listing, Instant start) throws Exception {
        calendars.close();
        String id;
        try {
            id = api.book(listing, start, Duration.ofHours(1));
            api.await(id, rental -> !stuck(id).isEmpty());
        } finally {
            calendars.start();
        }
        String step = stuck(id);
        assertTrue(step.contains("NOTIFY"), step);
        assertTrue(step.contains("the CalDAV server 127.0.0.1 can't be reached"), step);

        String path = "/operations/rentals/" + id + "/resume";
        Optional<String> key = Optional.of("resume-" + id);
        String note = ApiClient.body("note", "the calendar server is up again");
        JsonNode resumed = api.keyed(200, "operator", "POST", path, note, key);
        assertEquals(resumed, api.keyed(200, "operator", "POST", path, note, key));
        api.await(id, rental -> messages(id) == 1);
        assertEquals("", stuck(id));
        assertTrue(history(id).contains("the calendar server is up again"));
        for (String party : new String[] {"renter", "lender"}) {
            HttpResponse<String> event = event(party, id);
            assertEquals(200, event.statusCode(), party);
            assertTrue(event.body().contains("STATUS:CONFIRMED"), event.body());
        }
        return id;
    }

    /** The lender calls it off: the renter's calendar marks it, the lender's, as configured, has it no longer. */
    void callOff(String id) throws Exception {
        JsonNode release = api.call(200, "lender", "GET", "/rentals/" + id + "/release", "");
        api.call(
                200,
                "lender",
                "PUT",
                "/rentals/" + id + "/release/signature",
                ApiClient.body("signature", api.signed("lender", release)));
        api.await(id, rental -> messages(id) == 2);
        assertTrue(event("renter", id).body().contains("STATUS:CANCELLED"));
        assertEquals(404, event("lender", id).statusCode());
    }

    private HttpResponse<String> event(String party, String id) throws Exception {
        return calendars.send(
                party,
                HttpRequest.newBuilder(calendars.collection(party, "rentals").resolve(id + ".ics"))
                        .GET());
    }

    private String stuck(String id) throws Exception {
        JsonNode all = api.call(200, "operator", "GET", "/operations/rentals/stuck", "");
        return StreamSupport.stream(all.spliterator(), false)
                .filter(rental -> rental.path("rental").asText().equals(id))
                .map(JsonNode::toString)
                .findFirst()
                .orElse("");
    }

    private long messages(String id) throws Exception {
        JsonNode events = api.call(200, "renter", "GET", "/rentals/" + id + "/history", "");
        return StreamSupport.stream(events.spliterator(), false)
                .filter(event -> event.path("type").asText().startsWith("invited."))
                .count();
    }

    private String history(String id) throws Exception {
        return api.call(200, "renter", "GET", "/rentals/" + id + "/history", "").toString();
    }
}
