package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Header;
import io.micronaut.http.annotation.Post;
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
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.server.api.Bodies.ExtensionBody;
import org.computehive.server.api.Bodies.ReserveBody;
import org.computehive.server.api.Views.QuoteView;
import org.computehive.server.api.Views.RentalView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/** More time for a rental: a quote, then a hold whose offer is signed and funded as the first one was. */
@Controller("/rentals/{id}/extensions")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "rentals")
class ExtensionController {
    private final RentalEngine engine;
    private final Token token;

    ExtensionController(ReferencePlatform platform) {
        this.engine = platform.engine();
        this.token = platform.local().escrow().token();
    }

    /** Quotes more time, at the listing's price of now; the quote is for the further time alone. */
    @Post("/quotes")
    @Status(HttpStatus.CREATED)
    QuoteView quote(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body ExtensionBody body) {
        Account renter = caller.as(Role.RENTER);
        Instant end = BadField.parse("end", body.end(), Instant::parse);
        return QuoteView.of(
                Once.of(engine, renter, key).quoteExtension(RentalController.rentalId(id), renter, end), token);
    }

    /** Takes up such a quote: holds the gpus for it until its own escrow is funded or the hold runs out. */
    @Post
    @Status(HttpStatus.CREATED)
    RentalView extend(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body ReserveBody body) {
        Account renter = caller.as(Role.RENTER);
        RentalId quote = BadField.parse("quote", body.quote(), RentalId::new);
        return RentalView.of(Once.of(engine, renter, key).extend(RentalController.rentalId(id), renter, quote));
    }
}
