package org.computehive.caldav;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.computehive.caldav.CalDavCollection.OnCancel;
import org.computehive.market.Account;
import org.computehive.rental.Notifier.Notice;
import org.computehive.rental.RentalId;
import org.computehive.schedule.Booking;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.CalendarUser;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers that a real one would not be. */
@Timeout(60)
class HostileServerTest {
    private static final java.time.Instant NOON = java.time.Instant.parse("2027-03-01T12:00:00Z");
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private HttpServer server;
    private HttpHandler answer = exchange -> exchange.sendResponseHeaders(404, -1);

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            try (exchange) {
                exchange.getRequestBody().readAllBytes();
                answer.handle(exchange);
            }
        });
        server.start();
    }

    @AfterEach
    void stop() {
        over.countDown();
        server.stop(0);
    }

    private CalDavException deliver(Duration patience) {
        URI url = URI.create(
                "http://127.0.0.1:%d/calendar/".formatted(server.getAddress().getPort()));
        var collection = new CalDavCollection(url, new CalDavCredential.Basic("user", "the-secret"), OnCancel.MARK);
        var user = new CalendarUser(URI.create("urn:test"), "test");
        var booking = new Booking(
                "uid",
                new Window(NOON, NOON.plusSeconds(60)),
                user,
                List.of(user),
                "s",
                "d",
                List.of(),
                Optional.empty(),
                NOON);
        var notice = new Notice(RentalId.random(), Account.ZERO, CalendarMessage.request(booking, 0, NOON));
        try (var notifier = new CalDavNotifier(account -> Optional.of(collection), new CalDavOptions(true, patience))) {
            var error = assertThrows(CalDavException.class, () -> notifier.deliver(notice));
            assertTrue(!String.valueOf(error.getMessage()).contains("the-secret"), error.getMessage());
            return error;
        }
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Test
    void redirect_isNotFollowed() {
        for (int status : new int[] {301, 302, 303, 307, 308}) {
            requests.clear();
            answer = exchange -> {
                exchange.getResponseHeaders().set("Location", "/elsewhere/");
                exchange.sendResponseHeaders(status, -1);
            };
            CalDavException error = deliver(Duration.ofSeconds(20));
            assertTrue(error instanceof CalDavException.Refused, error.toString());
            assertEquals(1, requests.size(), requests.toString());
        }
    }

    @Test
    void answerWithoutEnd_isGivenUp() {
        answer = exchange -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] kilobyte = new byte[1024];
            OutputStream out = exchange.getResponseBody();
            for (int i = 0; i < 1_000_000; i++) {
                out.write(kilobyte);
            }
        };
        CalDavException error = deliver(Duration.ofSeconds(20));
        assertTrue(error.getMessage().contains("longer than 262144 bytes"), error.getMessage());
    }

    @Test
    void serverThatNeverAnswers_isGivenUp_beforeAndWithinTheBody() {
        answer = this::hold;
        assertTrue(deliver(Duration.ofMillis(300)) instanceof CalDavException.Unreachable);
        answer = exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write('B');
            exchange.getResponseBody().flush();
            hold(exchange);
        };
        assertTrue(deliver(Duration.ofMillis(300)).getMessage().contains("did not answer"));
    }

    private void hold(HttpExchange exchange) {
        try {
            assertTrue(over.await(50, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void eventThatChangesWithEveryLook_isGivenUpAfterSomeTries() {
        var tag = new AtomicInteger();
        answer = exchange -> {
            if (exchange.getRequestMethod().equals("GET")) {
                exchange.getResponseHeaders().set("ETag", "\"" + tag.incrementAndGet() + "\"");
                send(exchange, 200, "BEGIN:VEVENT\r\nUID:uid\r\nEND:VEVENT\r\n");
            } else {
                exchange.sendResponseHeaders(412, -1);
            }
        };
        assertTrue(deliver(Duration.ofSeconds(20)) instanceof CalDavException.Unreachable);
        assertEquals(6, requests.size(), requests.toString());
    }

    @Test
    void serverThatFails_isTriedAgainLater_andNonsenseIsNot() {
        for (int status : new int[] {423, 429, 500, 503}) {
            answer = exchange -> exchange.sendResponseHeaders(status, -1);
            assertTrue(deliver(Duration.ofSeconds(20)) instanceof CalDavException.Unreachable, "" + status);
        }
        answer = exchange -> send(exchange, 200, "<html>BEGIN:VEVENT</html>");
        assertTrue(deliver(Duration.ofSeconds(20)) instanceof CalDavException.Refused);
    }

    @Test
    void storedEvent_isReadFromTheEventAlone() {
        StoredEvent event = StoredEvent.read(
                "BEGIN:VCALENDAR\r\nUID:outer\r\nBEGIN:VEVENT\r\nUID:a\r\n b\r\nSEQUENCE;X=1:7\r\nDTSTAMP:20270301T1200"
                        + "\r\n\t00Z\r\nBEGIN:VALARM\r\nUID:alarm\r\nSEQUENCE:9\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR");
        assertEquals(new StoredEvent("ab", 7, NOON), event);
        assertTrue(event.isAsNewAs(7, NOON) && event.isAsNewAs(6, NOON.plusSeconds(9)));
        assertTrue(!event.isAsNewAs(8, NOON) && !event.isAsNewAs(7, NOON.plusSeconds(1)));
        StoredEvent nonsense =
                StoredEvent.read("BEGIN:VEVENT\nSEQUENCE:99999999999\nDTSTAMP:soon\n:\n\n;\nEND:X\nEND:Y");
        assertEquals(new StoredEvent("", -1, java.time.Instant.MIN), nonsense);
    }
}
