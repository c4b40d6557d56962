package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
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
import java.util.List;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Assurance;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.RentalEngine;
import org.computehive.server.api.Bodies.ListingBody;
import org.computehive.server.api.Bodies.PriceBody;
import org.computehive.server.api.Bodies.QuoteBody;
import org.computehive.server.api.Views.HostView;
import org.computehive.server.api.Views.ListingView;
import org.computehive.server.api.Views.QuoteView;
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
    private final RentalEngine engine;
    private final Token token;

    MarketController(ReferencePlatform platform) {
        this.engine = platform.engine();
        this.token = platform.local().escrow().token();
    }

    /** Returns the hosts with their gpus. */
    @Get("/hosts")
    List<HostView> hosts(@Parameter(hidden = true) Caller caller) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        return engine.hosts().stream().map(HostView::of).toList();
    }

    /** Suggests a price. Nothing applies it: a lender who likes it puts it in a listing. */
    @Post("/price-suggestions")
    SuggestionView suggest(@Parameter(hidden = true) Caller caller, @Body PriceBody body) {
        caller.as(Role.LENDER, Role.OPERATOR);
        return SuggestionView.of(engine.suggestPrice(body.request()), token);
    }

    /** Offers gpus, or changes an offer; rentals and quotes already made keep their terms. */
    @Put("/listings/{id}")
    ListingView list(@Parameter(hidden = true) Caller caller, String id, @Body ListingBody body) {
        Account lender = caller.as(Role.LENDER);
        return ListingView.of(engine.list(body.listing(BadField.parse("id", id, ListingId::new), lender, token)));
    }

    /** Returns a listing. */
    @Get("/listings/{id}")
    ListingView listing(@Parameter(hidden = true) Caller caller, String id) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        return ListingView.of(engine.listing(BadField.parse("id", id, ListingId::new)));
    }

    /**
     * Returns the listings that are free in a window, cheapest first.
     *
     * @param start the window's first instant
     * @param end the first instant after the window
     * @param model a part of the gpu model's name; any without it
     * @param gpus how many gpus at least; 1 without it
     * @param atMost the most the renter pays, in the token's units per second
     * @param assurance the least that it needs; ISOLATED without it
     */
    @Get("/listings")
    List<ListingView> search(
            @Parameter(hidden = true) Caller caller,
            @Nullable @QueryValue @Parameter(required = true) String start,
            @Nullable @QueryValue @Parameter(required = true) String end,
            @Nullable @QueryValue String model,
            @Nullable @QueryValue String gpus,
            @Nullable @QueryValue String atMost,
            @Nullable @QueryValue String assurance) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        var window = Bodies.window(start, end);
        int atLeastGpus = gpus == null ? 1 : BadField.parse("gpus", gpus, MarketController::count);
        var most = atMost == null ? Optional.<Rate>empty() : Optional.of(Bodies.rate("atMost", atMost));
        Assurance least =
                assurance == null ? Assurance.ISOLATED : BadField.constant("assurance", assurance, Assurance.class);
        var query = BadField.parse(
                "model", model == null ? "" : model, text -> new ListingQuery(window, text, atLeastGpus, most, least));
        return engine.search(query).stream().map(ListingView::of).toList();
    }

    private static int count(String text) {
        if (!text.matches("[0-9]{1,2}")) {
            throw new IllegalArgumentException("gpus is not a count: 1 to 64");
        }
        return Integer.parseInt(text);
    }

    /** Quotes a listing's price for a window. */
    @Post("/quotes")
    @Status(HttpStatus.CREATED)
    QuoteView quote(@Parameter(hidden = true) Caller caller, @Body QuoteBody body) {
        Account renter = caller.as(Role.RENTER);
        return QuoteView.of(
                engine.quote(
                        renter,
                        BadField.parse("listing", body.listing(), ListingId::new),
                        Bodies.window(body.start(), body.end())),
                token);
    }
}
