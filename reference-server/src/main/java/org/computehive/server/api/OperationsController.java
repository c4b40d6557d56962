package org.computehive.server.api;

import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
import io.micronaut.http.annotation.Post;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Instant;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.rental.Fault;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.server.api.Bodies.FaultBody;
import org.computehive.server.api.Bodies.GlassBody;
import org.computehive.server.api.Bodies.NoteBody;
import org.computehive.server.api.Bodies.RevocationBody;
import org.computehive.server.api.Views.CertificateView;
import org.computehive.server.api.Views.RentalView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/** What an operator does about rentals that need a person. */
@Controller("/operations/rentals")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "operations")
class OperationsController {
    private final RentalEngine engine;

    OperationsController(ReferencePlatform platform) {
        this.engine = platform.engine();
    }

    /** Returns the rentals with a step that failed for longer than the policy allows, oldest first. */
    @Get("/stuck")
    List<StuckView> stuck(@Parameter(hidden = true) Caller caller) {
        caller.as(Role.OPERATOR);
        return engine.stuck().stream().map(StuckView::of).toList();
    }

    /** Has the stuck steps of a rental tried anew. The note is stored and in the audit log. */
    @Post("/{id}/resume")
    RentalView resume(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body NoteBody body) {
        Account operator = caller.as(Role.OPERATOR);
        String note = BadField.parse("note", body.note(), Bodies::line);
        return RentalView.of(Once.of(engine, operator, key).resume(RentalController.rentalId(id), note));
    }

    /**
     * Lets the operator into a session for a while, by a certificate of its own kind: only where the server was started
     * with gateway.break-glass. Who, why and until when is in the audit log before it takes effect.
     */
    @Post("/{id}/break-glass")
    CertificateView breakGlass(@Parameter(hidden = true) Caller caller, String id, @Body GlassBody body) {
        Account operator = caller.as(Role.OPERATOR);
        RentalId rental = RentalController.rentalId(id);
        String publicKey = BadField.require("publicKey", body.publicKey());
        String reason = BadField.parse("reason", body.reason(), Bodies::line);
        Instant until = BadField.parse("until", body.until(), Instant::parse);
        String folder = RentalController.folder(body.folder());
        return CertificateView.of(engine.breakGlass(rental, operator.address(), reason, until, publicKey), folder);
    }

    /** Revokes certificates of a rental's, as its renter may; why is stored and in the audit log. Repeating it changes nothing. */
    @Post("/{id}/revocations")
    RentalView revoke(@Parameter(hidden = true) Caller caller, String id, @Body RevocationBody body) {
        caller.as(Role.OPERATOR);
        String why = BadField.parse("why", body.why(), Bodies::line);
        return RentalView.of(engine.revokeCertificates(RentalController.rentalId(id), body.which(), why));
    }

    /** Ends a session for a reason that the platform has; who answers for it chooses the settlement. */
    @Post("/{id}/end")
    RentalView end(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body FaultBody body) {
        Account operator = caller.as(Role.OPERATOR);
        Fault.Blame blame = BadField.constant("blame", body.blame(), Fault.Blame.class);
        Fault reason = BadField.parse("why", body.why(), why -> new Fault(blame, Bodies.line(why)));
        return RentalView.of(Once.of(engine, operator, key).endByOperator(RentalController.rentalId(id), reason));
    }
}
