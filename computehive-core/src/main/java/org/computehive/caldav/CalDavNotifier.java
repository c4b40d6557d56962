package org.computehive.caldav;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.computehive.market.Account;
import org.computehive.rental.Notifier;
import org.computehive.schedule.CalendarMessage;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a calendar on a CalDAV server (RFC 4791) as the messages say: one object for each rental, named by it.
 *
 * <p>What is there is read first and only replaced by what is newer, under the condition that it is still the same
 * ({@code If-Match}), so that neither a repeated or late message nor somebody who changes the calendar at the same moment
 * does harm. A newer message replaces the whole event, personal changes to it included: what the organizer says holds. An
 * event of a higher sequence than ours is taken as newer, whoever wrote it.
 *
 * <p>The server is asked to send no messages of its own to those who take part (RFC 6638). A party without a collection is
 * passed over. Thread-safe.
 *
 * <h2>Security guarantees</h2>
 *
 * Credentials go to the configured host alone, encrypted unless that is this machine; redirects are not followed, proxies
 * not used; they are in no log and no message. Answers are limited in size and time. Unless the operator allows it, no
 * request goes to a private address, whoever named it.
 */
public final class CalDavNotifier implements Notifier, AutoCloseable {
    private static final int ATTEMPTS = 3;

    private final Function<Account, Optional<CalDavCollection>> collections;
    private final CalDavOptions options;
    private final HttpClient http;

    /**
     * Creates one.
     *
     * @param collections where each party's calendar is; thread-safe
     * @param options what the operator decides
     */
    public CalDavNotifier(Function<Account, Optional<CalDavCollection>> collections, CalDavOptions options) {
        this.collections = collections;
        this.options = options;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(options.patience())
                .build();
    }

    /**
     * Puts the notice into its recipient's calendar.
     *
     * @throws CalDavException if it could not; the calendar is as it was, or as it is to be
     */
    @Override
    public void deliver(Notice notice) {
        collections.apply(notice.recipient()).ifPresent(collection -> deliver(notice, collection));
    }

