package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Put;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.http.annotation.Status;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.market.Assurance;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Interconnect;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.PciAddress;
import org.computehive.market.Token;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalStore;
import org.computehive.rental.SuggestionHistory;
import org.computehive.server.api.Bodies.BookingBody;
import org.computehive.server.api.Bodies.PriceBody;
import org.computehive.server.api.Bodies.QuoteBody;
import org.computehive.server.api.Bodies.ReleaseBody;
import org.computehive.server.api.ListingBodies.ListingBody;
import org.computehive.server.api.MarketViews.ConditionView;
import org.computehive.server.api.MarketViews.FreeWindowView;
import org.computehive.server.api.MarketViews.HostView;
import org.computehive.server.api.MarketViews.ListingView;
import org.computehive.server.api.Views.AdviceView;
import org.computehive.server.api.Views.QuoteView;
import org.computehive.server.api.Views.RentalView;
import org.computehive.server.api.Views.SuggestionView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/** Hosts, prices, listings and quotes. */
@Controller
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "market")
class MarketController {
    private static final int SUGGESTIONS = 100;

    private final RentalEngine engine;
    private final RentalStore store;
    private final Token token;
    private final InstantSource clock;

    MarketController(ReferencePlatform platform) {
        this.engine = platform.engine();
        this.store = platform.store();
        this.token = platform.local().escrow().token();
        this.clock = platform.local().clock();
    }

