package org.computehive.server.api;

import io.micronaut.http.HttpHeaders;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.MediaType;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Delete;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Status;
import io.micronaut.http.exceptions.HttpStatusException;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import org.computehive.feed.CalendarFeeds;
import org.computehive.feed.Feed;
import org.computehive.feed.FeedScope;
import org.computehive.market.Account;
import org.computehive.server.api.Bodies.FeedBody;
import org.computehive.server.api.Views.FeedView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/** Calendars to subscribe to: who has such an address reads the calendar, without a token. */
@Controller("/feeds")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@Tag(name = "feeds")
class FeedController {
    private static final String SUFFIX = ".ics";
    private static final MediaType CALENDAR = MediaType.of("text/calendar; charset=utf-8");
    private static final DateTimeFormatter HTTP_DATE = DateTimeFormatter.RFC_1123_DATE_TIME.withZone(ZoneOffset.UTC);

    private final CalendarFeeds feeds;

    FeedController(ReferencePlatform platform) {
        this.feeds = platform.feeds();
    }

    /** Makes an address under which the caller's calendar can be read; it is shown this once. */
    @Post
    @Status(HttpStatus.CREATED)
    @SecurityRequirement(name = "token")
    FeedView make(@Parameter(hidden = true) Caller caller, @Body FeedBody body) {
        Account party = RentalController.party(caller);
        FeedScope scope = BadField.constant("scope", body.scope(), FeedScope.class);
        String until = body.expires();
        String token = until == null
                ? feeds.token(party, scope)
                : BadField.parse("expires", until, text -> feeds.token(party, scope, Instant.parse(text)));
        return new FeedView("/feeds/" + token + SUFFIX, scope.name(), until);
    }

    /** Makes every address of the caller's that was made so far worth nothing. */
    @Delete
    @Status(HttpStatus.NO_CONTENT)
    @SecurityRequirement(name = "token")
    void revoke(@Parameter(hidden = true) Caller caller, @Nullable @Header(Once.HEADER) String key) {
        Account party = RentalController.party(caller);
        if (key == null) {
            feeds.revoke(party);
        } else {
            feeds.revoke(party, Once.key(key));
        }
    }

    /**
     * Returns a calendar (RFC 5545).
     *
     * @param file the last part of the address
     */
    @Get(value = "/{file}", produces = "text/calendar")
    HttpResponse<?> read(HttpRequest<?> request, String file) {
        if (!file.endsWith(SUFFIX)) {
            throw nothing();
        }
        Feed feed =
                feeds.read(file.substring(0, file.length() - SUFFIX.length())).orElseThrow(FeedController::nothing);
        List<String> known = request.getHeaders().getAll(HttpHeaders.IF_NONE_MATCH);
        MutableHttpResponse<?> response = known.stream().anyMatch(header -> matches(header, feed.etag()))
                ? HttpResponse.notModified()
                : HttpResponse.ok(feed.text()).contentType(CALENDAR);
        return response.header(HttpHeaders.ETAG, feed.etag())
                .header(HttpHeaders.LAST_MODIFIED, HTTP_DATE.format(feed.modified()))
                .header(HttpHeaders.CACHE_CONTROL, "private, no-cache")
                .header("Referrer-Policy", "no-referrer");
    }

    private static boolean matches(String header, String etag) {
        return Arrays.stream(header.split(","))
                .map(String::strip)
                .map(tag -> tag.startsWith("W/") ? tag.substring(2) : tag)
                .anyMatch(tag -> tag.equals("*") || tag.equals(etag));
    }

    private static HttpStatusException nothing() {
        return new HttpStatusException(
                HttpStatus.NOT_FOUND, "there is no such calendar, or no longer: make an address by POST /feeds");
    }
}