    private void deliver(Notice notice, CalDavCollection collection) {
        AddressGuard.check(collection, options.privateAddresses());
        URI object = collection.url().resolve(notice.rental() + ".ics");
        long deadline = System.nanoTime() + options.patience().toNanos();
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            try {
                if (attempt(notice, collection, object, deadline)) {
                    return;
                }
            } catch (CalDavException.Unreachable e) {
                // Such as a kept connection that the server had closed: what became of it is looked at first.
                if (attempt == ATTEMPTS || !isCutOff(e.getCause())) {
                    throw e;
                }
            }
        }
        throw new CalDavException.Unreachable(
                "somebody else keeps changing the event at %s".formatted(object.getHost()), null);
    }

    private static boolean isCutOff(@Nullable Throwable cause) {
        return cause instanceof IOException && !(cause instanceof ConnectException);
    }

    /** Returns false if the event changed meanwhile. */
    private boolean attempt(Notice notice, CalDavCollection collection, URI object, long deadline) {
        Optional<Found> found =
                find(collection, object, notice.message().booking().uid(), deadline);
        return isDone(notice, collection, found) || write(notice, collection, object, found, deadline);
    }

    private static boolean isDone(Notice notice, CalDavCollection collection, Optional<Found> found) {
        if (removes(notice, collection)) {
            return found.isEmpty() || found.get().event().sequence() > notice.sequence();
        }
        return found.isPresent()
                && found.get()
                        .event()
                        .isAsNewAs(notice.sequence(), notice.message().stamp());
    }

    private static boolean removes(Notice notice, CalDavCollection collection) {
        return notice.method() == CalendarMessage.Method.CANCEL
                && collection.onCancel() == CalDavCollection.OnCancel.REMOVE;
    }

    private record Found(StoredEvent event, @Nullable String etag) {}

    private Optional<Found> find(CalDavCollection collection, URI object, String uid, long deadline) {
        HttpResponse<String> answer =
                send(collection, request(collection, object).GET(), deadline);
        int status = answer.statusCode();
        if (status == 404 || status == 410) {
            return Optional.empty();
        }
        if (status != 200) {
            throw unexpected(collection, status);
        }
        StoredEvent event = StoredEvent.read(answer.body());
        if (!event.uid().equals(uid)) {
            throw new CalDavException.Refused(
                    "another event lies at the rental's place in the calendar at %s: remove it"
                            .formatted(object.getHost()));
        }
        // A weak validator is of no use in If-Match (RFC 9110 section 13.1.1).
        String etag = answer.headers()
                .firstValue("ETag")
                .filter(tag -> tag.startsWith("\""))
                .orElse(null);
        return Optional.of(new Found(event, etag));
    }

    private boolean write(
            Notice notice, CalDavCollection collection, URI object, Optional<Found> found, long deadline) {
        HttpRequest.Builder request = request(collection, object);
        if (removes(notice, collection)) {
            request.DELETE();
        } else {
            request.PUT(BodyPublishers.ofString(notice.message().storedText()))
                    .header("Content-Type", "text/calendar; charset=utf-8");
        }
        if (found.isEmpty()) {
            request.header("If-None-Match", "*");
        } else if (found.get().etag() != null) {
            request.header("If-Match", found.get().etag());
        }
        int status = send(collection, request, deadline).statusCode();
        return switch (status) {
            case 200, 201, 204 -> true;
            case 412 -> false;
            case 404, 410 -> {
                if (!removes(notice, collection)) {
                    throw unexpected(collection, status);
                }
                yield true;
            }
            default -> throw unexpected(collection, status);
        };
    }

    private HttpRequest.Builder request(CalDavCollection collection, URI object) {
        return HttpRequest.newBuilder(object)
                .header("Authorization", collection.credential().header())
                .header("User-Agent", "ComputeHive");
    }

    private HttpResponse<String> send(CalDavCollection collection, HttpRequest.Builder request, long deadline) {
        String host = collection.url().getHost();
        // The client's own timeout ends with the headers: a body that trickles must not hold us either.
        CompletableFuture<HttpResponse<String>> answer = http.sendAsync(request.build(), info -> new LimitedBody());
        try {
            return answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new CalDavException.Unreachable(
                    "the CalDAV server %s did not answer within %s".formatted(host, options.patience()), e);
        } catch (ExecutionException e) {
            throw new CalDavException.Unreachable(
                    "the CalDAV server %s can't be reached: %s".formatted(host, reason(e.getCause())), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CalDavException.Unreachable("interrupted while writing to the CalDAV server " + host, e);
        } finally {
            answer.cancel(true);
        }
    }

    private static String reason(@Nullable Throwable cause) {
        return cause == null || cause.getMessage() == null ? "the connection failed" : cause.getMessage();
    }

    private static CalDavException unexpected(CalDavCollection collection, int status) {
        String host = collection.url().getHost();
        return switch (status) {
            case 401 -> new CalDavException.Refused("the CalDAV server %s refuses the credential".formatted(host));
            case 403 ->
                new CalDavException.Refused(
                        "the CalDAV server %s refuses the event: may the user write there, and does no other object have its uid?"
                                .formatted(host));
            case 404, 405, 409, 410 ->
                new CalDavException.Refused(
                        "the CalDAV server %s has no such calendar (status %d): make it, or correct the address"
                                .formatted(host, status));
            default ->
                status >= 300 && status < 400
                        ? new CalDavException.Refused(
                                "the CalDAV server %s sends us elsewhere (status %d): give the final address"
                                        .formatted(host, status))
                        : new CalDavException.Unreachable(
                                "the CalDAV server %s can't do it now (status %d)".formatted(host, status), null);
        };
    }

    /** Ends what is under way. */
    @Override
    public void close() {
        http.shutdownNow();
        http.close();
    }
}
