package org.computehive.server.api;

import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.YearMonth;
import org.computehive.manifest.Manifest;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalStore;
import org.computehive.reputation.StoredReputations;
import org.computehive.server.config.ReferencePlatform;
import org.computehive.usage.Invoice;
import org.jspecify.annotations.Nullable;

/** What rentals leave behind: invoices, manifests, reputations. */
@Controller
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "records")
class RecordsController {
    private final RentalEngine engine;
    private final RentalStore store;
    private final InstantSource clock;
    private final StoredReputations reputations;

    RecordsController(ReferencePlatform platform) {
        this.engine = platform.engine();
        this.store = platform.store();
        this.clock = platform.local().clock();
        this.reputations = new StoredReputations(store, clock);
    }

    private enum Format {
        JSON,
        CSV,
        HTML
    }

    /**
     * Returns what the caller earned as a lender, or paid as a renter, in a month; one line per settlement.
     *
     * @param month the month in UTC, as 2026-11
     * @param format json, csv (RFC 4180) or html; json without it
     */
    @Get("/invoices/{month}")
    @ApiResponse(
            responseCode = "200",
            content = {
                @Content(mediaType = "application/json", schema = @Schema(implementation = InvoiceView.class)),
                @Content(mediaType = "text/csv", schema = @Schema(type = "string")),
                @Content(mediaType = "text/html", schema = @Schema(type = "string"))
            })
    HttpResponse<?> invoice(
            @Parameter(hidden = true) Caller caller, String month, @Nullable @QueryValue String format) {
        Account party = RentalController.party(caller);
        YearMonth wanted = BadField.parse("month", month, RecordsController::month);
        Format form = format == null ? Format.JSON : BadField.parse("format", format, RecordsController::format);
        Invoice.Role role = caller.role() == Role.LENDER ? Invoice.Role.LENDER : Invoice.Role.RENTER;
        Invoice invoice = Invoice.of(party, role, wanted, store.allOf(party, Invoice.end(wanted)), clock.instant());
        return switch (form) {
            case JSON -> HttpResponse.ok(InvoiceView.of(invoice));
            case CSV -> file(invoice.csv(), "text/csv; charset=utf-8", invoice.number() + ".csv");
            case HTML -> file(invoice.html(), "text/html; charset=utf-8", invoice.number() + ".html");
        };
    }

    private static HttpResponse<byte[]> file(String text, String type, String name) {
        return HttpResponse.ok(text.getBytes(StandardCharsets.UTF_8))
                .contentType(MediaType.of(type))
                .header("Content-Disposition", "attachment; filename=\"" + name + "\"")
                .header("X-Content-Type-Options", "nosniff");
    }

    private static YearMonth month(String text) {
        if (!text.matches("[0-9]{4}-(0[1-9]|1[0-2])")) {
            throw new IllegalArgumentException("month is not a year and a month: write it like 2026-11");
        }
        return YearMonth.parse(text);
    }

    private static Format format(String text) {
        return switch (text) {
            case "json" -> Format.JSON;
            case "csv" -> Format.CSV;
            case "html" -> Format.HTML;
            default -> throw new IllegalArgumentException("format must be json, csv or html");
        };
    }

    /** Returns what a session really ran on, and on what terms, as the canonical JSON that its hash is of. */
    @Get("/rentals/{id}/manifest")
    @ApiResponse(
            responseCode = "200",
            content = @Content(mediaType = "application/json", schema = @Schema(type = "object")))
    HttpResponse<byte[]> manifest(@Parameter(hidden = true) Caller caller, String id) {
        Rental rental = engine.rental(RentalController.rentalId(id), RentalController.party(caller));
        Manifest manifest = rental.manifest()
                .orElseThrow(() -> new RentalException.NotFound(
                        "rental %s has no manifest: one is written when its VM is started".formatted(id)));
        return HttpResponse.ok(manifest.json().getBytes(StandardCharsets.UTF_8))
                .contentType(MediaType.APPLICATION_JSON_TYPE);
    }

    /** Returns an account's reputation, from the outcomes of all rentals that were settled up to a minute ago. */
    @Get("/accounts/{account}/reputation")
    ReputationView reputation(@Parameter(hidden = true) Caller caller, String account) {
        caller.as(Role.LENDER, Role.RENTER, Role.OPERATOR);
        Account party = BadField.parse("account", account, Account::new);
        return ReputationView.of(party, reputations.current());
    }
}
