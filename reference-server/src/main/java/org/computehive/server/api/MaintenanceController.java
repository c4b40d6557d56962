package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Delete;
import io.micronaut.http.annotation.Get;
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
import java.util.List;
import org.computehive.market.Account;
import org.computehive.market.HostId;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.server.api.Bodies.MaintenanceBody;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/** Times in which a lender keeps gpus for itself. Repeating any of these changes nothing more. */
@Controller("/hosts/{host}/maintenance")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "market")
class MaintenanceController {
    private final RentalEngine engine;

    MaintenanceController(ReferencePlatform platform) {
        this.engine = platform.engine();
    }

    /** Returns the maintenance windows of a host, by start. */
    @Get
    List<MaintenanceView> windows(@Parameter(hidden = true) Caller caller, String host) {
        Account lender = caller.as(Role.LENDER);
        return engine.maintenances(lender, host(host)).stream()
                .map(MaintenanceView::of)
                .toList();
    }

    /** Keeps gpus from being rented in a window, all of them or none. */
    @Post
    @Status(HttpStatus.CREATED)
    MaintenanceView block(
            @Parameter(hidden = true) Caller caller,
            String host,
            @Nullable @Header(Once.HEADER) String key,
            @Body MaintenanceBody body) {
        Account lender = caller.as(Role.LENDER);
        return MaintenanceView.of(Once.of(engine, lender, key).block(lender, body.maintenance(host(host))));
    }

    /** Lets them be rented again. */
    @Delete("/{name}")
    @Status(HttpStatus.NO_CONTENT)
    void unblock(
            @Parameter(hidden = true) Caller caller,
            String host,
            String name,
            @Nullable @Header(Once.HEADER) String key) {
        Account lender = caller.as(Role.LENDER);
        if (!Once.of(engine, lender, key).unblock(lender, host(host), name)) {
            throw new RentalException.NotFound(
                    "host %s has no maintenance of that name: GET the path without it lists all".formatted(host));
        }
    }

    private static HostId host(String host) {
        return BadField.parse("host", host, HostId::new);
    }
}