    /** Returns the hosts with their gpus, and what the last turnover said of each. */
    @Get("/hosts")
    List<HostView> hosts(@Parameter(hidden = true) Caller caller) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        return engine.hosts().stream()
                .map(host -> HostView.of(host, store::condition))
                .toList();
    }

    /** Makes a quarantined gpu rentable again, once an operator, who is not its lender, has seen to it. */
    @Post("/hosts/{host}/gpus/{address}/release")
    ConditionView release(
            @Parameter(hidden = true) Caller caller,
            String host,
            @Parameter(description = "the gpu's PCI address", example = "0000:01:00.0") String address,
            @Nullable @Header(Once.HEADER) String key,
            @Body ReleaseBody body) {
        Account operator = caller.as(Role.OPERATOR);
        var gpu = new GpuId(
                BadField.parse("host", host, HostId::new), BadField.parse("address", address, PciAddress::new));
        String why = BadField.parse("why", body.why(), Bodies::line);
        return ConditionView.of(Once.of(engine, operator, key).releaseGpu(gpu, operator, why));
    }

    /**
     * Suggests a price. Nothing applies it: a lender who likes it puts it in a listing. Measured demand is used unless a
     * utilisation is stated; for a window, a lender's own bookings too.
     */
    @Post("/price-suggestions")
    SuggestionView suggest(@Parameter(hidden = true) Caller caller, @Body PriceBody body) {
        Account account = caller.as(Role.LENDER, Role.OPERATOR);
        PriceAdvisor.Request request = body.request(clock.instant());
        return SuggestionView.of(
                caller.role() == Role.LENDER ? engine.suggestPrice(account, request) : engine.suggestPrice(request),
                token);
    }

    /**
     * Returns the suggestions that the lender was given, newest first, each beside what it charged from then on; the newest
     * 1,000 are kept.
     *
     * @param before only those given before this instant, such as the last one's of the answer before; any without it
     * @param answers how many at most; 100 without it
     */
    @Get("/price-suggestions")
    List<AdviceView> suggestions(
            @Parameter(hidden = true) Caller caller,
            @Nullable @QueryValue @Schema(type = "string", format = "date-time") String before,
            @Nullable @QueryValue String answers) {
        Account lender = caller.as(Role.LENDER);
        Instant end = before == null ? Instant.MAX : BadField.parse("before", before, Instant::parse);
        int most = answers == null ? SUGGESTIONS : BadField.parse("answers", answers, MarketController::answers);
        return engine.adviceOutcomes(lender).stream()
                .filter(outcome -> outcome.advice().at().isBefore(end))
                .limit(most)
                .map(outcome -> AdviceView.of(outcome, token))
                .toList();
    }

    private static int answers(String text) {
        if (!text.matches("[1-9][0-9]{0,3}") || Integer.parseInt(text) > SuggestionHistory.MOST_OF_ONE) {
            throw new IllegalArgumentException(
                    "answers must be a whole number of 1 to " + SuggestionHistory.MOST_OF_ONE + ": ask for fewer");
        }
        return Integer.parseInt(text);
    }

    /** Offers gpus, or changes an offer; rentals and quotes already made keep their terms. */
    @Put("/listings/{id}")
    ListingView list(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body ListingBody body) {
        Account lender = caller.as(Role.LENDER);
        return ListingView.of(Once.of(engine, lender, key)
                .list(body.listing(BadField.parse("id", id, ListingId::new), lender, token)));
    }

    /** Returns a listing. */
    @Get("/listings/{id}")
    ListingView listing(@Parameter(hidden = true) Caller caller, String id) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        return ListingView.of(engine.listing(BadField.parse("id", id, ListingId::new)));
    }

    /**
     * Returns the listings that are free in a window, cheapest first; or, with {@code length}, those that are free for so
     * long at some time within it, each with the earliest such window.
     *
     * @param start the window's first instant
     * @param end the first instant after the window
     * @param length for how long, as an ISO 8601 duration; the whole window without it
     * @param model words of the gpu model's name, such as H100; any without it
     * @param gpuMemoryMiB each gpu's memory at least
     * @param gpus how many gpus at least; 1 without it
     * @param gpusAtMost how many gpus at most; 64 without it
     * @param atMost the most the renter pays for all gpus, in the token's units per second
     * @param atMostPerGpu the most the renter pays for each gpu, likewise
     * @param assurance the least that it needs; ISOLATED without it
     * @param region a region that will do; may be given several times
     * @param interconnect the least that it needs; NONE without it
     * @param reputation the lender's reputation at least, 0 to 1000
     * @param emulated whether emulated stand-ins are shown; they are without it
     * @param answers how many at most; 100 without it
     */
    @Get("/listings")
    List<FreeWindowView> search(
            @Parameter(hidden = true) Caller caller,
            @Nullable @QueryValue @Parameter(required = true) String start,
            @Nullable @QueryValue @Parameter(required = true) String end,
            @Nullable @QueryValue String length,
            @Nullable @QueryValue String model,
            @Nullable @QueryValue String gpuMemoryMiB,
            @Nullable @QueryValue String gpus,
            @Nullable @QueryValue String gpusAtMost,
            @Nullable @QueryValue String atMost,
            @Nullable @QueryValue String atMostPerGpu,
            @Nullable @QueryValue String assurance,
            @Nullable @QueryValue List<String> region,
            @Nullable @QueryValue String interconnect,
            @Nullable @QueryValue String reputation,
            @Nullable @QueryValue String emulated,
            @Nullable @QueryValue String answers) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        var question = new SearchQuestion(Bodies.window(start, end), length);
        question.take("model", model, ListingQuery.Builder::model);
        question.number("gpuMemoryMiB", gpuMemoryMiB, ListingQuery.Builder::gpuMemoryMiB);
        question.number("gpus", gpus, ListingQuery.Builder::gpusAtLeast);
        question.number("gpusAtMost", gpusAtMost, ListingQuery.Builder::gpusAtMost);
        question.rate("atMost", atMost, ListingQuery.Builder::atMost);
        question.rate("atMostPerGpu", atMostPerGpu, ListingQuery.Builder::atMostPerGpu);
        question.constant("assurance", assurance, Assurance.class, ListingQuery.Builder::assurance);
        question.take("region", region, ListingQuery.Builder::regions);
        question.constant("interconnect", interconnect, Interconnect.class, ListingQuery.Builder::interconnect);
        question.number("reputation", reputation, ListingQuery.Builder::reputation);
        question.flag("emulated", emulated, ListingQuery.Builder::emulated);
        question.number("answers", answers, ListingQuery.Builder::answers);
        return engine.freeWindows(question.query()).stream()
                .map(FreeWindowView::of)
                .toList();
    }

    /** Books at the price that the listing has, if that is not over the most that is paid. Under a key once. */
    @Post("/listings/{id}/rentals")
    @Status(HttpStatus.CREATED)
    RentalView book(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body BookingBody body) {
        Account renter = caller.as(Role.RENTER);
        return RentalView.of(Once.of(engine, renter, key)
                .reserve(
                        renter,
                        BadField.parse("id", id, ListingId::new),
                        Bodies.window(body.start(), body.end()),
                        Bodies.amount("most", body.most())));
    }

    /** Quotes a listing's price for a window. */
    @Post("/quotes")
    @Status(HttpStatus.CREATED)
    QuoteView quote(
            @Parameter(hidden = true) Caller caller, @Nullable @Header(Once.HEADER) String key, @Body QuoteBody body) {
        Account renter = caller.as(Role.RENTER);
        return QuoteView.of(
                Once.of(engine, renter, key)
                        .quote(
                                renter,
                                BadField.parse("listing", body.listing(), ListingId::new),
                                Bodies.window(body.start(), body.end())),
                token);
    }
}
